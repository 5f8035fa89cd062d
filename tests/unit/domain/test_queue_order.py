"""Which contact of a campaign goes first."""

import itertools

import pytest

from shared.domain.contact import Tier
from shared.domain.queue_order import MAX_CONTACT_PRIORITY, CallOrder, priority_in, queue_of, rank, tier_in

FRESH_FIRST, RETRIES_FIRST = CallOrder.FRESH_FIRST, CallOrder.RETRIES_FIRST


@pytest.mark.parametrize("priority", [0, 1, 2, 17, MAX_CONTACT_PRIORITY])
@pytest.mark.parametrize("tier", list(Tier))
def test_a_queue_tells_priority_and_tier(priority: int, tier: Tier) -> None:
    queue = queue_of(priority, tier)
    assert (priority_in(queue), tier_in(queue)) == (priority, tier)


def test_no_two_queues_are_one() -> None:
    queues = [queue_of(priority, tier) for priority, tier in itertools.product(range(50), Tier)]
    assert len(set(queues)) == len(queues)


def test_without_priorities_a_queue_is_its_tier() -> None:
    assert [queue_of(0, tier) for tier in Tier] == list(Tier)


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
    ],
)
def test_what_goes_first(first: tuple[int, Tier], second: tuple[int, Tier], order: CallOrder) -> None:
    assert rank(queue_of(*first), order) < rank(queue_of(*second), order)


@pytest.mark.parametrize("order", list(CallOrder))
def test_fresh_and_scheduled_contacts_go_by_their_time(order: CallOrder) -> None:
    assert rank(queue_of(3, Tier.FRESH), order) == rank(queue_of(3, Tier.SCHEDULED), order)
