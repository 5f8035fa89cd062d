"""The shard's part of the global limit: asked for when needed, given back when not.

Which part is fair is the planner's rule, and `GlobalLimit` moves it; here is when a shard asks, and what it can spare
of the slots that its own calls free.
"""

import math
from collections.abc import Mapping, Sequence

from services.scheduler.planner import OrganizationDemand
from services.scheduler.sharing.global_limit import GlobalLimit, Question
from shared.clock import monotonic
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shards import ShardDemand

# How often a shard asks for a larger or smaller part at most; where there is enough for all, once a second.
ASK_SECONDS = 0.05
SETTLE_SECONDS = 1.0
# What is free may be meant for somebody who is not there to take it. Whoever asked for it in vain asks again when more
# or less is free, or after this.
IN_VAIN_SECONDS = 0.25

Want = dict[str, dict[str, float]]


class Grants:
    """One shard's view of the global limit under one ownership.

    `grant` is the shard's part of it. `entitled` says how many slots each of its organizations may hold: one
    that holds more must wait until its calls end, and what it frees then is for others, here or elsewhere.
    `waits`: somebody here could use a slot and must wait until one is free.
    """

    def __init__(self, owner: Ownership, everybody: GlobalLimit) -> None:
        self._owner, self._everybody = owner, everybody
        self._published: tuple[Want, int] | None = None
        self._asked_at, self._again_at = 0.0, math.inf
        self._in_vain: int | None = None
        # Slots were given back since it was last said what is wanted: as long as that is not said, nobody takes them.
        self._unsaid = False
        # Not after a server was away in the middle of a move: what is granted must be read again then.
        self._sure = False
        self.waits = False
        self.grant = 0
        self.entitled: Mapping[str, int] = {}

    @property
    def again_in(self) -> float:
        """Seconds until a shard that may take nothing asks again, for it has something to say or to give back.

        Infinite when it has not: it is woken when slots are free (`GlobalLimit.wakes`).
        """
        return max(0.0, self._again_at - monotonic())

    @property
    def part(self) -> float:
        """The shard's part of all slots that are granted, and so of what the executors place: others dial nothing."""
        granted = self._everybody.limit - self._everybody.free
        return min(1.0, self.grant / granted) if granted > 0 else 1.0

    async def adjust(self, demands: Sequence[OrganizationDemand], held: int, remaining: int) -> None:
        """Move the grant towards this shard's fair share of the limit, and see what everybody is entitled to.

        `held` slots are held, `remaining` of them when the calls have ended whose endings are in hand; the
        demands count those as free. Loses nothing when it fails: the next round starts from what MongoDB says.
        """
        want = {d.organization_id: _want(d) for d in demands}
        resting = max(0, remaining - sum(demand.held for demand in demands))
        if monotonic() - self._asked_at >= self._pause(demands, want, resting, held, remaining):
            await self._ask(want, resting, held)
        takeable = self.takeable(demands, remaining)
        self.waits = takeable == 0 and any(demand.room for demand in demands)
        self._again_at = math.inf
        # Nothing is published of a shard that has a newer owner, however often it asks.
        if takeable == 0 and self._published is not None and not self._has_nothing_to_say(want, resting, held):
            # Not at once, even if it might: it has just asked then, and others were faster.
            pause = self._pause(demands, want, resting, held, remaining)
            self._again_at = self._asked_at + max(ASK_SECONDS, pause)

    def needed(self, demands: Sequence[OrganizationDemand], remaining: int) -> int | None:
        """Slots this shard could use once the calls in hand have ended, as `adjust` was told of them.

        None while nobody knows what is granted: nothing is to be given back then.
        """
        return remaining + sum(demand.takeable(self.entitled) for demand in demands) if self._sure else None

    def gave_back(self, slots: int) -> None:
        """Note that so many slots have left the grant, in the transaction that freed them."""
        self.grant -= slots
        self._unsaid = self._unsaid or slots > 0
        self._everybody.gave_back(slots)

    def doubt(self) -> None:
        """Have the grant asked for again before it is relied on: the last move may have been interrupted."""
        self._sure = False

    def _pause(
        self, demands: Sequence[OrganizationDemand], want: Want, resting: int, held: int, remaining: int
    ) -> float:
        """Seconds after which the shard asks again; infinite while only free slots could change its grant."""
        if not self._sure:
            return ASK_SECONDS
        takeable = self.takeable(demands, remaining)
        short = takeable < sum(demand.room for demand in demands)
        free = self._everybody.free > 0
        if self._has_nothing_to_say(want, resting, held) and (not want or (short and remaining == held)):
            if not want or not free:
                return math.inf
            for_others = not self._everybody.is_for(self._owner.shard)
            return IN_VAIN_SECONDS if for_others or self._in_vain == self._everybody.changes else 0.0
        if short and not takeable and self.grant > held:
            # There is something to give back, for which others wait.
            return 0.0
        return ASK_SECONDS if short or not free or self._unsaid else SETTLE_SECONDS

    def _has_nothing_to_say(self, want: Want, resting: int, held: int) -> bool:
        """Whether the shard has neither a new demand to publish nor slots to give back."""
        return self._sure and (want, resting) == self._published and self.grant == held

    def takeable(self, demands: Sequence[OrganizationDemand], remaining: int) -> int:
        """Slots that this shard's organizations may take now, as `adjust` was told of them."""
        return max(0, min(self.grant - remaining, sum(demand.takeable(self.entitled) for demand in demands)))

    async def _ask(self, want: Want, resting: int, held: int) -> None:
        self._asked_at = monotonic()
        before, known = self.grant, (want, resting) == self._published
        # Until the answer is here nobody knows what of this has been stored.
        self._published, self._sure, self._unsaid = None, False, False
        demand = ShardDemand(self._owner, want, resting)
        answer = await self._everybody.ask(Question(demand, known, held))
        self._published = (want, resting) if answer.published else None
        self.grant, self.entitled = answer.grant, answer.entitled
        self._sure = True
        self._in_vain = self._everybody.changes if self.grant <= before else None


def _want(demand: OrganizationDemand) -> dict[str, float]:
    room = demand.room + demand.held
    return {"limit": demand.limit, "room": room, "served": demand.last_served, "held": demand.held}
