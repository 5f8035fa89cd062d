"""The safety net: once a second, what must also work when no message has told of it, for all shards at once.

A handful of indexed questions, however many organizations, campaigns and shards there are.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from services.scheduler.fleet import Fleet
from services.scheduler.shards.inbox import Chore
from services.scheduler.shards.loop import ShardLoop
from shared import metrics
from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.store.client import Store
from shared.store.contacts import wishes
from shared.store.dialing import deletions, executors, expiries, facts, in_progress, shard_catalog, shards
from shared.store.dialing.server_clock import ServerClock


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
        self.ending = False

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
        metrics.DUE.set(sum(loop.due for loop in loops.values()))
        if not loops:
            return
        now = await self._server_clock.look()
        since = min(self._looked_at.get(shard, now) for shard in loops)
        await self._remind(loops, since)
        self._looked_at = dict.fromkeys(loops, now)

    async def _remind(self, loops: Mapping[int, ShardLoop], since: datetime) -> None:
        mine = list(loops)
        chores: dict[int, set[Chore]] = defaultdict(set)
        for shard in await in_progress.shards_with_expired_claims(self._store, mine, utc_now()):
            chores[shard].add(Chore.EXPIRED)
        for shard in await in_progress.shards_with_results(self._store, mine):
            chores[shard].add(Chore.RESULTS)
        for shard in await deletions.shards_with_deletions(self._store, mine):
            chores[shard].add(Chore.DELETED)
        for shard in await expiries.shards_with_expiries(self._store, mine, utc_now()):
            chores[shard].add(Chore.OVER)
        for shard in await wishes.shards_with_asks(self._store, mine):
            chores[shard].add(Chore.ASKED)
        waiting, told = await facts.shards_with_facts(self._store, mine)
        for shard in waiting:
            chores[shard].add(Chore.FACTS)
        for shard in told:
            loops[shard].relay()
        for shard, loop in loops.items():
            if loop.limits_runs:
                chores[shard].add(Chore.FULL)
        changes = await shard_catalog.read_changes(self._store, mine, since)
        for shard, loop in loops.items():
            organizations = [o for o, its_shard in changes.organizations.items() if its_shard == shard]
            campaigns = [c for c, its_shard in changes.campaigns.items() if its_shard == shard]
            if chores[shard] or organizations or campaigns:
                loop.remind(chores[shard], organizations, campaigns)
