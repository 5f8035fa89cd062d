"""How long the ends of calls gather."""

import pytest

from shared.domain.turnover import LONGEST_SECONDS, SHARE, Turnover


def steady(per_second: float, seconds: float = 10.0) -> Turnover:
    """The turnover after so many seconds in which a call ended regularly."""
    turnover = Turnover()
    for number in range(int(per_second * seconds)):
        turnover = turnover.after(1, number / per_second)
    return turnover


@pytest.mark.parametrize(("per_second", "held"), [(91, 1000), (300, 10), (50, 100), (5, 500)])
def test_a_slot_waits_for_a_small_part_of_what_a_call_lasts_and_never_longer_than_what_is_set(
    per_second: float, held: int
) -> None:
    gathered = steady(per_second).gather_seconds(held)
    length = held / per_second
    assert gathered == pytest.approx(min(LONGEST_SECONDS, SHARE * length), rel=0.1)


def test_calls_of_ten_seconds_gather_for_thirty_milliseconds_and_those_of_a_tenth_hardly_at_all() -> None:
    assert steady(100).gather_seconds(1000) == pytest.approx(0.03, rel=0.05)
    assert steady(100).gather_seconds(10) < 0.0005


def test_short_calls_are_told_from_long_ones_by_the_first_that_end() -> None:
    first = Turnover().after(1, 100.0)
    assert first.gather_seconds(10) < 0.01
    assert first.after(9, 100.005).gather_seconds(10) < 0.001
    assert first.gather_seconds(1000) == LONGEST_SECONDS


def test_nothing_gathers_where_nobody_is_called() -> None:
    assert Turnover().gather_seconds(0) == 0.0
    assert steady(100).gather_seconds(0) == 0.0


def test_the_average_fades_and_never_trips_over_a_clock_that_stands_still() -> None:
    turnover = steady(100)
    assert turnover.after(0, turnover.at + 5).per_second < 1
    assert turnover.after(0, turnover.at).per_second == turnover.per_second
