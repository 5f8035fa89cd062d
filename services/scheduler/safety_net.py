"""Once a second: everything that must also work when no message has told of it, for all shards at once.

A handful of indexed questions, however many organizations, campaigns and shards there are.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from services.scheduler.fleet import Fleet
from services.scheduler.inbox import Chore
from services.scheduler.reconcile import Reconciler, ages_to_ask_at, spans_to_ask
from services.scheduler.shard_loop import ShardLoop
from shared import metrics
from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.errors import TemporaryError
from shared.events import CallFinished
from shared.logs import get_logger
from shared.settings import DialingSettings
from shared.store import dialing_catalog, executors, in_progress, shards
from shared.store.client import Store
from shared.store.in_progress import RunningAttempt

PERIOD_SECONDS = 1.0
# Running attempts looked at in one round; a mass failure is worked off over several.
ROUND = 500
# Calls of dead executors are asked for every so many rounds, not in each.
DEAD_ROUNDS = 10

log = get_logger()


class SafetyNet:
    """Watches the store for the shards whose loops it is given."""

    def __init__(
        self,
        store: Store,
        producer: Producer,
        fleet: Fleet,
        reconciler: Reconciler,
        loops: Mapping[int, ShardLoop],
        *,
        dialing: DialingSettings,
        reconcile_seconds: float,
        configured_limit: int,
    ) -> None:
        self._store, self._producer, self._fleet = store, producer, fleet
        self._reconciler, self._loops = reconciler, loops
        self._hold = timedelta(seconds=dialing.hold_seconds)
        self._ages = list(ages_to_ask_at(dialing, reconcile_seconds))
        self._configured_limit = configured_limit
        self._looked_at: dict[int, datetime] = {}
        self._rounds = 0
        self.ending = False

    async def run(self) -> None:
        """Look once a second until cancelled; a server that is away is waited for."""
        while not self.ending:
            try:
                await self.look()
            except TemporaryError as error:
                log.warning("safety net waits", why=str(error))
            await asyncio.sleep(PERIOD_SECONDS)

    async def look(self) -> None:
        """One round."""
        self._fleet.observe(await executors.read_heartbeats(self._store))
        # The smaller of what the operator allows and what the living executors can answer for.
        await shards.set_global_limit(self._store, min(self._configured_limit, self._fleet.capacity))
        if not self._producer.connected:
            await self._producer.ping()
        loops = dict(self._loops)
        metrics.SHARDS_OWNED.set(len(loops))
        metrics.HELD.set(sum(loop.held for loop in loops.values()))
        if not loops:
            return
        now = await dialing_catalog.server_now(self._store)
        since = min(self._looked_at.get(shard, now) for shard in loops)
        await self._remind(loops, since)
        await self._reconcile(loops, now)
        self._looked_at = dict.fromkeys(loops, now)
        self._rounds += 1

    async def _remind(self, loops: Mapping[int, ShardLoop], since: datetime) -> None:
        mine = list(loops)
        chores: dict[int, set[Chore]] = defaultdict(set)
        for shard in await in_progress.shards_with_expired_claims(self._store, mine, utc_now()):
            chores[shard].add(Chore.EXPIRED)
        for shard in await in_progress.shards_with_results(self._store, mine):
            chores[shard].add(Chore.RESULTS)
        for shard in await in_progress.shards_with_deletions(self._store, mine):
            chores[shard].add(Chore.DELETED)
        locked = await in_progress.count_locked(self._store, mine)
        changes = await dialing_catalog.read_changes(self._store, mine, since)
        for shard, loop in loops.items():
            loop.count_locked(locked.get(shard, 0))
            organizations = [o for o, its_shard in changes.organizations.items() if its_shard == shard]
            campaigns = [c for c, its_shard in changes.campaigns.items() if its_shard == shard]
            if chores[shard] or organizations or campaigns:
                loop.remind(chores[shard], organizations, campaigns)

    async def _reconcile(self, loops: Mapping[int, ShardLoop], now: datetime) -> None:
        suspects = {attempt.attempt_id: attempt for attempt in await self._suspects(list(loops), now)}
        metrics.WAITING_FOR_EVIDENCE.set(len(suspects))
        if not suspects:
            return
        endings = await self._reconciler.find_endings(list(suspects.values()), now)
        log.info("reconciled", asked=len(suspects), ended=len(endings))
        by_shard: dict[int, list[CallFinished]] = defaultdict(list)
        for ending in endings:
            by_shard[ending.shard].append(ending)
        for shard, found in by_shard.items():
            if shard in self._loops:
                self._loops[shard].put(found)

    async def _suspects(self, mine: list[int], now: datetime) -> list[RunningAttempt]:
        found = await in_progress.past_hold(self._store, mine, now, self._hold, ROUND)
        if self._rounds % DEAD_ROUNDS == 0:
            found += await in_progress.started_by_executors(self._store, mine, self._fleet.dead, ROUND)
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
        return await in_progress.started_between(self._store, some, spans_to_ask(self._ages, since, now), ROUND)
