"""The call-executor's wiring, on one screen, and its orderly end."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.call_executor.handlers import JobHandler
from services.call_executor.heartbeat import Pulse
from services.call_executor.held_calls import HeldCalls
from services.call_executor.outbox import Outbox
from services.call_executor.placing import Placer
from services.call_executor.settings import ExecutorSettings
from shared.beside import beside
from shared.bus.consumers import BatchReader
from shared.bus.producer import Producer
from shared.cancelling import cancel, check_cancelled
from shared.carriers import Carriers
from shared.logs import get_logger
from shared.result_tokens import ResultTokens
from shared.store.client import Store, connect
from shared.stored_secrets import SecretCipher
from shared.telephony.providers import BuildProvider, build_provider
from shared.topics import DIAL_JOBS
from shared.wiring import connected

SERVICE = "call-executor"
MAX_RECORDS = 500
# While jobs read ahead wait here, the client asks for the other partitions alone, and jobs behind those that
# wait are not fetched until that question is answered: half a second by default (docs/benchmarks.md). Each question
# costs a quiet executor and its broker as much as one that brings jobs.
FETCH_WAIT_MS = 200
# Jobs in hand at the end are placed or released before the group is left.
STOP_SECONDS = 15.0

log = get_logger()


class CallExecutor:
    """One executor process. It may be built several times in one process, for tests."""

    def __init__(
        self, settings: ExecutorSettings, *, store: Store, producer: Producer, build_provider: BuildProvider
    ) -> None:
        self.executor_id = f"{settings.instance or SERVICE}-{uuid.uuid4()}"
        self._outbox = Outbox(store, producer, lambda: len(self._held))
        self._held = HeldCalls(self._outbox)
        self.provider = build_provider(settings, self._held.on_report)
        self._carriers = Carriers(store, settings, SecretCipher(settings.secret_key), self.provider)
        self._pulse = Pulse(
            store, self.executor_id, capacity=settings.executor_capacity, calls_per_second=settings.calls_per_second
        )
        now_for_all = self._pulse.server_clock.now
        self._handler = JobHandler(
            Placer(
                store,
                self._carriers,
                self._held,
                self._outbox,
                settings,
                self.executor_id,
                now_for_all=now_for_all,
                tokens=ResultTokens(settings.secret_key),
            ),
            self._held,
            producer,
            parallel=settings.carrier_connections,
            per_second=settings.calls_per_second,
            capacity=settings.executor_capacity,
        )
        self._reader = BatchReader(
            settings,
            SERVICE,
            DIAL_JOBS,
            self._handler.on_dial_jobs,
            max_records=MAX_RECORDS,
            stop_seconds=STOP_SECONDS,
            fetch_wait_ms=FETCH_WAIT_MS,
        )

    async def run(self) -> None:
        """Work until cancelled, then drain: nothing that was started is left half done."""
        await self._carriers.start()
        outbox = asyncio.create_task(self._outbox.run(), name="outbox")
        working = {outbox}
        try:
            await self._pulse.beat()
            working.add(asyncio.create_task(self._pulse.run(), name="pulse"))
            await self._reader.start()
            check_cancelled()
            # Neither ends by itself. One that fails ends the process: calls would go on of which nobody hears.
            ended, _ = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
            ended.pop().result()
        finally:
            try:
                await self._drain(outbox)
            finally:
                # Also where somebody cannot wait for the drain: neither may outlive its connections.
                for task in working:
                    cancel(task)
                await asyncio.gather(*working, return_exceptions=True)
                await self._pulse.stop()

    async def is_reading(self) -> bool:
        """Whether dial jobs are read: not yet while starting, no more while draining."""
        return await self._reader.is_reading()

    async def _drain(self, outbox: asyncio.Task[None]) -> None:
        """Take nothing new, give back what is not started, finish what is, say what is left to say.

        Calls that the carrier holds need no process, so this takes seconds; calls held here are waited for.
        """
        log.info("draining", held_calls=len(self._held))
        self._handler.draining = self._pulse.draining = True
        await self._reader.stop()
        await self._handler.finished()
        await self._held.none_left()
        await self._carriers.close()
        flushed = asyncio.create_task(self._outbox.flushed(), name="flushed")
        # An outbox that has failed will never be empty.
        await asyncio.wait({flushed, outbox}, return_when=asyncio.FIRST_COMPLETED)
        flushed.cancel()


@asynccontextmanager
async def running(
    settings: ExecutorSettings, build_provider: BuildProvider = build_provider
) -> AsyncIterator[CallExecutor]:
    """The call-executor at work, on calls that `build_provider` makes; at the end it drains.

    Raises what `connected` raises, `ConfigurationError` for a provider that cannot be had, and `Unavailable` when Kafka
    goes away while the executor joins its group.
    """
    store, producer = connect(settings), Producer(settings)
    async with connected(settings, store, producer, SERVICE) as health:
        executor = CallExecutor(settings, store=store, producer=producer, build_provider=build_provider)
        health.checks["consumer"] = executor.is_reading
        async with beside(executor.run(), name=SERVICE, drains=True):
            yield executor
