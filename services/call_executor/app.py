"""The call-executor's wiring, on one screen, and its orderly end."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from services.call_executor.handlers import JobHandler
from services.call_executor.heartbeat import Pulse
from services.call_executor.held_calls import HeldCalls
from services.call_executor.outbox import Outbox
from services.call_executor.placing import Placer
from services.call_executor.settings import ExecutorSettings
from shared.bus.patient_consumer import make_patient
from shared.bus.producer import Producer
from shared.bus.raw_records import without_headers
from shared.errors import Unavailable
from shared.logs import get_logger
from shared.store.client import Store, connect
from shared.telephony.providers import BuildProvider, build_provider
from shared.topics import DIAL_JOBS
from shared.wiring import beside, connected

GROUP = "call-executor"
MAX_RECORDS = 500
# While jobs read ahead wait here, the client asks for the other partitions alone, and jobs behind those that
# wait are not fetched until that question is answered: half a second by default (docs/benchmarks.md).
FETCH_WAIT_MS = 50

log = get_logger()


class CallExecutor:
    """One executor process. It may be built several times in one process, for tests."""

    def __init__(
        self, settings: ExecutorSettings, *, store: Store, producer: Producer, build_provider: BuildProvider
    ) -> None:
        self._settings, self._store, self._producer = settings, store, producer
        self.executor_id = f"{settings.instance or GROUP}-{uuid.uuid4()}"
        self._outbox = Outbox(store, producer)
        self._held = HeldCalls(self._outbox)
        self.provider = build_provider(settings, self._held.on_report)
        self._handler = JobHandler(
            Placer(store, self.provider, self._held, self._outbox, settings, self.executor_id),
            self._held,
            producer,
            parallel=settings.carrier_connections,
            per_second=settings.calls_per_second,
            capacity=settings.executor_capacity,
        )
        self._pulse = Pulse(
            store, self.executor_id, capacity=settings.executor_capacity, calls_per_second=settings.calls_per_second
        )
        self._broker = self._subscribe()

    def _subscribe(self) -> KafkaBroker:
        settings = self._settings
        broker = KafkaBroker(
            settings.brokers,
            allow_auto_create_topics=False,
            request_timeout_ms=settings.kafka_request_timeout_ms,
            logger=None,
        )
        broker.subscriber(
            self._producer.topic_name(DIAL_JOBS),
            group_id=settings.topic_prefix + GROUP,
            group_instance_id=f"{GROUP}-{settings.instance}" if settings.instance else None,
            batch=True,
            max_records=MAX_RECORDS,
            batch_timeout_ms=10,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            session_timeout_ms=settings.kafka_session_timeout_ms,
            heartbeat_interval_ms=500,
            parser=without_headers,
            decoder=_undecoded,
        )(self._handler.on_dial_jobs)
        return broker

    async def run(self) -> None:
        """Work until cancelled, then drain: nothing that was started is left half done."""
        await self.provider.start()
        outbox = asyncio.create_task(self._outbox.run(), name="outbox")
        await self._pulse.beat()
        pulse = asyncio.create_task(self._pulse.run(), name="pulse")
        try:
            await self._start_reading()
            # Neither ends by itself. One that fails ends the process: calls would go on of which nobody hears.
            ended, _ = await asyncio.wait({outbox, pulse}, return_when=asyncio.FIRST_COMPLETED)
            ended.pop().result()
        finally:
            await self._drain(outbox)
            outbox.cancel()
            pulse.cancel()
            await asyncio.gather(outbox, pulse, return_exceptions=True)
            await self._pulse.stop()

    async def _start_reading(self) -> None:
        try:
            await self._broker.connect()
            make_patient(self._broker)
            await self._broker.start()
        except KafkaError as error:
            raise Unavailable("Kafka", f"it went away while {GROUP} joined its group: {error!r}") from error

    async def _drain(self, outbox: asyncio.Task[None]) -> None:
        """Take nothing new, give back what is not started, finish what is, say what is left to say.

        Calls that the carrier holds need no process, so this takes seconds; calls held here are waited for.
        """
        log.info("draining", held_calls=len(self._held))
        self._handler.draining = self._pulse.draining = True
        await self._broker.stop()
        await self._handler.finished()
        await self._held.none_left()
        await self.provider.close()
        flushed = asyncio.create_task(self._outbox.flushed(), name="flushed")
        # An outbox that has failed will never be empty.
        await asyncio.wait({flushed, outbox}, return_when=asyncio.FIRST_COMPLETED)
        flushed.cancel()


async def _undecoded(_: KafkaMessage) -> bytes:
    """The handler reads raw records one by one, so that a bad one costs only itself."""
    return b""


@asynccontextmanager
async def running(
    settings: ExecutorSettings, build_provider: BuildProvider = build_provider
) -> AsyncIterator[CallExecutor]:
    """The call-executor at work, on calls that `build_provider` makes; at the end it drains.

    Raises what `connected` raises, `ConfigurationError` for a provider that cannot be had, and
    `Unavailable` when Kafka goes away while the executor joins its group.
    """
    store, producer = connect(settings), Producer(settings)
    async with connected(settings, store, producer, GROUP):
        executor = CallExecutor(settings, store=store, producer=producer, build_provider=build_provider)
        async with beside(executor.run(), name=GROUP):
            yield executor
