"""When a campaign will have called all who wait."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.calling_window import Schedule, TimeWindow, Weekday
from shared.domain.campaign import Run, RunState
from shared.domain.counts import CallsOfRun, CampaignCounts, Minute
from shared.domain.forecast import MAX_LOOKS, UNKNOWN, Forecast, Hours, forecast

# A Tuesday; the run began two hours ago.
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
RUN = Run(3, RunState.OPENED, NOW - timedelta(hours=2))
# 7200 calls in two hours: one a second; each contact was called twice so far.
COUNTS = CampaignCounts(
    pending=900,
    active=0,
    completed=3600,
    exhausted=0,
    error=0,
    skipped=0,
    attempts=7200,
    called=3600,
    run=CallsOfRun(3, 7200),
)


def open_from(start: str, end: str, zone: str = "UTC") -> Hours:
    window = TimeWindow(days=tuple(Weekday), start=start, end=end)
    return Schedule(zone, (window,)).open_hours(None, None).at


ALWAYS = open_from("00:00", "24:00")


def test_what_waits_times_calls_for_each_contact_by_the_pace_of_the_run() -> None:
    assert forecast(COUNTS, RUN, [ALWAYS], NOW) == Forecast(1800, 1.0, NOW + timedelta(seconds=1800))


@pytest.mark.parametrize(
    ("counts", "run"),
    [
        pytest.param(COUNTS, None, id="a campaign that does not run"),
        pytest.param(replace(COUNTS, run=CallsOfRun(3, 49)), RUN, id="49 calls"),
        pytest.param(replace(COUNTS, run=CallsOfRun(2, 7200)), RUN, id="calls of another run"),
        pytest.param(replace(COUNTS, run=None), RUN, id="no call"),
    ],
)
def test_fewer_than_fifty_calls_of_the_run_tell_nothing(counts: CampaignCounts, run: Run | None) -> None:
    assert forecast(counts, run, [ALWAYS], NOW) == UNKNOWN


def test_fifty_calls_tell() -> None:
    fifty = replace(COUNTS, attempts=50, called=50, completed=50, run=CallsOfRun(3, 50))
    assert forecast(fifty, RUN, [ALWAYS], NOW) == Forecast(900, 50 / 7200, NOW + timedelta(seconds=900 * 144))


@pytest.mark.parametrize(
    ("minute", "rate"),
    [
        (Minute(NOW - timedelta(seconds=1), 130, 120), 2.0),
        (Minute(NOW - timedelta(seconds=1), 50, 50), 50 / 60),
        (Minute(NOW - timedelta(seconds=1), 500, 49), 1.0),
        (Minute(NOW - timedelta(seconds=60), 130, 120), 1.0),
    ],
)
def test_the_last_minute_tells_the_pace_where_enough_calls_ended_in_it(minute: Minute, rate: float) -> None:
    assert forecast(replace(COUNTS, minute=minute), RUN, [ALWAYS], NOW).calls_per_second == rate


def test_closed_hours_count_neither_in_the_pace_nor_on_the_way_to_the_end() -> None:
    # Open for one of the two hours, and for a quarter of an hour more today.
    found = forecast(COUNTS, RUN, [open_from("11:00", "12:15")], NOW)
    assert (found.calls_left, found.calls_per_second) == (1800, 2.0)
    assert found.ends_at == NOW + timedelta(minutes=15)
    longer = forecast(replace(COUNTS, pending=1800), RUN, [open_from("11:00", "12:15")], NOW)
    assert longer.ends_at == datetime(2026, 3, 11, 11, 15, tzinfo=UTC)


def test_a_campaign_calls_while_it_is_open_anywhere() -> None:
    two = [open_from("11:00", "12:10"), open_from("12:05", "12:20"), open_from("18:00", "18:01")]
    assert forecast(replace(COUNTS, pending=1200), RUN, two, NOW).ends_at == NOW + timedelta(minutes=20)
    later = datetime(2026, 3, 10, 18, 0, 30, tzinfo=UTC)
    assert forecast(replace(COUNTS, pending=1230), RUN, two, NOW).ends_at == later


def test_attempts_of_contacts_that_were_deleted_tell_nothing_of_those_that_wait() -> None:
    assert forecast(replace(COUNTS, attempts_removed=3600), RUN, [ALWAYS], NOW).calls_left == 900


def test_each_contact_that_waits_is_one_call_at_least() -> None:
    on_the_way = replace(COUNTS, attempts=50, called=100, run=CallsOfRun(3, 100))
    assert forecast(on_the_way, RUN, [ALWAYS], NOW).calls_left == 900


@pytest.mark.parametrize("hours", [[], [open_from("13:00", "13:01")]], ids=["never open", "a minute a day"])
def test_an_end_out_of_sight_is_unknown(hours: list[Hours]) -> None:
    minute = Minute(NOW, 60, 60)
    found = forecast(replace(COUNTS, pending=100_000, minute=minute), RUN, hours, NOW)
    assert found == Forecast(200_000, 1.0, None)


def test_the_pace_of_a_run_that_was_never_open_is_unknown() -> None:
    assert forecast(COUNTS, RUN, [open_from("13:00", "13:01")], NOW) == Forecast(1800, None, None)


def test_the_pace_of_a_run_that_began_long_ago_is_that_of_its_last_minute_alone() -> None:
    long_ago = replace(RUN, at=NOW - timedelta(days=93))
    assert forecast(COUNTS, long_ago, [ALWAYS], NOW) == Forecast(1800, None, None)


def test_no_more_hours_are_looked_at_than_an_answer_may_cost() -> None:
    looks = 0

    def at(second: int) -> tuple[bool, int]:
        nonlocal looks
        looks += 1
        return second // 60 % 2 == 0, (second // 60 + 1) * 60

    counts = replace(COUNTS, pending=10_000_000, minute=Minute(NOW, 60, 60))
    assert forecast(counts, RUN, [at] * 100, NOW).ends_at is None
    assert looks <= MAX_LOOKS
