"""Once a second: which running calls the carrier is to be asked about; the endings found go to the shards' loops.

Apart from the safety net, because nothing else may wait for a carrier that does not answer. How many slots wait for
what is looked for here is counted in services/scheduler/evidence/suspect_slots.py.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from services.scheduler.evidence.reconcile import Reconciler, ages_to_ask_at, spans_to_ask
from services.scheduler.evidence.suspects import Suspects
from services.scheduler.fleet import Fleet
from services.scheduler.shards.loop import ShardLoop
from shared.events import CallFinished
from shared.logs import get_logger
from shared.settings import DialingSettings
from shared.store.client import Store
from shared.store.dialing import in_progress, shard_catalog
from shared.store.dialing.in_progress import RunningAttempt
from shared.telephony.provider import CallMode

# Running attempts read in one round, for each way to become suspect; and of all suspects those asked about in one
# round: a mass failure is worked off over several.
READ = 10_000
ROUND = 500
# Calls of dead executors are asked for every so many rounds, not in each.
DEAD_ROUNDS = 10

log = get_logger()


class EvidenceSearch:
    """The search for endings that no report has brought, in the shards of these loops."""

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        reconciler: Reconciler,
        suspects: Suspects,
        loops: Mapping[int, ShardLoop],
        *,
        dialing: DialingSettings,
        reconcile_seconds: float,
    ) -> None:
        self._store, self._fleet, self._reconciler, self._loops = store, fleet, reconciler, loops
        self._suspects = suspects
        self._hold = timedelta(seconds=dialing.hold_seconds)
        self._shortest_hold = timedelta(seconds=dialing.call_limits.around_seconds)
        # A round takes a second or more; `ages` end where the usual call's hold does.
        self._long_rounds = max(1, round(reconcile_seconds))
        self._ages = list(ages_to_ask_at(dialing, reconcile_seconds))
        self._looked_at: dict[int, datetime] = {}
        self._rounds = 0
        self.ending = False

    async def look(self) -> None:
        """One round of questions; lasts as long as the carrier takes for its answers."""
        mine = list(self._loops)
        if not mine:
            return
        if self._rounds % DEAD_ROUNDS and not self._suspects and not any(loop.held for loop in self._loops.values()):
            # Nobody is called, as far as the loops know. What they do not is found a few rounds later.
            self._rounds += 1
            return
        now = await shard_catalog.server_now(self._store)
        self._suspects.add([attempt for attempt in await self._found(mine, now) if self._is_suspect(attempt, now)], now)
        self._looked_at = dict.fromkeys(mine, now)
        self._rounds += 1
        asked = await self._still_running(self._suspects.next_to_ask(ROUND))
        if asked:
            self._hand_over(await self._reconciler.find_endings(asked, now), len(asked))

    async def _still_running(self, attempts: list[RunningAttempt]) -> list[RunningAttempt]:
        """The attempts among these that have not ended while they waited for their question."""
        if not attempts:
            return []
        running = await in_progress.still_running(self._store, [attempt.contact_id for attempt in attempts])
        self._suspects.forget(attempt.attempt_id for attempt in attempts if attempt.attempt_id not in running)
        return [attempt for attempt in attempts if attempt.attempt_id in running]

    def _is_suspect(self, attempt: RunningAttempt, now: datetime) -> bool:
        """Whether the carrier is to be asked about an attempt.

        Not while a living executor holds the call itself: the ending will be reported.
        """
        held_by_living = attempt.mode == CallMode.IN_PROCESS and not self._fleet.is_dead(attempt.executor)
        return now > attempt.hold_until or not held_by_living

    def _hand_over(self, endings: list[CallFinished], asked: int) -> None:
        log.info("reconciled", asked=asked, ended=len(endings))
        by_shard: dict[int, list[CallFinished]] = defaultdict(list)
        for ending in endings:
            by_shard[ending.shard].append(ending)
        for shard, found in by_shard.items():
            if shard in self._loops:
                self._loops[shard].put(found)

    async def _found(self, mine: list[int], now: datetime) -> list[RunningAttempt]:
        found = await in_progress.past_hold(self._store, mine, now, self._hold, READ)
        if self._rounds % DEAD_ROUNDS == 0:
            # Limits of their own have some calls over sooner; found a little later than they could be.
            found += await in_progress.past_hold(self._store, mine, now, self._shortest_hold, READ)
            found += await in_progress.started_by_executors(self._store, mine, self._fleet.dead, READ)
        if self._rounds % self._long_rounds == 0:
            found += await in_progress.running_for_longer(self._store, mine, now, self._hold, READ)
        known = [shard for shard in mine if shard in self._looked_at]
        # Shards that have just come to us: everything their former owner may have missed.
        new = [shard for shard in mine if shard not in self._looked_at]
        found += await self._come_of_age(new, now - self._hold, now)
        if known:
            found += await self._come_of_age(known, min(self._looked_at[shard] for shard in known), now)
        return found

    async def _come_of_age(self, some: list[int], since: datetime, now: datetime) -> list[RunningAttempt]:
        if not some:
            return []
        return await in_progress.started_between(self._store, some, spans_to_ask(self._ages, since, now), READ)
