from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.breaker import FAILURES, PARTS, CircuitBreaker, Evidence, Part, evidence_of
from shared.domain.outcome import Outcome

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
HALF = CircuitBreaker(0.5, 100, 4)  # parts of five seconds


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def told(breaker: CircuitBreaker, *calls: tuple[float, int, int]) -> Evidence:
    """The evidence after (second, calls, failures among them), one after the other."""
    evidence = Evidence(1)
    for second, count, failures in calls:
        evidence = evidence.noted(breaker, count, failures, at(second))
    return evidence


@pytest.mark.parametrize(
    ("calls", "failures", "trips"),
    [
        (0, 0, False),
        (3, 3, False),  # fewer than min_calls
        (4, 1, False),
        (4, 2, True),  # the share itself trips
        (5, 2, False),
        (100, 50, True),
        (100, 49, False),
    ],
)
def test_it_trips_at_the_share_once_enough_calls_have_ended(calls: int, failures: int, trips: bool) -> None:
    assert told(HALF, (0, calls, failures)).trips(HALF) is trips


@pytest.mark.parametrize("failures", range(1, 101))
def test_a_share_that_is_written_as_a_decimal_is_met_exactly(failures: int) -> None:
    breaker = CircuitBreaker(failures / 100, 100, 1)
    assert told(breaker, (0, 100, failures)).trips(breaker)
    assert not told(breaker, (0, 100, failures - 1)).trips(breaker)


def test_failures_are_what_speaks_of_calls_that_do_not_come_about() -> None:
    assert {Outcome.FAILED, Outcome.INVALID_NUMBER, Outcome.INTERRUPTED, Outcome.UNKNOWN} == FAILURES


def test_calls_of_one_twentieth_stand_together() -> None:
    evidence = told(HALF, (0, 1, 0), (4.999, 2, 1), (5, 1, 1))
    assert evidence.parts == (Part(NOON, 3, 1), Part(at(5), 1, 1))
    assert (evidence.calls, evidence.failures) == (4, 2)


def test_the_window_moves_in_twentieths() -> None:
    evidence = told(HALF, (4, 4, 4), (99, 1, 0))
    assert evidence.calls == 5
    assert evidence.noted(HALF, 1, 0, at(100)).calls == 2, "the part of the first four began a window ago"


def test_old_failures_do_not_trip_it() -> None:
    evidence = told(HALF, (0, 10, 10), (200, 4, 1))
    assert (evidence.calls, evidence.failures) == (4, 1)
    assert not evidence.trips(HALF)


def test_a_clock_that_was_ahead_loses_nothing() -> None:
    evidence = told(HALF, (7, 2, 1), (3, 2, 1))
    assert (evidence.calls, evidence.failures) == (4, 2)
    assert [part.at for part in evidence.parts] == [at(5)]


def test_another_run_begins_with_nothing() -> None:
    before = told(HALF, (0, 9, 9))
    assert evidence_of(before, 1) == before
    assert evidence_of(before, 2) == Evidence(2)
    assert evidence_of(None, 2) == Evidence(2)


def test_another_window_keeps_what_lies_in_it() -> None:
    longer = CircuitBreaker(0.5, 1000, 4)
    evidence = told(HALF, (0, 2, 2), (40, 2, 2)).noted(longer, 1, 1, at(60))
    assert evidence.calls == 5
    shorter = CircuitBreaker(0.5, 20, 1)
    assert evidence.noted(shorter, 1, 0, at(70)).calls == 1, "the last part of the longer window began long ago"


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), min_size=1, max_size=200))
def test_it_counts_all_of_nineteen_twentieths_and_nothing_older_than_the_window(
    calls: list[tuple[float, bool]],
) -> None:
    evidence, now, all_calls = Evidence(1), NOON, []
    for wait, failed in calls:
        now += timedelta(seconds=wait)
        all_calls.append((now, failed))
        evidence = evidence.noted(HALF, 1, int(failed), now)
    surely = [failed for when, failed in all_calls if now - when < timedelta(seconds=95)]
    perhaps = [failed for when, failed in all_calls if now - when < timedelta(seconds=100)]
    assert len(surely) <= evidence.calls <= len(perhaps)
    assert sum(surely) <= evidence.failures <= sum(perhaps)
    assert len(evidence.parts) <= PARTS
