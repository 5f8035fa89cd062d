"""The scheduler's plan, round after round, without servers and without a clock."""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from services.scheduler.planner import CampaignQueue, OrganizationDemand, ShardWant, entitled_slots, plan
from shared.domain.campaign import NO_CAMPAIGN_PRIORITY
from shared.domain.contact import Tier, WaitingContact
from shared.domain.sharing import Claimant

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass(slots=True)
class Round:
    """Schedulers that share some slots and say what they want before each claim. Calls end in order.

    `shards` are the organizations' limits, shard by shard; all of them have always more contacts than slots,
    those apart who are `idle`: they hold what they hold.
    """

    slots: int
    shards: list[dict[str, int]]
    served: Counter[str] = field(default_factory=Counter)
    calls: deque[str] = field(default_factory=deque)
    idle: set[str] = field(default_factory=set)
    rounds: int = 0

    def claim(self) -> list[str]:
        """Every shard claims once; who was served, for each slot."""
        return [name for shard in self.shards for name in self._claim(shard)]

    def end_one(self) -> None:
        """The oldest call ends."""
        self.calls.popleft()

    def _claim(self, limits: dict[str, int]) -> list[str]:
        self.rounds += 1
        entitled = entitled_slots([self._want(shard) for shard in self.shards], self.slots)
        demands, holds = self._demands(limits), sum(Counter(self.calls)[name] for name in limits)
        grant = self.slots - len(self.calls) + holds
        shares = plan(demands, entitled, grant=grant, held=holds, at_most=500).shares
        self.served |= dict.fromkeys(shares, self.rounds)
        taken = [name for name, share in shares.items() for _ in range(share)]
        self.calls.extend(taken)
        return taken

    def _demands(self, limits: dict[str, int]) -> list[OrganizationDemand]:
        held, waiting = Counter(self.calls), [WaitingContact(0, NOON, n, str(n)) for n in range(self.slots)]
        queues = [CampaignQueue("c", 1, waiting)]
        return [
            OrganizationDemand(name, limit, held[name], self.served[name], queues)
            for name, limit in limits.items()
            if name not in self.idle
        ]

    def _want(self, limits: dict[str, int]) -> ShardWant:
        claimants = [
            Claimant(d.organization_id, d.limit, d.room + d.held, d.last_served, d.held) for d in self._demands(limits)
        ]
        return ShardWant(sum(name in limits and name in self.idle for name in self.calls), claimants)


def small_ones(how_many: int) -> list[str]:
    return [f"small-{n}" for n in range(how_many)]


@pytest.mark.parametrize("slots", [40, 200])
@pytest.mark.parametrize("shards", [1, 16])
def test_the_first_calls_to_end_make_room_for_each_small_one_beside_a_huge_one(slots: int, shards: int) -> None:
    round_ = Round(slots, [{"huge": 10_000}, *({} for _ in range(shards - 1))])
    round_.claim()
    small = small_ones(20)
    for n, name in enumerate(small):
        round_.shards[n % shards][name] = 10
    served: list[str] = []
    for _ in small:
        round_.end_one()
        served += round_.claim()
    assert sorted(served) == sorted(small)


@pytest.mark.parametrize("shards", [1, 16])
def test_shares_of_several_slots_are_full_after_as_many_ends(shards: int) -> None:
    round_ = Round(200, [{"large": 400}, *({} for _ in range(shards - 1))])
    round_.claim()
    small = small_ones(20)
    for n, name in enumerate(small):
        round_.shards[n % shards][name] = 10
    served: Counter[str] = Counter()
    # 200 x 10/600 = 3.3
    for _ in range(20 * 4):
        round_.end_one()
        served.update(round_.claim())
    assert all(served[name] in (3, 4) for name in small)


def test_hundreds_of_small_ones_leave_a_huge_one_half_of_the_slots_and_are_all_served() -> None:
    round_ = Round(50, [{"huge": 10_000}])
    round_.claim()
    small = small_ones(200)
    round_.shards[0] |= dict.fromkeys(small, 10)
    least, served = round_.slots, set[str]()
    for _ in range(20 * round_.slots):
        round_.end_one()
        served.update(round_.claim())
        least = min(least, Counter(round_.calls)["huge"])
    assert served == {"huge", *small}
    # The slot that has just been freed may still go to either side.
    assert least >= round_.slots // 2 - 1


@pytest.mark.parametrize("together", [True, False])
def test_last_calls_of_those_with_nobody_left_to_call_keep_nobody_else_waiting(together: bool) -> None:
    done, new = {"done": 10}, {"new": 10}
    round_ = Round(40, [done | new] if together else [done, new], idle={"new"})
    assert round_.claim() == ["done"] * 10
    round_.idle = {"done"}
    assert round_.claim() == ["new"] * 10


def test_slots_that_rest_are_not_shared_again() -> None:
    wants = [ShardWant(30, [Claimant("a", 100, 100, 0.0)]), ShardWant(0, [Claimant("b", 100, 100, 0.0)])]
    assert entitled_slots(wants, 40) == {"a": 5, "b": 5}


@pytest.mark.parametrize("share", [1, 2, 3, 4, 6])
def test_contacts_of_no_campaign_go_first_then_those_of_the_campaign_of_the_highest_priority(share: int) -> None:
    """Whatever their tiers and due times: the later a queue is here, the more is due in it, and for longer."""
    order = [("none", NO_CAMPAIGN_PRIORITY, Tier.RETRY), ("high", 7, Tier.RETRY), ("low", 1, Tier.FRESH)]
    queues = [
        CampaignQueue(
            name,
            priority,
            [WaitingContact(int(tier), NOON - timedelta(hours=place), n, f"{name}-{n}") for n in range(place + 1)],
        )
        for place, (name, priority, tier) in enumerate(order)
    ]
    for given in (queues, queues[::-1]):
        demand = OrganizationDemand("acme", 10, 0, 0.0, given)
        made = plan([demand], {"acme": share}, grant=10, held=0, at_most=500)
        assert made.contact_ids == ["none-0", "high-0", "high-1", "low-0", "low-1", "low-2"][:share]
