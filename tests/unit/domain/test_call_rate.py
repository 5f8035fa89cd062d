"""The times of paced calls: the promise by the carrier's record, the mean, and who is held up by whom."""

import itertools
import random
from bisect import bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.call_rate import (
    AHEAD_SECONDS,
    LATE,
    Line,
    Timetable,
    allowed,
    most_in_window,
    spacing,
    timetable,
)

RATES = st.one_of(st.floats(0.01, 2), st.floats(2, 50), st.sampled_from([0.1, 0.19, 0.2, 0.3, 0.5, 0.58, 1, 1.09]))


def most_in_any_window(placed: list[float], seconds: float = 10.0) -> int:
    """The obvious count: from each call on."""
    ordered = sorted(placed)
    return max((bisect_right(ordered, at + seconds) - n for n, at in enumerate(ordered)), default=0)


@pytest.mark.parametrize(
    ("rate", "most"), [(1, 12), (10, 120), (1000, 12000), (0.5, 6), (0.1, 2), (0.05, 1), (2.5, 30)]
)
def test_how_many_calls_ten_seconds_may_hold(rate: float, most: int) -> None:
    assert most_in_window(rate) == most


@pytest.mark.parametrize("rate", [1, 1.5, 10, 333.3, 1000])
def test_calls_are_spaced_evenly_from_one_a_second_on(rate: float) -> None:
    assert spacing(rate) == pytest.approx(1 / rate)


@given(st.floats(0.001, 1000))
def test_no_rate_is_kept_to_less_than_nine_tenths(rate: float) -> None:
    assert 1 / rate <= spacing(rate) <= 1 / (0.9 * rate)


@given(RATES, st.integers(0, 2**32))
@settings(deadline=None)
def test_however_late_calls_are_no_ten_seconds_hold_more_than_they_may(rate: float, seed: int) -> None:
    dice = random.Random(seed)
    line, now = Line.empty(rate, 0), 0.0
    placed: list[float] = []
    while len(placed) < 200:
        calls = line.free(now) if dice.random() < 0.8 else dice.randint(0, line.free(now))
        given_out = timetable([["campaign"]] * calls, {"campaign": line}, now)
        line = given_out.lines["campaign"]
        assert all(now <= at <= now + AHEAD_SECONDS + 1e-5 for at in given_out.times)
        placed += [at + dice.choice([0, dice.uniform(0, 1), LATE.total_seconds()]) for at in given_out.times]
        now += dice.choice([0.01, 0.2, 1, 1 / rate])
    assert most_in_any_window(placed) <= most_in_window(rate)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.58, 1, 2.5, 30, 1000])
def test_when_enough_are_due_the_mean_is_the_rate(rate: float) -> None:
    line, now, placed = Line.empty(rate, 0), 0.0, 0
    seconds = 40 + 20 / rate
    while now < seconds:
        [calls] = allowed([(["campaign"], 10**6)], {"campaign": line}, now)
        line = timetable([["campaign"]] * calls, {"campaign": line}, now).lines["campaign"]
        placed += calls
        now += 0.1
    assert 0.9 * rate * seconds - 1 <= placed - 2 * rate <= rate * seconds + 1


def test_after_a_take_over_nothing_is_free_that_may_have_been_given_out() -> None:
    line = Line.empty(10, now=100)
    assert [line.free(at) for at in (100, 100.05, 101)] == [1, 1, 11]
    assert timetable([["a"]], {"a": line}, 100).times == [100 + AHEAD_SECONDS]


def test_an_idle_line_saves_nothing_up() -> None:
    line = Line(10, next_at=0)
    assert line.free(1000) == 21
    assert timetable([["a"]] * 3, {"a": line}, 1000).times == pytest.approx([1000, 1000.1, 1000.2])


def test_a_new_rate_holds_from_the_next_time_on() -> None:
    line = Line(10, next_at=5).at_rate(1)
    assert timetable([["a"]] * 2, {"a": line}, 4).times == [5, 6]


def test_calls_without_a_limit_are_placed_at_once() -> None:
    assert timetable([["a"], []], {}, 7) == Timetable([7, 7], {})


def test_a_slow_campaign_holds_up_none_beside_it() -> None:
    lines = {"organization": Line(10, 0), "slow": Line(1, 0)}
    calls = [["organization", "slow"]] * 2 + [["organization"]] * 8
    times = timetable(calls, lines, 0).times
    assert times[:2] == pytest.approx([0, 1])
    assert times[2:] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])


def test_the_first_queue_has_the_times_and_what_it_cannot_use_is_the_next_ones() -> None:
    lines = {"organization": Line(10, 0), "first": Line(2, 0)}
    queues = [(["organization", "first"], 100), (["organization", "second"], 100)]
    assert allowed(queues, lines, 0) == [5, 16]
    assert allowed(queues[1:] + queues[:1], lines, 0) == [21, 0]
    assert allowed([(["organization"], 3), (["other"], 7)], lines, 0) == [3, 7]


def test_calls_are_claimed_a_fifth_of_a_second_together() -> None:
    assert allowed([(["a"], 100)], {"a": Line(50, 2 - 9 / 50 + 0.001)}, 0) == [0]
    assert allowed([(["a"], 100)], {"a": Line(50, 2 - 9 / 50 - 0.001)}, 0) == [10]
    assert Line(50, 5).portion_at() == pytest.approx(5 + 9 / 50 - 2)
    assert Line(0.1, 5).portion_at() == pytest.approx(3)


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["x", "y"])), max_size=40),
    st.dictionaries(st.sampled_from(["a", "b", "c", "x", "y"]), st.floats(0.5, 50)),
)
@settings(deadline=None)
def test_every_line_keeps_its_spacing_whatever_the_calls(calls: list[tuple[str, str]], rates: dict[str, float]) -> None:
    lines = {scope: Line(rate, 0) for scope, rate in rates.items()}
    times = timetable(calls, lines, 0).times
    for scope, rate in rates.items():
        mine = sorted(at for at, scopes in zip(times, calls, strict=True) if scope in scopes)
        assert all(later - earlier >= spacing(rate) - 1e-9 for earlier, later in itertools.pairwise(mine))
    for scopes in set(calls):
        mine = [at for at, each in zip(times, calls, strict=True) if each == scopes]
        assert mine == sorted(mine), "calls of one queue keep their order"
