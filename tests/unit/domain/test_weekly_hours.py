from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.weekly_hours import WEEK_SECONDS, WeeklyHours

DAY = 86_400


@pytest.mark.parametrize(
    ("spans", "flips", "open_before"),
    [
        pytest.param([], (), False, id="no spans: closed all week"),
        pytest.param([(0, WEEK_SECONDS)], (), True, id="the whole week: open all week"),
        pytest.param([(0, 4 * DAY), (4 * DAY, WEEK_SECONDS)], (), True, id="two halves that touch: open all week"),
        pytest.param([(60, 120)], (60, 120), False, id="one span"),
        pytest.param([(60, 120), (100, 180)], (60, 180), False, id="overlapping spans are one"),
        pytest.param([(60, 120), (120, 180)], (60, 180), False, id="touching spans are one"),
        pytest.param([(60, 300), (100, 180)], (60, 300), False, id="a span inside another adds nothing"),
        pytest.param([(WEEK_SECONDS - 60, WEEK_SECONDS + 30)], (30, WEEK_SECONDS - 60), True, id="over the week's end"),
        pytest.param([(WEEK_SECONDS - 60, WEEK_SECONDS)], (0, WEEK_SECONDS - 60), True, id="up to the week's end"),
        pytest.param([(0, 60)], (0, 60), False, id="from the week's start"),
    ],
)
def test_spans_become_flips(spans: list[tuple[int, int]], flips: tuple[int, ...], open_before: bool) -> None:
    assert WeeklyHours.from_spans(spans) == WeeklyHours(flips, open_before)


def test_sunday_night_is_one_span_with_monday_morning() -> None:
    hours = WeeklyHours.from_spans([(WEEK_SECONDS - 60, WEEK_SECONDS), (0, 30)])
    assert hours.flips == (30, WEEK_SECONDS - 60)
    assert hours.is_open(0)
    assert hours.seconds_to_flip(WEEK_SECONDS - 10) == 40


spans = st.tuples(st.integers(0, WEEK_SECONDS - 1), st.integers(1, 2 * DAY)).map(lambda s: (s[0], s[0] + s[1]))


@given(st.lists(spans, max_size=8), st.integers(0, WEEK_SECONDS - 1))
def test_hours_agree_with_the_spans_they_were_made_of(given_spans: Sequence[tuple[int, int]], second: int) -> None:
    def inside(at: int) -> bool:
        return any(start <= at < end or start <= at + WEEK_SECONDS < end for start, end in given_spans)

    hours = WeeklyHours.from_spans(given_spans)
    assert hours.is_open(second) == inside(second)
    assert len(hours.flips) % 2 == 0
    if not hours.never_changes:
        flip = (second + hours.seconds_to_flip(second)) % WEEK_SECONDS
        assert inside(flip) != inside(second)
        assert inside((flip - 1) % WEEK_SECONDS) == inside(second)
