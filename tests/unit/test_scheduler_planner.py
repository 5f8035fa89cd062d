"""The scheduler's plan, round after round, without servers and without a clock."""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from services.scheduler.planner import CampaignQueue, OrganizationDemand, ShardWant, plan, target_grant
from shared.domain.budget import Claimant
from shared.domain.contact import Waiting

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass(slots=True)
class Shard:
    """One shard that has all slots; its organizations have always more contacts than slots. Calls end in order."""

    slots: int
    limits: dict[str, int]
    served: Counter[str] = field(default_factory=Counter)
    calls: deque[str] = field(default_factory=deque)
    rounds: int = 0

    def claim(self) -> list[str]:
        """One round of the scheduler; who was served, for each slot."""
        self.rounds += 1
        held = Counter(self.calls)
        waiting = [Waiting(0, NOON, n, str(n)) for n in range(self.slots)]
        demands = [
            OrganizationDemand(name, limit, held[name], self.served[name], [CampaignQueue("c", 1, waiting)])
            for name, limit in self.limits.items()
        ]
        shares = plan(demands, grant=self.slots, held=len(self.calls), at_most=500).shares
        self.served |= dict.fromkeys(shares, self.rounds)
        taken = [name for name, share in shares.items() for _ in range(share)]
        self.calls.extend(taken)
        return taken

    def end_one(self) -> None:
        """The oldest call ends."""
        self.calls.popleft()


@pytest.mark.parametrize("slots", [40, 200])
def test_the_first_calls_to_end_make_room_for_each_small_one_beside_a_huge_one(slots: int) -> None:
    shard = Shard(slots, {"huge": 10_000})
    shard.claim()
    small = [f"small-{n}" for n in range(20)]
    shard.limits |= dict.fromkeys(small, 10)
    served: list[str] = []
    for _ in small:
        shard.end_one()
        served += shard.claim()
    assert sorted(served) == sorted(small)


def test_hundreds_of_small_ones_leave_a_huge_one_half_of_the_slots_and_are_all_served() -> None:
    shard = Shard(50, {"huge": 10_000})
    shard.claim()
    small = [f"small-{n}" for n in range(200)]
    shard.limits |= dict.fromkeys(small, 10)
    least, served = shard.slots, set[str]()
    for _ in range(20 * shard.slots):
        shard.end_one()
        served.update(shard.claim())
        least = min(least, Counter(shard.calls)["huge"])
    assert served == {"huge", *small}
    # The slot that has just been freed may still go to either side.
    assert least >= shard.slots // 2 - 1


def test_the_shards_parts_are_the_limit_and_leave_nobody_out() -> None:
    huge = ShardWant(0, 40, [Claimant("huge", 10_000, 10_000, 9.0, held=40), Claimant("small-0", 10, 10, 0.0)])
    wants = [huge, *(ShardWant(n, 0, [Claimant(f"small-{n}", 10, 10, 0.0)]) for n in range(1, 16))]
    parts = [target_grant(want.shard, wants, 40) for want in wants]
    assert parts == [25, *([1] * 15)]
    assert sum(parts) == 40
