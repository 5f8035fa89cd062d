"""The pace of a shard's loop: what may be claimed, when each call is to be placed, and when to look again."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from services.scheduler.planner import CampaignQueue, OrganizationDemand, plan
from services.scheduler.shards.pace import Pace
from shared.domain.contact import WaitingContact
from shared.events import DialJob

BEGAN = datetime(2026, 6, 1, 12, tzinfo=UTC)
EXECUTORS = 1000.0


class Clock:
    """The database's clock."""

    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)


def queue(name: str, count: int, rate: float | None = None, priority: int = 1) -> CampaignQueue:
    waiting = [contact(f"{name}-{number}", number) for number in range(count)]
    return CampaignQueue(name, priority, waiting, rate)


def contact(contact_id: str, number: int) -> WaitingContact:
    fields: dict[str, Any] = {"due_at": BEGAN, "seq": number, "contact_id": contact_id}
    names = WaitingContact.__dataclass_fields__
    return WaitingContact(**{name: fields.get(name, 0) for name in names})


def demand(
    name: str, *queues: CampaignQueue, rate: float | None = None, numbers: dict[str, float] | None = None
) -> OrganizationDemand:
    return OrganizationDemand(name, 10_000, 0, 0.0, queues, rate, numbers or {})


def job(organization_id: str, campaign_id: str, number: int) -> DialJob:
    return DialJob(
        attempt_id=f"{organization_id}-{campaign_id}-{number}",
        claim_id="claim",
        organization_id=organization_id,
        shard=0,
        campaign_id=campaign_id,
        contact_id=f"{campaign_id}-{number}",
        not_after=BEGAN + timedelta(seconds=30),
    )


def counts(demands: list[OrganizationDemand]) -> list[dict[str, int]]:
    return [{queue.campaign_id: len(queue.waiting) for queue in each.queues} for each in demands]


def claim(pace: Pace, *demands: OrganizationDemand, executors: float = EXECUTORS) -> list[DialJob]:
    """Claim everything that is allowed; the jobs with their times."""
    jobs = [
        job(each.organization_id, queue.campaign_id, number)
        for each in pace.allowed(demands, executors)
        for queue in each.queues
        for number in range(len(queue.waiting))
    ]
    return pace.appointed(jobs, {})


def seconds(jobs: list[DialJob]) -> list[float | None]:
    return [None if job.place_at is None else (job.place_at - BEGAN).total_seconds() for job in jobs]


def test_who_has_no_rate_is_not_touched() -> None:
    pace = Pace(Clock(), 30)
    free = demand("free", queue("a", 500))
    assert pace.bounded([free]) == [free]
    assert pace.allowed([free], EXECUTORS) == [free]
    assert pace.again_in == math.inf
    assert seconds(claim(pace, free)) == [None] * 500


def test_a_new_line_begins_two_seconds_later_and_goes_on_evenly() -> None:
    clock = Clock()
    pace = Pace(clock, 30)
    paced = demand("paced", queue("a", 100), rate=2)
    assert seconds(claim(pace, paced)) == [2]
    assert counts(pace.allowed([paced], EXECUTORS)) == [{}]
    assert pace.again_in == pytest.approx(0.5)
    clock.pass_by(1)
    assert seconds(claim(pace, paced)) == [2.5, 3]


def test_contacts_of_others_are_claimed_beside_it_at_once() -> None:
    clock = Clock()
    pace = Pace(clock, 30)
    both = demand("paced", queue("a", 9), rate=1), demand("free", queue("b", 9))
    assert [at is None for at in seconds(claim(pace, *both))] == [False] + [True] * 9
    assert pace.again_in == math.inf, "what was allowed is claimed first"
    assert counts(pace.allowed(both, EXECUTORS)) == [{}, {"b": 9}]
    assert pace.again_in == pytest.approx(1)


def test_the_campaign_of_higher_priority_has_the_times_as_far_as_its_own_rate_goes() -> None:
    clock = Clock()
    pace = Pace(clock, 30)
    paced = demand("paced", queue("low", 100), queue("high", 100, rate=1, priority=9), rate=10)
    claim(pace, paced)
    clock.pass_by(2)
    claimed = claim(pace, paced)
    high = [job.place_at for job in claimed if job.campaign_id == "high"]
    assert len(claimed) == 21
    assert high == [BEGAN + timedelta(seconds=at) for at in (2, 3, 4)]


def test_what_limits_hold_back_does_not_wake_the_loop_for_ever() -> None:
    clock = Clock()
    pace = Pace(clock, 30)
    paced = demand("paced", queue("a", 100), rate=2)
    clock.pass_by(5)
    pace.allowed([paced], EXECUTORS)
    clock.pass_by(5)
    # Allowed, and not claimed for want of slots.
    assert counts(pace.allowed([paced], EXECUTORS)) != [{}]
    assert pace.again_in == math.inf


def test_slots_are_asked_for_only_for_what_can_be_claimed_at_once() -> None:
    pace = Pace(Clock(), 30)
    bounded = pace.bounded([demand("paced", queue("a", 500), queue("b", 3), queue("c", 500, rate=0.1), rate=10)])
    assert counts(bounded) == [{"a": 21, "b": 3, "c": 2}]


def test_no_times_are_given_out_that_executors_cannot_keep() -> None:
    clock = Clock()
    pace = Pace(clock, 30)
    paced = demand("paced", queue("a", 500), rate=100)
    claim(pace, paced, executors=5)
    clock.pass_by(1)
    assert len(claim(pace, paced, executors=5)) == 5


def test_a_short_claim_is_not_spent_waiting() -> None:
    clock = Clock()
    pace = Pace(clock, 1.5)
    paced = demand("paced", queue("a", 500), rate=10)
    claim(pace, paced)
    clock.pass_by(10)
    jobs = claim(pace, paced)
    assert all(job.place_at is not None and job.place_at <= clock.now + timedelta(seconds=0.5) for job in jobs)
    assert len(jobs) == 6


def test_a_rate_that_is_taken_away_paces_no_more() -> None:
    pace = Pace(Clock(), 30)
    claim(pace, demand("paced", queue("a", 5), rate=1))
    assert seconds(claim(pace, demand("paced", queue("a", 5)))) == [None] * 5


def test_the_plan_takes_no_more_than_is_allowed() -> None:
    clock = Clock()
    pace = Pace(clock, 30)
    paced = demand("paced", queue("a", 100), rate=10)
    claim(pace, paced)
    clock.pass_by(1)
    chosen = plan(pace.allowed([paced], EXECUTORS), {"paced": 10_000}, grant=1000, held=0, at_most=500)
    assert chosen.contact_ids == [f"a-{number}" for number in range(11)]


ONE, OTHER = "+14155550111", "+14155550112"


def from_numbers(name: str, count: int, *numbers: str, rate: float | None = None) -> CampaignQueue:
    """A campaign whose calls need a time of one of these numbers."""
    return replace(queue(name, count, rate), numbers=numbers)


def claim_from(pace: Pace, numbers: Sequence[str], *demands: OrganizationDemand) -> list[DialJob]:
    """Claim what is allowed as the store does: each from the first of the numbers that has a time."""
    jobs, callers = [], {}
    allowed = pace.allowed(demands, EXECUTORS)
    times = pace.times_of_numbers(demands)
    for each in allowed:
        for its in each.queues:
            for number, _ in enumerate(its.waiting):
                caller = next((caller for caller in numbers if times.get((each.organization_id, caller), 0) > 0), None)
                if caller is not None:
                    times[each.organization_id, caller] -= 1
                    jobs.append(job(each.organization_id, its.campaign_id, number))
                    callers[jobs[-1].attempt_id] = caller
    return pace.appointed(jobs, callers)


def test_the_calls_of_a_number_are_spaced_whatever_campaign_makes_them() -> None:
    clock = Clock()
    pace = Pace(clock, 30)
    both = demand("acme", from_numbers("a", 100, ONE), from_numbers("b", 100, ONE), numbers={ONE: 2.0})
    placed: list[float] = []
    for _ in range(40):
        placed += [at for at in seconds(claim_from(pace, [ONE], both)) if at is not None]
        clock.pass_by(0.5)
    assert placed[0] == 2.0, "somebody else may have given out what lies before"
    assert [later - earlier for earlier, later in pairwise(placed)] == [0.5] * (len(placed) - 1)
    assert len(placed) >= 38


def test_a_pool_makes_as_many_calls_as_its_numbers_together() -> None:
    clock = Clock()
    pace = Pace(clock, 30)
    pool = demand("acme", from_numbers("a", 1000, ONE, OTHER), numbers={ONE: 2.0, OTHER: 3.0})
    [bounded] = pace.bounded([pool])
    assert len(bounded.queues[0].waiting) == 11
    placed = 0
    for _ in range(40):
        placed += len(claim_from(pace, [ONE, OTHER], pool))
        clock.pass_by(0.5)
    assert 96 <= placed <= 102


def test_a_campaign_and_its_number_both_hold() -> None:
    clock = Clock()
    pace = Pace(clock, 30)
    slow = demand("acme", from_numbers("a", 100, ONE, rate=1.0), numbers={ONE: 4.0})
    placed: list[float] = []
    for _ in range(20):
        placed += [at for at in seconds(claim_from(pace, [ONE], slow)) if at is not None]
        clock.pass_by(0.5)
    assert min(later - earlier for earlier, later in pairwise(placed)) >= 1.0


def test_what_has_no_time_of_its_numbers_is_looked_at_when_one_is_free() -> None:
    clock = Clock()
    pace = Pace(clock, 30)
    slow = demand("acme", from_numbers("a", 100, ONE, OTHER), numbers={ONE: 0.1, OTHER: 0.2})
    assert len(claim_from(pace, [ONE, OTHER], slow)) == 2
    assert claim_from(pace, [ONE, OTHER], slow) == []
    assert pace.again_in == pytest.approx(5.025, abs=0.5), "the faster one is free first"
    clock.pass_by(pace.again_in)
    assert len(claim_from(pace, [ONE, OTHER], slow)) == 1


def test_a_number_whose_limit_is_taken_away_is_free_at_once() -> None:
    clock = Clock()
    pace = Pace(clock, 30)
    claim_from(pace, [ONE], demand("acme", from_numbers("a", 10, ONE), numbers={ONE: 0.1}))
    free = demand("acme", queue("a", 10), numbers={OTHER: 1.0})
    assert counts(pace.allowed([free], EXECUTORS)) == [{"a": 10}], "not all of its numbers have a limit"
    assert pace.times_of_numbers([free]).keys() == {("acme", OTHER)}
    jobs = [job("acme", "a", number) for number in range(3)]
    assert seconds(pace.appointed(jobs, {each.attempt_id: ONE for each in jobs})) == [None] * 3


def test_numbers_of_another_organization_are_others() -> None:
    pace = Pace(Clock(), 30)
    acme = demand("acme", from_numbers("a", 10, ONE), numbers={ONE: 1.0})
    beta = demand("beta", from_numbers("b", 10, ONE), numbers={ONE: 1.0})
    assert sorted(seconds(claim_from(pace, [ONE], acme, beta)), key=str) == [2.0, 2.0]
