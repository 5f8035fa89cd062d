"""Which contact of a campaign goes first."""

import itertools

import pytest

from shared.domain.contact import Tier
from shared.domain.queue_order import (
    MAX_CONTACT_PRIORITY,
    REQUESTED_PRIORITY,
    QueueOrder,
    Whose,
    last_queue_of,
    priority_in,
    queue_of,
    queues_at,
    rank,
    tier_in,
)

FRESH_FIRST, RETRIES_FIRST = QueueOrder.FRESH_FIRST, QueueOrder.RETRIES_FIRST


@pytest.mark.parametrize("priority", [0, 1, 2, 17, MAX_CONTACT_PRIORITY])
@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize(("own_number", "whose"), [(False, Whose.WITHOUT_OWN_NUMBER), (True, Whose.WITH_OWN_NUMBER)])
def test_a_queue_tells_priority_and_tier(priority: int, tier: Tier, own_number: bool, whose: Whose) -> None:
    queue = queue_of(priority, tier, own_number=own_number)
    above_all_others = REQUESTED_PRIORITY if tier is Tier.REQUESTED else 0
    assert (priority_in(queue), tier_in(queue)) == (above_all_others + priority, tier)
    assert queue in queues_at(priority_in(queue), Tier, Whose.EVERYBODYS)
    assert queues_at(priority_in(queue), [tier], whose) == [queue]
    assert queues_at(priority_in(queue), Tier, Whose.NOBODYS) == []


def test_no_two_queues_are_one() -> None:
    every = itertools.product(range(50), Tier, (False, True))
    queues = [queue_of(priority, tier, own_number=own_number) for priority, tier, own_number in every]
    assert len(set(queues)) == len(queues)


def test_without_priorities_a_queue_is_its_tier() -> None:
    assert queues_at(0, Tier, Whose.WITHOUT_OWN_NUMBER) == [Tier.FRESH, Tier.RETRY, Tier.SCHEDULED]


def test_a_priority_has_queues_of_its_own() -> None:
    priorities = [0, 1, 7, MAX_CONTACT_PRIORITY, REQUESTED_PRIORITY, REQUESTED_PRIORITY + MAX_CONTACT_PRIORITY]
    queues = [queue for priority in priorities for queue in queues_at(priority, Tier, Whose.EVERYBODYS)]
    assert len(set(queues)) == len(queues)
    for priority in priorities:
        assert max(queues_at(priority, Tier, Whose.EVERYBODYS)) <= last_queue_of(priority)
        assert {priority_in(queue) for queue in queues_at(priority, Tier, Whose.EVERYBODYS)} == {priority}


@pytest.mark.parametrize(
    ("first", "second", "order"),
    [
        pytest.param((0, Tier.FRESH), (0, Tier.RETRY), FRESH_FIRST, id="fresh before retries"),
        pytest.param((0, Tier.SCHEDULED), (0, Tier.RETRY), FRESH_FIRST, id="scheduled before retries"),
        pytest.param((0, Tier.RETRY), (0, Tier.FRESH), RETRIES_FIRST, id="retries before fresh"),
        pytest.param((0, Tier.RETRY), (0, Tier.SCHEDULED), RETRIES_FIRST, id="retries before scheduled"),
        pytest.param((1, Tier.RETRY), (0, Tier.FRESH), FRESH_FIRST, id="a priority before a tier"),
        pytest.param((1, Tier.FRESH), (0, Tier.RETRY), RETRIES_FIRST, id="a priority before retries"),
        pytest.param((999_999, Tier.RETRY), (999_998, Tier.FRESH), FRESH_FIRST, id="the highest priorities"),
        pytest.param((0, Tier.REQUESTED), (999_999, Tier.FRESH), FRESH_FIRST, id="a requested callback before all"),
        pytest.param((0, Tier.REQUESTED), (999_999, Tier.RETRY), RETRIES_FIRST, id="and before all retries"),
        pytest.param((1, Tier.REQUESTED), (0, Tier.REQUESTED), FRESH_FIRST, id="requested callbacks by priority"),
    ],
)
def test_what_goes_first(first: tuple[int, Tier], second: tuple[int, Tier], order: QueueOrder) -> None:
    assert rank(queue_of(*first), order) < rank(queue_of(*second), order)


@pytest.mark.parametrize("order", list(QueueOrder))
@pytest.mark.parametrize("tier", list(Tier))
def test_a_caller_number_of_its_own_changes_no_contacts_place(order: QueueOrder, tier: Tier) -> None:
    assert rank(queue_of(3, tier, own_number=True), order) == rank(queue_of(3, tier), order)


@pytest.mark.parametrize("order", list(QueueOrder))
def test_fresh_and_scheduled_contacts_go_by_their_time(order: QueueOrder) -> None:
    assert rank(queue_of(3, Tier.FRESH), order) == rank(queue_of(3, Tier.SCHEDULED), order)
