"""Request limits: what a text names, how a count slides, and when there is room again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.request_limits import (
    Counted,
    LimitState,
    WindowCount,
    request_windows,
    state_in,
    tightest,
)

[A_MINUTE] = request_windows("60/minute")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", []),
        (" ; ", []),
        ("60/minute", [(60, 60, Counted.ALL)]),
        ("60 per minute", [(60, 60, Counted.ALL)]),
        ("10/2 second", [(10, 2, Counted.ALL)]),
        ("1000/hour;60/minute writes; 300/minute reads", [
            (1000, 3600, Counted.ALL), (60, 60, Counted.WRITES), (300, 60, Counted.READS)
        ]),
    ],
)  # fmt: skip
def test_a_text_names_windows(text: str, named: list[tuple[int, int, Counted]]) -> None:
    assert [(window.amount, window.seconds, window.counted) for window in request_windows(text)] == named


@pytest.mark.parametrize(
    "text",
    ["60", "minute", "0/minute", "-1/minute", "60/fortnight", "60/minute deletes", "reads", "1/year",
     "99999999999/minute", ";".join(["1/second"] * 9), "1/second" + ";" * 200],
)  # fmt: skip
def test_other_texts_are_refused_with_the_rule(text: str) -> None:
    with pytest.raises(ValueError, match="must be windows like 1000/hour"):
        request_windows(text)


@pytest.mark.parametrize(
    ("counted", "methods"),
    [
        ("", {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}),
        (" reads", {"GET", "HEAD"}),
        (" writes", {"POST", "PUT", "PATCH", "DELETE"}),
    ],
)
def test_a_window_counts_all_requests_or_reads_or_writes(counted: str, methods: set[str]) -> None:
    [window] = request_windows(f"60/minute{counted}")
    every = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    assert {method for method in every if window.counts(method)} == methods


@pytest.mark.parametrize(
    ("previous", "current", "elapsed", "remaining", "resets_in", "retry_after"),
    [
        (0, 0, 10, 60, 0, 0),
        (0, 1, 10, 59, 110, 0),
        (0, 59, 10, 1, 110, 0),
        (0, 60, 10, 0, 110, 50),  # the next window begins
        (0, 120, 10, 0, 110, 80),  # half of it must be forgotten: others counted it too
        (60, 0, 0, 0, 60, 0.001),
        (60, 0, 30, 30, 30, 0),
        (60, 30, 30, 0, 90, 0.001),
        (60, 45, 30, 0, 90, 15),  # a quarter of 60 and 45
        (1, 0, 59, 60, 1, 0),
    ],
)
def test_a_count_slides(
    previous: int, current: int, elapsed: float, remaining: int, resets_in: float, retry_after: float
) -> None:
    state = state_in(A_MINUTE, WindowCount(previous, current, elapsed))
    assert (state.limit, state.remaining, state.resets_in) == (60, remaining, resets_in)
    assert state.retry_after == pytest.approx(retry_after)


@given(st.integers(0, 200), st.integers(0, 200), st.floats(0, 59.9))
def test_there_is_room_when_it_is_said_and_not_before(previous: int, current: int, elapsed: float) -> None:
    def at(seconds: float) -> int:
        over = elapsed + seconds
        count = WindowCount(previous, current, over) if over < 60 else WindowCount(current, 0, over - 60)
        return state_in(A_MINUTE, count).remaining

    state = state_in(A_MINUTE, WindowCount(previous, current, elapsed))
    if state.remaining:
        assert state.retry_after == 0
        return
    assert at(state.retry_after + 0.01) >= 1
    if state.retry_after > 0.02:
        assert at(state.retry_after - 0.02) == 0


def test_the_window_with_the_fewest_left_speaks_for_all() -> None:
    few, many = LimitState(10, 1, 5), LimitState(1000, 500, 3000)
    assert tightest([many, few]) == few
    assert tightest([]) is None
    full, fuller = LimitState(10, 0, 5, 2), LimitState(1000, 0, 3000, 900)
    assert tightest([full, fuller, few]) == fuller, "a request waits until all have room"
    later = LimitState(10, 1, 50)
    assert tightest([few, later]) == later
