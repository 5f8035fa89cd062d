"""The shard's part of the global limit: asked for when needed, given back when not.

Which part is fair is the planner's rule; here is only the driver. A take or a give-back is one small
transaction, so the grants and the free rest always add up to the limit (I7).
"""

import math
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
# A shard that has nothing to give and waits for others' calls to end looks less and less often, down to this.
WAIT_SECONDS = 0.25
# Claimed contacts wait in Kafka; more than this many seconds of dialing would expire there.
QUEUE_SECONDS = 10.0


class Grants:
    """One shard's view of the global limit under one ownership."""

    def __init__(self, store: Store, owner: Ownership, fleet: Fleet) -> None:
        self._store, self._owner, self._fleet = store, owner, fleet
        self._published: dict[str, dict[str, float]] | None = None
        self._asked_at = self._looked_at = 0.0
        self._patience = ASK_SECONDS
        self._waits = False
        # Not after a server was away in the middle of a move: what is granted must be read again then.
        self._sure = False
        self._limit = 0
        self._target = 0
        self.grant = 0

    @property
    def again_in(self) -> float:
        """Seconds until a shard that waits for a larger part wants to look again; infinite when it waits for none.

        Nobody tells it: the calls that must end for it are in other shards, perhaps of other processes.
        """
        return max(0.0, self._looked_at + self._patience - monotonic()) if self._waits else math.inf

    def lockable(self, locked: int) -> int:
        """How many more contacts may be locked, so that none expires in the queue of the executors."""
        part = self.grant / self._limit if self._limit > 0 else 1.0
        return max(0, int(QUEUE_SECONDS * self._fleet.calls_per_second * part) + 1 - locked)

    async def adjust(self, demands: Sequence[OrganizationDemand], held: int, *, short: bool, ended: bool) -> int:
        """Move the grant towards this shard's fair share of the limit; returns how many slots may be held now.

        That is less than the grant while others wait for their share: what is held cannot be given back, so
        calls that end must not be followed by new ones until the grant has come down.

        `short`: what may be held does not cover what the shard could claim now, so ask soon; otherwise once a
        second. `ended`: some of what is held is about to be free. Loses nothing when it fails: the next round
        starts from what MongoDB says.
        """
        want = {d.organization_id: _want(d) for d in demands}
        settled = self._sure and want == self._published and self.grant == held
        if settled and (not want or (short and not ended)):
            ask = bool(want) and await self._sees_free_slots()
        else:
            ask = self._asked_at + (ASK_SECONDS if short else SETTLE_SECONDS) <= monotonic()
        if ask:
            await self._ask(want, held)
        self._waits = short and self.usable <= held
        return self.usable

    async def _sees_free_slots(self) -> bool:
        """Whether some of the limit is granted to nobody: a small question, while there is nothing to say or to give.

        Asked less and less often; when it is not time yet, the answer is no.
        """
        if monotonic() < self._looked_at + self._patience:
            return False
        self._looked_at, self._patience = monotonic(), min(2 * self._patience, WAIT_SECONDS)
        self._limit, free = await shards.read_global(self._store)
        return free > 0

    async def _ask(self, want: dict[str, dict[str, float]], held: int) -> None:
        """Say what is wanted, read what everybody wants, and move the grant accordingly."""
        self._asked_at = self._looked_at = monotonic()
        shard, epoch = self._owner.shard, self._owner.epoch
        before, said, self._sure = self.grant, self._published, False
        if want != self._published and await shards.publish_want(self._store, shard, epoch, want):
            self._published = want
        states = await shards.read_shards(self._store)
        self._limit, free = await shards.read_global(self._store)
        mine = next(state for state in states if state.shard == shard)
        self._target = target_grant(shard, [_read_want(state) for state in states], self._limit)
        delta = grant_move(mine.grant, mine.held, max(self._target, held), free)
        moved = await shards.move_grant(self._store, shard, epoch, delta)
        self.grant = mine.grant + (delta if moved else 0)
        self._sure = True
        if self.grant != before or want != said:
            self._patience = ASK_SECONDS

    @property
    def usable(self) -> int:
        """How many slots may be held, as far as is known: not all that is granted while others wait for their share."""
        return min(self.grant, self._target)


def _want(demand: OrganizationDemand) -> dict[str, float]:
    room = demand.room + demand.held
    return {"limit": demand.limit, "room": room, "served": demand.last_served, "held": demand.held}


def _read_want(state: ShardState) -> ShardWant:
    claimants = [
        Claimant(
            organization_id, int(want["limit"]), int(want["room"]), float(want["served"]), int(want.get("held", 0))
        )
        for organization_id, want in state.want.items()
    ]
    return ShardWant(state.shard, state.held, claimants)
