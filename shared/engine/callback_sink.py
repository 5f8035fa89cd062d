"""Brings what the carrier said to safety before it is told 200.

Kafka first; a finished call that Kafka has not taken within a second goes to `results`; only when neither
takes it is the carrier asked to repeat. Callbacks that arrive while a publish runs share the next one.
"""

import asyncio

from shared.bus.producer import Producer
from shared.errors import Unavailable
from shared.events import CallAnswered, CallFinished
from shared.logs import get_logger
from shared.metrics import SECOND_SINK
from shared.store.client import Store
from shared.store.dialing.results import add_results

CallEvent = CallAnswered | CallFinished

KAFKA_SECONDS = 1.0
log = get_logger()


class CallbackSink:
    """Natural batches: as many callbacks as came in while the last batch was on its way."""

    def __init__(self, producer: Producer, store: Store) -> None:
        self._producer, self._store = producer, store
        self._waiting: list[tuple[CallEvent, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()

    async def keep(self, event: CallEvent) -> None:
        """Return when a sink has the event. Raises `Unavailable` when none has it: ask for it again."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, kept))
        self._wake.set()
        await kept

    async def run(self) -> None:
        """Publish until cancelled. Callers that still wait then are told that no sink has their event."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                batch, self._waiting = self._waiting, []
                try:
                    await self._settle(batch)
                except Exception:
                    # As wide as that: what a store refuses raises the driver's own error, which no service knows, and
                    # an error of any other kind would end this task, too. This batch was refused and the carrier
                    # repeats it; those behind it must not wait for ever.
                    log.exception("callbacks could not be stored", callbacks=len(batch))
        finally:
            _refuse(self._waiting)

    async def _settle(self, batch: list[tuple[CallEvent, asyncio.Future[None]]]) -> None:
        try:
            events = [event for event, _ in batch]
            lost = await self._producer.publish_events(events, timeout_seconds=KAFKA_SECONDS)
            nowhere = await self._second_sink([event for event in lost if isinstance(event, CallFinished)])
            # An answer is news, not an ending: `results` holds endings only.
            missing = {id(event) for event in [*nowhere, *(event for event in lost if isinstance(event, CallAnswered))]}
            _refuse([(event, kept) for event, kept in batch if id(event) in missing])
            for _, kept in batch:
                if not kept.done():
                    kept.set_result(None)
        finally:
            _refuse(batch)

    async def _second_sink(self, events: list[CallFinished]) -> list[CallFinished]:
        if not events:
            return []
        try:
            await add_results(self._store, events)
        except Unavailable:
            return events
        SECOND_SINK.inc(len(events))
        return []


def _refuse(batch: list[tuple[CallEvent, asyncio.Future[None]]]) -> None:
    for _, kept in batch:
        if not kept.done():
            kept.set_exception(Unavailable("Kafka", "the callback could not be stored; send it again"))
