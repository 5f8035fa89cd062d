"""What this executor has to say, kept until one sink has it.

A finished call goes to Kafka, and when that has not acknowledged within a second, into MongoDB. Nothing
leaves the outbox on hope: an ending known only here would be lost with the process.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from shared import metrics
from shared.bus.producer import Producer
from shared.clock import monotonic
from shared.domain.turnover import Gathering
from shared.errors import TemporaryError
from shared.events import AnyOrgEvent, CallFinished
from shared.logs import get_logger
from shared.store.client import Store
from shared.store.dialing.results import add_results
from shared.store.dialing.starts import note_call_ids
from shared.waiting import wait_at_most

# Kafka has this long to acknowledge an ending before the second sink gets it.
ACKNOWLEDGE_SECONDS = 1.0
RETRY_SECONDS = 0.5
# A process that is asked to end keeps its releases for Kafka's return so long; an orchestrator waits 30 s or more.
LEAVING_SECONDS = 10.0
MAX_BATCH = 500

log = get_logger()


class Outbox:
    """Sends in natural batches: what came while the last batch was on its way, or a moment after a small one.

    `held` says how many calls are up that end here.
    """

    def __init__(self, store: Store, producer: Producer, held: Callable[[], int]) -> None:
        self._store, self._producer, self._held = store, producer, held
        self._gathering = Gathering()
        self._events: deque[AnyOrgEvent] = deque()
        self._call_ids: deque[tuple[str, str, str]] = deque()
        self._filled = asyncio.Event()
        # Set where nothing more is to be gathered.
        self._enough = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._let_go_at: float | None = None

    def add(self, event: AnyOrgEvent) -> None:
        """Send this as soon as possible. Never blocks."""
        self._events.append(event)
        if len(self._events) >= self._gathering.enough:
            self._enough.set()
        self._wake()

    def add_call_id(self, contact_id: str, attempt_id: str, call_id: str) -> None:
        """Keep the carrier's id of a call, for looking it up later."""
        self._call_ids.append((contact_id, attempt_id, call_id))
        self._wake()

    def _wake(self) -> None:
        self._empty.clear()
        self._filled.set()

    async def flushed(self) -> None:
        """Return when every ending added so far is safe. Waits as long as both its sinks are away.

        A release that Kafka does not take in LEAVING_SECONDS is let go: an unstarted job's lock runs out; a started
        one is asked for at the carrier, which knows no such call.
        """
        self._let_go_at = monotonic() + LEAVING_SECONDS
        self._enough.set()
        await self._empty.wait()

    async def run(self) -> None:
        """Send until cancelled; flush first."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._events or self._call_ids:
                await self._gather()
                try:
                    await asyncio.gather(self._send_events(), self._send_call_ids())
                except TemporaryError as error:
                    log.warning("outbox waits", waiting=len(self._events), why=str(error))
                    await asyncio.sleep(RETRY_SECONDS)
            self._empty.set()

    async def _gather(self) -> None:
        """Behind a small batch, wait a moment for more, or until there are enough; not while this executor leaves."""
        if self._let_go_at is None:
            self._enough.clear()
            await wait_at_most(self._enough, self._gathering.pause(self._held(), len(self._events), monotonic()))

    async def _send_events(self) -> None:
        batch = [self._events.popleft() for _ in range(min(MAX_BATCH, len(self._events)))]
        ended = sum(isinstance(event, CallFinished) for event in batch)
        self._gathering.served(ended, len(batch), 0, monotonic())
        lost = await self._producer.publish_events(batch, ACKNOWLEDGE_SECONDS)
        if not lost:
            return
        endings = [event for event in lost if isinstance(event, CallFinished)]
        others = [event for event in lost if not isinstance(event, CallFinished)]
        try:
            await add_results(self._store, endings)
        except TemporaryError:
            self._events.extendleft(reversed(lost))
            raise
        metrics.SECOND_SINK.inc(len(endings))
        if others and (self._let_go_at is None or monotonic() < self._let_go_at):
            # Releases and hints have no second sink: until Kafka is back they wait here.
            self._events.extend(others)
            await asyncio.sleep(RETRY_SECONDS)

    async def _send_call_ids(self) -> None:
        batch = [self._call_ids.popleft() for _ in range(min(MAX_BATCH, len(self._call_ids)))]
        try:
            await note_call_ids(self._store, batch)
        except TemporaryError as error:
            # Only a convenience of the look-up, which also works without; not worth waiting for.
            log.info("call ids not kept", calls=len(batch), why=str(error))
