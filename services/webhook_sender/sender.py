"""Takes deliveries that are due, tries them side by side, and writes what has become of each.

A try and its mark are two steps: a sender that is killed between them has delivered what another one will deliver
again, under the same id, when the time is up for which it was taken.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.webhook_sender.attempt import Post, deliver
from services.webhook_sender.receivers import Receiver
from shared import metrics
from shared.cancelling import cancel
from shared.domain.webhooks import Answer, DeliveryError, DeliveryState, after_try
from shared.engine.engine import Engine
from shared.errors import TemporaryError
from shared.logs import get_logger
from shared.store.catalog.webhooks import Webhook, switch_off, webhooks_by_id
from shared.store.reports.deliveries import (
    Delivery,
    Mark,
    drop_waiting,
    give_back,
    mark,
    take_due,
    waiting_webhooks,
)

# For so long nobody else has what a sender has taken: what waits in its hand, the try and the mark take less.
TAKEN: Final = timedelta(seconds=60)
# Nothing is tried that others might have by the time it is answered.
LAST_START: Final = timedelta(seconds=45)
AWAY_SECONDS: Final = 1.0
# Looks are never closer to each other, so that a busy sender asks for many at once.
BETWEEN_LOOKS_SECONDS: Final = 0.02
# Recorded answers that are written at once.
MARKS_AT_ONCE: Final = 500
_OFF: Final = Answer(None, DeliveryError.OFF)

log = get_logger()


@dataclass(frozen=True, slots=True)
class _InHand:
    """A delivery that this sender has taken."""

    webhook: Webhook
    delivery: Delivery
    token: str
    since: datetime


class Sender:
    """One process's sender. `look` and `settled` are its parts, for tests; `run` does all until it is told to end."""

    def __init__(
        self, engine: Engine, post: Post, *, connections: int, poll_seconds: float, clock: Callable[[], datetime]
    ) -> None:
        self._engine, self._post, self._clock = engine, post, clock
        self._poll_seconds = poll_seconds
        self._connections = asyncio.Semaphore(connections)
        # Taken and not yet marked, of all subscriptions together: what bounds the memory.
        self._most, self._in_hand = connections * 2, 0
        self._receivers: defaultdict[str, Receiver[_InHand]] = defaultdict(Receiver)
        self._tries: set[asyncio.Task[None]] = set()
        self._marks: list[Mark] = []
        self._marking, self._one_writer = asyncio.Event(), asyncio.Lock()
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()
        self._ending = False

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    def end(self) -> None:
        """Take nothing more; `run` ends when what is under way has ended and is marked."""
        self._ending = True
        self._wake.set()

    async def run(self) -> None:
        """Send until `end`."""
        marking = asyncio.create_task(self._mark_all(), name="marks")
        try:
            while not self._ending:
                if marking.done():
                    # A bug: without marks nothing would ever leave the hand.
                    await marking
                await self._look_again()
            await self._leave()
        finally:
            cancel(marking)
            await asyncio.gather(marking, return_exceptions=True)

    async def look(self) -> int:
        """Take what is due and begin to try it; how many were taken. Raises `TemporaryError`."""
        now = self._clock()
        rooms = self._rooms(await waiting_webhooks(self._engine.store, now))
        if not rooms:
            return 0
        token = uuid.uuid4().hex
        taken = await take_due(self._engine.store, rooms, token, now, now + TAKEN)
        self._in_hand += len(taken)
        metrics.WEBHOOKS_IN_HAND.set(self._in_hand)
        try:
            webhooks = await self._webhooks_of(taken)
        except TemporaryError:
            # They are due again when their time is up.
            self._no_more(len(taken))
            raise
        self._begin(taken, webhooks, token, now)
        return len(taken)

    async def settled(self) -> None:
        """Return when nothing is in hand and everything is marked."""
        while self._in_hand:
            if self._marks and not self._tries:
                await self._write_marks()
                continue
            self._changed.clear()
            await self._changed.wait()

    async def _look_again(self) -> None:
        self._wake.clear()
        try:
            took = await self.look()
        except TemporaryError as error:
            log.warning("the sender waits", why=str(error))
            await asyncio.sleep(AWAY_SECONDS)
            return
        if took:
            await asyncio.sleep(BETWEEN_LOOKS_SECONDS)
        try:
            async with asyncio.timeout(self._poll_seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    def _rooms(self, waiting: Sequence[str]) -> Mapping[str, int]:
        """How many to take of each subscription; the ones that have waited longest come first."""
        free = self._most - self._in_hand
        rooms: dict[str, int] = {}
        for webhook_id in waiting:
            receiver = self._receivers.get(webhook_id)
            room = min(free, (Receiver[_InHand]() if receiver is None else receiver).room)
            if room:
                rooms[webhook_id] = room
                free -= room
        return rooms

    async def _webhooks_of(self, taken: Iterable[Delivery]) -> Mapping[str, Webhook]:
        """The subscriptions of these deliveries; what waits for one that was deleted is forgotten."""
        wanted = {one.webhook_id for one in taken}
        found = await webhooks_by_id(self._engine.store, wanted)
        for deleted in wanted - found.keys():
            await drop_waiting(self._engine.store, deleted)
        return found

    def _begin(self, taken: Iterable[Delivery], webhooks: Mapping[str, Webhook], token: str, now: datetime) -> None:
        for delivery in taken:
            webhook = webhooks.get(delivery.webhook_id)
            if webhook is None:
                self._no_more(1)
            elif not webhook.active:
                self._note(delivery, token, _OFF)
            else:
                self._receivers[webhook.id].waiting.append(_InHand(webhook, delivery, token, now))
        for webhook_id in webhooks:
            self._start(webhook_id)

    def _start(self, webhook_id: str) -> None:
        receiver = self._receivers[webhook_id]
        for one in receiver.next_ones():
            task = asyncio.create_task(self._try(receiver, one))
            self._tries.add(task)
            task.add_done_callback(self._tried)
        if receiver.idle and receiver.at_once == Receiver[_InHand]().at_once:
            # Nothing is known of it that is worth the memory.
            self._receivers.pop(webhook_id, None)

    def _tried(self, task: asyncio.Task[None]) -> None:
        self._tries.discard(task)
        self._changed.set()

    async def _try(self, receiver: Receiver[_InHand], one: _InHand) -> None:
        answer: Answer | None = None
        try:
            async with self._connections:
                now = self._clock()
                if not self._ending and now - one.since < LAST_START:
                    answer = await deliver(self._engine, self._post, one.webhook, one.delivery, now)
        except TemporaryError as error:
            log.warning("a delivery waits", why=str(error))
        finally:
            receiver.ended(answer)
        if answer is None:
            await self._give_back([one])
        else:
            self._note(one.delivery, one.token, answer)
            if answer.gone:
                await self._switch_off(one.webhook)
                while receiver.waiting:
                    other = receiver.waiting.popleft()
                    self._note(other.delivery, other.token, _OFF)
        self._start(one.webhook.id)

    def _note(self, delivery: Delivery, token: str, answer: Answer) -> None:
        """Have the answer written soon."""
        now = self._clock()
        after = after_try(delivery.tries + 1, answer, now)
        metrics.WEBHOOK_TRIES.labels(result=answer.error or DeliveryState.DELIVERED).inc()
        if answer.delivered:
            metrics.WEBHOOK_DELAY_SECONDS.observe(max(0.0, (now - delivery.at).total_seconds()))
        if after.state is DeliveryState.DEAD:
            metrics.WEBHOOK_DEAD_LETTERS.inc()
        self._marks.append(Mark(delivery, token, answer, after, now))
        self._marking.set()
        self._changed.set()

    async def _switch_off(self, webhook: Webhook) -> None:
        try:
            if await switch_off(self._engine.store, webhook.organization_id, webhook.id, self._clock()):
                log.warning("a webhook is switched off: its receiver is gone", webhook_id=webhook.id)
        except TemporaryError as error:
            # The next delivery meets the same answer.
            log.warning("a webhook is not switched off yet", webhook_id=webhook.id, why=str(error))

    async def _give_back(self, these: Sequence[_InHand]) -> None:
        by_token: defaultdict[str, list[Delivery]] = defaultdict(list)
        for one in these:
            by_token[one.token].append(one.delivery)
        try:
            for token, deliveries in by_token.items():
                await give_back(self._engine.store, deliveries, token, self._clock())
        except TemporaryError as error:
            # They are due again when their time is up.
            log.warning("deliveries are not given back", why=str(error))
        self._no_more(len(these))

    async def _mark_all(self) -> None:
        while True:
            await self._marking.wait()
            self._marking.clear()
            try:
                await self._write_marks()
            except TemporaryError as error:
                log.warning("answers of receivers wait to be written", why=str(error))
                await asyncio.sleep(AWAY_SECONDS)
                self._marking.set()

    async def _write_marks(self) -> None:
        async with self._one_writer:
            while marks := self._marks[:MARKS_AT_ONCE]:
                await mark(self._engine.store, marks)
                del self._marks[: len(marks)]
                self._no_more(len(marks))

    def _no_more(self, count: int) -> None:
        """So many deliveries are no more in hand."""
        self._in_hand -= count
        metrics.WEBHOOKS_IN_HAND.set(self._in_hand)
        self._changed.set()
        self._wake.set()

    async def _leave(self) -> None:
        """Give back what waits here, and wait for what is under way."""
        waiting = [one for receiver in self._receivers.values() for one in receiver.waiting]
        for receiver in self._receivers.values():
            receiver.waiting.clear()
        if waiting:
            await self._give_back(waiting)
        await asyncio.gather(*self._tries)
        try:
            await self.settled()
        except TemporaryError as error:
            log.warning("answers of receivers are lost: what they accepted comes again", why=str(error))
