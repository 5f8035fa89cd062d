"""The safety net: once a second, what must also work when no message has told of it, for all shards at once.

Three questions, however many organizations, campaigns and shards there are.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from services.scheduler.fleet import Fleet
from services.scheduler.shards.inbox import Chore
from services.scheduler.shards.loop import ShardLoop
from shared import metrics
from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.store.client import Store
from shared.store.dialing import executors, safety_look, shards
from shared.store.dialing.safety_look import Work
from shared.store.dialing.server_clock import ServerClock

CHORES: Final = {
    Work.EXPIRED: Chore.EXPIRED,
    Work.RESULTS: Chore.RESULTS,
    Work.DELETIONS: Chore.DELETED,
    Work.EXPIRIES: Chore.OVER,
    Work.ASKS: Chore.ASKED,
    Work.FACTS: Chore.FACTS,
}


class SafetyNet:
    """The looks into the store for the shards of these loops: chores, changes, expired claims."""

    def __init__(
        self,
        store: Store,
        producer: Producer,
        fleet: Fleet,
        loops: Mapping[int, ShardLoop],
        server_clock: ServerClock,
        *,
        configured_limit: int,
    ) -> None:
        self._store, self._producer, self._fleet = store, producer, fleet
        self._loops, self._server_clock = loops, server_clock
        self._configured_limit = configured_limit
        self._looked_at: dict[int, datetime] = {}
        self._limit: int | None = None
        self.ending = False

    async def look(self) -> None:
        """One round."""
        self._fleet.observe(await executors.read_heartbeats(self._store))
        # The smaller of what the operator allows and what the living executors can answer for.
        limit = min(self._configured_limit, self._fleet.capacity)
        if limit != self._limit:
            await shards.set_global_limit(self._store, limit)
        if not self._producer.connected:
            await self._producer.ping()
        loops = dict(self._loops)
        metrics.SHARDS_OWNED.set(len(loops))
        metrics.HELD.set(sum(loop.held for loop in loops.values()))
        metrics.DUE.set(sum(loop.due for loop in loops.values()))
        if not loops:
            return
        now = await self._server_clock.look()
        since = min(self._looked_at.get(shard, now) for shard in loops)
        await self._remind(loops, since)
        self._looked_at = dict.fromkeys(loops, now)

    async def _remind(self, loops: Mapping[int, ShardLoop], since: datetime) -> None:
        found = await safety_look.look(self._store, list(loops), utc_now(), since)
        self._limit = found.global_limit
        chores: dict[int, set[Chore]] = defaultdict(set)
        for work, chore in CHORES.items():
            for shard in found.work.get(work, ()):
                chores[shard].add(chore)
        for shard in found.work.get(Work.UNTOLD, ()):
            loops[shard].relay()
        for shard, loop in loops.items():
            if loop.limits_runs:
                chores[shard].add(Chore.FULL)
            organizations = [o for o, its_shard in found.organizations.items() if its_shard == shard]
            campaigns = [c for c, its_shard in found.campaigns.items() if its_shard == shard]
            if chores[shard] or organizations or campaigns:
                loop.remind(chores[shard], organizations, campaigns)
