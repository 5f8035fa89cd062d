"""Once a second: how many slots wait for evidence (see suspects.py), as a metric and a log line.

Apart from the search for evidence, which lasts as long as the carrier takes: the number must be true just then.
"""

from collections.abc import Mapping
from datetime import datetime

from services.scheduler.evidence.suspects import Announcements, Suspects, SuspectSlots, facts
from services.scheduler.fleet import Fleet
from services.scheduler.shards.loop import ShardLoop
from shared import metrics
from shared.clock import utc_now
from shared.logs import get_logger
from shared.store.client import Store
from shared.store.dialing import in_progress, shard_catalog

# Waiting calls of which one round sees whether they still run; more are seen over several rounds.
ROUND = 1000

log = get_logger()


class SuspectSlotCount:
    """The count of slots that wait for evidence in these shards; the store is asked only while one does."""

    def __init__(self, store: Store, fleet: Fleet, suspects: Suspects, loops: Mapping[int, ShardLoop]) -> None:
        self._store, self._fleet, self._suspects, self._loops = store, fleet, suspects, loops
        self._announcements = Announcements()
        # As last counted; None: none waits.
        self.waiting: SuspectSlots | None = None
        self.ending = False

    async def look(self) -> None:
        """One round."""
        waiting, now = None, utc_now()
        if self._suspects:
            now = await shard_catalog.server_now(self._store)
            waiting = await self._count(now)
        self.waiting = waiting
        slots = waiting.slots if waiting else 0
        metrics.WAITING_FOR_EVIDENCE.set(slots)
        if self._announcements.is_due(slots, utc_now()):
            self._say(waiting, now)

    async def _count(self, now: datetime) -> SuspectSlots | None:
        """The slots that wait, without those whose calls' endings have been reported meanwhile."""
        self._suspects.tidy(self._loops, now)
        dead = set(self._fleet.dead)
        some = self._suspects.next_to_look_at(ROUND, now, dead)
        if some:
            running = await in_progress.still_running(self._store, [attempt.contact_id for attempt in some])
            self._suspects.forget(attempt.attempt_id for attempt in some if attempt.attempt_id not in running)
        return self._suspects.suspect_slots(now, dead)

    def _say(self, waiting: SuspectSlots | None, now: datetime) -> None:
        held = sum(loop.held for loop in self._loops.values())
        if waiting is None:
            log.info("no slot waits for evidence any more", held=held)
        else:
            log.warning("slots held, waiting for evidence", **facts(waiting, now), held=held)
