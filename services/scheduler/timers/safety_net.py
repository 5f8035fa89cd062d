"""The safety net: once a second, what must also work when no message has told of it, for all shards at once.

One question, however many organizations, campaigns and shards there are, and now and then the server's time.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
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
from shared.store.dialing.executors import Heartbeat
from shared.store.dialing.safety_look import Found, Work
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
        if not self._producer.connected:
            await self._producer.ping()
        loops = dict(self._loops)
        metrics.SHARDS_OWNED.set(len(loops))
        metrics.HELD.set(sum(loop.held for loop in loops.values()))
        metrics.DUE.set(sum(loop.due for loop in loops.values()))
        if not loops:
            await self._heed(await executors.read_heartbeats(self._store))
            return
        await self._server_clock.keep()
        now = self._server_clock.now()
        since = min(self._looked_at.get(shard, now) for shard in loops)
        found = await safety_look.look(self._store, list(loops), utc_now(), since)
        self._limit = found.global_limit
        await self._heed(found.heartbeats)
        self._remind(loops, found)
        self._looked_at = dict.fromkeys(loops, found.asked_at or now)

    async def _heed(self, heartbeats: Sequence[Heartbeat]) -> None:
        """Judge the executors, and keep the limit at what the operator allows and the living can answer for."""
        self._fleet.observe(heartbeats)
        limit = min(self._configured_limit, self._fleet.capacity)
        if limit != self._limit:
            await shards.set_global_limit(self._store, limit)

    def _remind(self, loops: Mapping[int, ShardLoop], found: Found) -> None:
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
