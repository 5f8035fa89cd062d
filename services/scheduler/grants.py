"""The shard's part of the global limit: asked for when needed, given back when not.

Which part is fair is the planner's rule; here is only the driver. A take or a give-back is one small
transaction, so the grants and the free rest always add up to the limit (I7).
"""

import asyncio
import math
from collections.abc import Mapping, Sequence

from services.scheduler.fleet import Fleet
from services.scheduler.planner import OrganizationDemand, ShardWant, entitled_slots
from shared.clock import monotonic
from shared.domain.budget import Claimant, grant_move
from shared.store import shards
from shared.store.client import Store
from shared.store.shard_transaction import Ownership
from shared.store.shards import ShardState

# How often a shard looks for a larger or smaller part at most; where there is enough for all, once a second.
ASK_SECONDS = 0.05
SETTLE_SECONDS = 1.0
# A shard that has nothing to give and waits for others' calls to end looks less and less often, down to this.
WAIT_SECONDS = 0.25
# Claimed contacts wait in Kafka; more than this many seconds of dialing would expire there.
QUEUE_SECONDS = 10.0

Want = dict[str, dict[str, float]]


class Grants:
    """One shard's view of the global limit under one ownership.

    `grant` is the shard's part of it. `entitled` says how many slots each of its organizations may hold: one
    that holds more must wait until its calls end, and what it frees then is for others, here or elsewhere.
    """

    def __init__(self, store: Store, owner: Ownership, fleet: Fleet, moving: asyncio.Lock) -> None:
        """`moving` lets one shard of this process at a time move its grant: side by side they collide on the
        global limit, and those who lose wait longer and longer before they try again.
        """
        self._store, self._owner, self._fleet, self._moving = store, owner, fleet, moving
        self._published: tuple[Want, int] | None = None
        self._asked_at = self._looked_at = 0.0
        self._patience = ASK_SECONDS
        self._waits = False
        # Not after a server was away in the middle of a move: what is granted must be read again then.
        self._sure = False
        self._limit = self._free = 0
        self.grant = 0
        self.entitled: Mapping[str, int] = {}

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

    async def adjust(self, demands: Sequence[OrganizationDemand], held: int, remaining: int) -> None:
        """Move the grant towards this shard's fair share of the limit, and see what everybody is entitled to.

        `held` slots are held, `remaining` of them when the calls have ended whose endings are in hand; the
        demands count those as free. Loses nothing when it fails: the next round starts from what MongoDB says.
        """
        want = {d.organization_id: _want(d) for d in demands}
        resting = max(0, remaining - sum(demand.held for demand in demands))
        short = self._takeable(demands, remaining) < sum(demand.room for demand in demands)
        settled = self._sure and (want, resting) == self._published and self.grant == held
        if settled and (not want or (short and remaining == held)):
            ask = bool(want) and await self._sees_free_slots()
        else:
            pause = ASK_SECONDS if short or self._free <= 0 else SETTLE_SECONDS
            ask = self._asked_at + pause <= monotonic()
        if ask:
            await self._ask(want, resting, held)
        takeable = self._takeable(demands, remaining)
        self._waits = takeable == 0 and any(demand.room for demand in demands)

    def _takeable(self, demands: Sequence[OrganizationDemand], remaining: int) -> int:
        return max(0, min(self.grant - remaining, sum(demand.takeable(self.entitled) for demand in demands)))

    async def _sees_free_slots(self) -> bool:
        """Whether some of the limit is granted to nobody: a small question, while there is nothing to say or to give.

        Asked less and less often; when it is not time yet, the answer is no.
        """
        if monotonic() < self._looked_at + self._patience:
            return False
        self._looked_at, self._patience = monotonic(), min(2 * self._patience, WAIT_SECONDS)
        self._limit, self._free = await shards.read_global(self._store)
        return self._free > 0

    async def _ask(self, want: Want, resting: int, held: int) -> None:
        """Say what is wanted, read what everybody wants, and move the grant accordingly."""
        self._asked_at = self._looked_at = monotonic()
        shard, epoch = self._owner.shard, self._owner.epoch
        before, said, self._sure = self.grant, self._published, False
        if (want, resting) != said and await shards.publish_want(self._store, shard, epoch, want, resting):
            self._published = (want, resting)
        states = await shards.read_shards(self._store)
        self._limit, self._free = await shards.read_global(self._store)
        entitled = entitled_slots([_read_want(state) for state in states], self._limit)
        self.entitled = {organization_id: entitled.get(organization_id, 0) for organization_id in want}
        # Slots above somebody's share stay here until its calls end, beside what the others here are entitled to.
        target = resting + sum(max(int(its["held"]), self.entitled[name]) for name, its in want.items())
        mine = next(state for state in states if state.shard == shard)
        delta = grant_move(mine.grant, mine.held, max(target, held), self._free)
        self.grant = mine.grant + (await self._move(delta) if delta else 0)
        self._sure = True
        if self.grant != before or (want, resting) != said:
            self._patience = ASK_SECONDS

    async def _move(self, delta: int) -> int:
        """Change the grant by this much or not at all; by how much it was changed."""
        async with self._moving:
            moved = await shards.move_grant(self._store, self._owner.shard, self._owner.epoch, delta)
        return delta if moved else 0


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
    return ShardWant(state.resting, claimants)
