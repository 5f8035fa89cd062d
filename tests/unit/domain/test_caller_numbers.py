import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.caller_numbers import (
    CallerNumber,
    CallerNumbers,
    ListedNumber,
    NumberChoice,
    NumberPlan,
    NumberUse,
    Offer,
    against_claim,
    choose_number,
    in_preference,
    only,
    plan_of_list,
    plan_of_pool,
)
from shared.domain.reasons import WaitReason

NOW = datetime(2026, 11, 28, 18, tzinfo=UTC)
TODAY, YESTERDAY, TOMORROW = "2026-11-28", "2026-11-27", "2026-11-29"
MIDNIGHT = datetime(2026, 11, 29, tzinfo=UTC)
HOUR = timedelta(hours=1)
A, B, C = "+14155550101", "+14155550102", "+14155550103"
CONTACTS = [str(uuid.uuid5(uuid.NAMESPACE_DNS, str(n))) for n in range(4000)]
ROTATE, FIXED = NumberChoice.ROTATE, NumberChoice.FIXED
RANDOM_FREE, STICKY = NumberChoice.RANDOM_FREE, NumberChoice.WEIGHTED_STICKY


def entry(number: str, **more: Any) -> CallerNumber:
    return CallerNumber(id=f"id of {number}", number=number, **more)


def numbers(*entries: CallerNumber, **more: Any) -> CallerNumbers:
    return CallerNumbers({each.number: each for each in entries}, **more)


def plan(choice: NumberChoice, *offered: str, **weights: int) -> NumberPlan:
    by_name = {"a": A, "b": B, "c": C}
    weighted = [Offer(by_name[name], weight) for name, weight in weights.items()]
    return NumberPlan(choice, (*map(Offer, offered), *weighted), "spring")


def first_of(by: NumberPlan, contact_id: str, made: int = 0) -> str:
    return next(iter(in_preference(by, contact_id, made, {})))


def chosen(by: NumberPlan, of: CallerNumbers, *, resting: dict[str, datetime] | None = None) -> str | None:
    return choose_number(by, of, CONTACTS[0], 0, NOW, resting or {})


# What stands against a number.


@pytest.mark.parametrize(
    ("limits", "use", "full", "spent_until"),
    [
        pytest.param({}, NumberUse(50, TODAY, 5000), False, None, id="no limits"),
        pytest.param({"max_calls": 1}, NumberUse(), False, None, id="exclusive and free"),
        pytest.param({"max_calls": 1}, NumberUse(1), True, None, id="exclusive and on a call"),
        pytest.param({"max_calls": 3}, NumberUse(2), False, None, id="one slot left"),
        pytest.param({"max_calls": 3}, NumberUse(4), True, None, id="limit lowered below what is held"),
        pytest.param({"daily_limit": 2}, NumberUse(0, TODAY, 1), False, None, id="one call left today"),
        pytest.param({"daily_limit": 2}, NumberUse(0, TODAY, 2), False, MIDNIGHT, id="spent"),
        pytest.param({"daily_limit": 2}, NumberUse(0, TODAY, 9), False, MIDNIGHT, id="daily limit lowered"),
        pytest.param({"daily_limit": 2}, NumberUse(0, YESTERDAY, 2), False, None, id="spent yesterday"),
        pytest.param({"daily_limit": 2}, NumberUse(0, TOMORROW, 1), False, None, id="a clock ahead: not spent there"),
        pytest.param(
            {"daily_limit": 2}, NumberUse(0, TOMORROW, 2), False, MIDNIGHT + 24 * HOUR, id="a clock ahead: spent there"
        ),
    ],
)
def test_limits_of_a_number(limits: dict[str, int], use: NumberUse, full: bool, spent_until: datetime | None) -> None:
    of = numbers(entry(A, **limits), uses={A: use})
    assert of.is_full(A) is full
    assert of.spent_until(A, NOW) == spent_until


def test_days_are_those_of_utc() -> None:
    of = numbers(entry(A, daily_limit=1), uses={A: NumberUse(0, TODAY, 1)})
    assert of.spent_until(A, MIDNIGHT - timedelta(microseconds=1)) == MIDNIGHT
    assert of.spent_until(A, MIDNIGHT) is None
    in_tokyo = MIDNIGHT.astimezone(ZoneInfo("Asia/Tokyo"))
    assert of.spent_until(A, in_tokyo) is None, "the same instant on another clock"


def test_a_call_counts_on_its_day_and_never_on_an_earlier_one() -> None:
    assert NumberUse(1, YESTERDAY, 7).with_call(TODAY) == NumberUse(2, TODAY, 1)
    assert NumberUse(1, TODAY, 7).with_call(TODAY) == NumberUse(2, TODAY, 8)
    assert NumberUse(1, TODAY, 7).with_call(None) == NumberUse(2, TODAY, 7)
    assert NumberUse(0, TOMORROW, 7).day_at(NOW) == TOMORROW
    assert NumberUse(0, YESTERDAY, 7).day_at(NOW) == TODAY


def test_an_exclusive_number_carries_one_call_registered_or_not() -> None:
    of = numbers(entry(A, max_calls=5), exclusive={A, B}, uses={A: NumberUse(1)})
    assert [of.max_calls(number) for number in (A, B, C)] == [1, 1, None]
    assert of.is_full(A)
    assert not of.is_full(B)
    assert [of.is_counted(number) for number in (A, B, C)] == [True, True, False]


@pytest.mark.parametrize(
    ("entries", "use", "day", "expected"),
    [
        pytest.param([], NumberUse(), None, None, id="not registered, and was not"),
        pytest.param([entry(A)], NumberUse(), None, None, id="registered since"),
        pytest.param([entry(A, active=False)], NumberUse(), None, WaitReason.NO_CALLER_NUMBER, id="off since"),
        pytest.param([], NumberUse(1, TODAY, 1), TODAY, WaitReason.NO_CALLER_NUMBER, id="deleted since"),
        pytest.param([entry(A)], NumberUse(1, TODAY, 1), TODAY, None, id="nothing in the way"),
        pytest.param(
            [entry(A, max_calls=1)], NumberUse(1, TODAY, 1), TODAY, None, id="its own slot is not held against it"
        ),
        pytest.param(
            [entry(A, max_calls=1)],
            NumberUse(2, TODAY, 2),
            TODAY,
            WaitReason.CALLER_NUMBER_LIMIT,
            id="max_calls lowered",
        ),
        pytest.param([entry(A, daily_limit=3)], NumberUse(1, TODAY, 3), TODAY, None, id="the last call of the day"),
        pytest.param(
            [entry(A, daily_limit=2)],
            NumberUse(1, TODAY, 3),
            TODAY,
            WaitReason.CALLER_NUMBER_SPENT,
            id="daily limit lowered",
        ),
        pytest.param(
            [entry(A)],
            NumberUse(1, YESTERDAY, 1),
            YESTERDAY,
            WaitReason.CALLER_NUMBER_SPENT,
            id="carried over midnight",
        ),
        pytest.param(
            [entry(A)],
            NumberUse(1, TOMORROW, 1),
            TODAY,
            WaitReason.CALLER_NUMBER_SPENT,
            id="the budget counts another day",
        ),
        pytest.param(
            [entry(A)],
            NumberUse(1, TOMORROW, 1),
            TOMORROW,
            WaitReason.CALLER_NUMBER_SPENT,
            id="claimed by a clock ahead",
        ),
    ],
)
def test_what_speaks_against_a_claim(
    entries: Iterable[CallerNumber], use: NumberUse, day: str | None, expected: WaitReason | None
) -> None:
    assert against_claim(numbers(*entries, uses={A: use}), A, day, NOW) == expected


# Which numbers a campaign has.


def test_a_list_keeps_its_order_and_its_weights() -> None:
    registered = [entry(A, weight=4), entry(B, weight=2), entry(C, active=False)]
    listed = [
        ListedNumber("id of " + B),
        ListedNumber("id of " + A, 9),
        ListedNumber("id of " + C),
        ListedNumber("gone"),
    ]
    assert plan_of_list(listed, STICKY, registered, "spring") == NumberPlan(
        STICKY, (Offer(B, 2), Offer(A, 9)), "spring"
    )


def test_a_pool_has_its_active_numbers_in_order_of_their_digits() -> None:
    north, both = frozenset({"north"}), frozenset({"north", "south"})
    registered = [entry(C, weight=3, pools=both), entry(A, pools=north), entry(B, pools=north, active=False)]
    assert plan_of_pool("north", ROTATE, registered).offers == (Offer(A), Offer(C, 3))
    assert plan_of_pool("south", ROTATE, registered).offers == (Offer(C, 3),)
    assert plan_of_pool("west", ROTATE, registered).offers == ()


@pytest.mark.parametrize(
    ("by", "of", "expected"),
    [
        (only(A), numbers(), A),
        (only(A), numbers(entry(A)), A),
        (only(A), numbers(entry(A, active=False)), None),
        (plan(STICKY), numbers(entry(A)), None),
        (plan(FIXED, B, A), numbers(entry(A), entry(B)), B),
    ],
)
def test_a_number_that_is_off_is_no_number(by: NumberPlan, of: CallerNumbers, expected: str | None) -> None:
    assert chosen(by, of) == expected


# Which of them a call has.


def test_fixed_is_the_first_and_never_another() -> None:
    of = numbers(entry(A), entry(B, max_calls=1), uses={B: NumberUse(1)})
    assert chosen(plan(FIXED, B, A), of) == B


def test_rotate_goes_on_behind_the_last_number() -> None:
    by, turns, had = plan(ROTATE, C, A, B), dict[str, str](), []
    for contact_id in CONTACTS[:7]:
        number = choose_number(by, CallerNumbers(turns=turns), contact_id, 0, NOW, {})
        assert number is not None
        turns["spring"] = number
        had.append(number)
    assert had == [A, B, C, A, B, C, A]
    assert list(in_preference(plan(ROTATE, A, C), "x", 0, {"spring": B})) == [C, A], "the last one is gone"
    assert list(in_preference(by, "x", 0, {"another campaign": B})) == [A, B, C]


def test_random_free_takes_a_free_number_and_another_one_on_the_next_attempt() -> None:
    of = numbers(*(entry(number, max_calls=1) for number in (A, B, C)), uses={A: NumberUse(1), C: NumberUse(1)})
    by = plan(RANDOM_FREE, A, B, C)
    assert {choose_number(by, of, contact_id, 0, NOW, {}) for contact_id in CONTACTS[:50]} == {B}
    count = Counter(first_of(by, contact_id) for contact_id in CONTACTS)
    assert all(0.9 < 3 * n / len(CONTACTS) < 1.1 for n in count.values()), count
    moved = sum(first_of(by, contact_id, 0) != first_of(by, contact_id, 1) for contact_id in CONTACTS)
    assert 0.6 < moved / len(CONTACTS) < 0.74, "two of three have another number"


@pytest.mark.parametrize("weights", [{"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 3, "c": 6}, {"a": 20, "b": 1, "c": 5}])
def test_sticky_shares_are_those_of_the_weights(weights: dict[str, int]) -> None:
    by = plan(STICKY, **weights)
    count = Counter(first_of(by, contact_id) for contact_id in CONTACTS)
    for offer in by.offers:
        expected = len(CONTACTS) * offer.weight / sum(weights.values())
        deviation = (expected * (1 - offer.weight / sum(weights.values()))) ** 0.5
        assert abs(count[offer.number] - expected) < 4 * deviation, (offer, count)


POOLS = st.lists(st.integers(0, 999), min_size=2, max_size=12, unique=True).map(
    lambda found: [f"+1415555{number:04}" for number in found]
)
WEIGHTS = st.lists(st.integers(1, 20), min_size=12, max_size=12)


@given(pool=POOLS, weights=WEIGHTS, contact_id=st.sampled_from(CONTACTS), choice=st.sampled_from([STICKY, RANDOM_FREE]))
def test_a_number_that_comes_or_goes_changes_nobody_elses_order(
    pool: Sequence[str], weights: Sequence[int], contact_id: str, choice: NumberChoice
) -> None:
    offers = tuple(Offer(number, weight) for number, weight in zip(pool, weights, strict=False))
    whole = list(in_preference(NumberPlan(choice, offers), contact_id, 0, {}))
    assert sorted(whole) == sorted(pool)
    for gone in pool:
        rest = NumberPlan(choice, tuple(offer for offer in offers if offer.number != gone))
        left = list(in_preference(rest, contact_id, 0, {}))
        # The weights that are left may all be equal, by which order is found without logarithms: it is the same one.
        assert left == [number for number in whole if number != gone]


@given(pool=POOLS, contact_id=st.sampled_from(CONTACTS))
def test_a_contact_keeps_its_number_on_all_attempts_in_whatever_order_numbers_are_read(
    pool: Sequence[str], contact_id: str
) -> None:
    orders = [plan(STICKY, *pool), plan(STICKY, *reversed(pool))]
    assert len({first_of(by, contact_id, made) for by in orders for made in range(3)}) == 1


BLOCKS = st.sampled_from(["free", "full", "spent", "resting", "resting long", "off"])


@given(
    blocks=st.lists(BLOCKS, min_size=1, max_size=8),
    contact_id=st.sampled_from(CONTACTS),
    choice=st.sampled_from([ROTATE, RANDOM_FREE, STICKY]),
)
def test_the_first_number_in_preference_that_may_make_the_call_has_it(
    blocks: Sequence[str], contact_id: str, choice: NumberChoice
) -> None:
    pool = {f"+1415555{n:04}": block for n, block in enumerate(blocks)}
    of = numbers(
        *(entry(number, max_calls=2, daily_limit=9, active=block != "off") for number, block in pool.items()),
        uses={
            number: NumberUse(2 if block == "full" else 1, TODAY, 9 if block == "spent" else 8)
            for number, block in pool.items()
        },
    )
    ends = {"full": NOW, "spent": MIDNIGHT, "resting": NOW + HOUR / 4, "resting long": MIDNIGHT + HOUR}
    resting = {number: ends[block] for number, block in pool.items() if block.startswith("resting")}
    by = NumberPlan(choice, tuple(map(Offer, pool)), "spring")
    number = choose_number(by, of, contact_id, 0, NOW, resting)
    preferred = [each for each in in_preference(by, contact_id, 0, {}) if pool[each] != "off"]
    free = [each for each in preferred if pool[each] == "free"]
    if free:
        assert number == free[0]
    elif preferred:
        assert number == min(preferred, key=lambda each: ends[pool[each]]), "the one that is free first"
    else:
        assert number is None
