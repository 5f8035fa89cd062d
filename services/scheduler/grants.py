"""The shard's part of the global limit: asked for when needed, given back when not.

Which part is fair is the planner's rule; here is only the driver. A take or a give-back is one small
transaction, so the grants and the free rest always add up to the limit (I7).
"""

from collections.abc import Sequence

from services.scheduler.fleet import Fleet
from services.scheduler.planner import OrganizationDemand, ShardWant, target_grant
from shared.clock import monotonic
from shared.domain.budget import Claimant, grant_move
from shared.store import shards
from shared.store.client import Store
from shared.store.shard_transaction import Ownership
from shared.store.shards import ShardState

# How often a shard looks for a larger or smaller part at most; demand moves within a second.
ASK_SECONDS = 0.05
SETTLE_SECONDS = 1.0
# Claimed contacts wait in Kafka; more than this many seconds of dialing would expire there.
QUEUE_SECONDS = 10.0


class Grants:
    """One shard's view of the global limit under one ownership."""

    def __init__(self, store: Store, owner: Ownership, fleet: Fleet) -> None:
        self._store, self._owner, self._fleet = store, owner, fleet
        self._published: dict[str, dict[str, float]] | None = None
        self._asked_at = 0.0
        self._limit = 0
        self._target = 0
        self.grant = 0

    def lockable(self, locked: int) -> int:
        """How many more contacts may be locked, so that none expires in the queue of the executors."""
        part = self.grant / self._limit if self._limit > 0 else 1.0
        return max(0, int(QUEUE_SECONDS * self._fleet.calls_per_second * part) + 1 - locked)

    async def adjust(self, demands: Sequence[OrganizationDemand], held: int, *, short: bool) -> int:
        """Move the grant towards this shard's fair share of the limit; returns how many slots may be held now.

        That is less than the grant while others wait for their share: what is held cannot be given back, so
        calls that end must not be followed by new ones until the grant has come down.

        `short`: the grant does not cover what the shard could claim now, so ask soon; otherwise once a
        second. Loses nothing when it fails: the next round starts from what MongoDB says.
        """
        idle = self._published == {} and not demands and self.grant == held
        pause = ASK_SECONDS if short else SETTLE_SECONDS
        if idle or monotonic() - self._asked_at < pause:
            return self._usable()
        self._asked_at = monotonic()
        shard, epoch = self._owner.shard, self._owner.epoch
        want = {d.organization_id: _want(d) for d in demands}
        if want != self._published and await shards.publish_want(self._store, shard, epoch, want):
            self._published = want
        states = await shards.read_shards(self._store)
        self._limit, free = await shards.read_global(self._store)
        mine = next(state for state in states if state.shard == shard)
        self._target = target_grant(shard, [_read_want(state) for state in states], self._limit)
        delta = grant_move(mine.grant, mine.held, max(self._target, held), free)
        moved = await shards.move_grant(self._store, shard, epoch, delta)
        self.grant = mine.grant + (delta if moved else 0)
        return self._usable()

    def _usable(self) -> int:
        return min(self.grant, self._target)


def _want(demand: OrganizationDemand) -> dict[str, float]:
    return {"limit": demand.limit, "room": demand.room + demand.held, "served": demand.last_served}


def _read_want(state: ShardState) -> ShardWant:
    claimants = [
        Claimant(organization_id, int(want["limit"]), int(want["room"]), float(want["served"]))
        for organization_id, want in state.want.items()
    ]
    return ShardWant(state.shard, state.held, claimants)
