"""Days on which clocks change, by name and date: what the wall-clock rule means there."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from shared.domain.calling_window import Schedule, TimeWindow, is_open, next_opening
from tests.unit.domain.window_edges import closes_at, open_zones

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Case(NamedTuple):
    zone: str
    window: str  # start-end, every day
    after: str  # UTC, as all times here
    openings: list[tuple[str, str]]  # the next ones, each [opens, closes)


CASES = {
    "New York, spring: a window around the gap is an hour shorter": Case(
        "America/New_York", "01:00-05:00", "2026-03-08T00:00",
        [("2026-03-08T06:00", "2026-03-08T09:00"), ("2026-03-09T05:00", "2026-03-09T09:00")],
    ),
    "New York, spring: a window inside the gap does not open that day": Case(
        "America/New_York", "02:00-03:00", "2026-03-07T12:00",
        [("2026-03-09T06:00", "2026-03-09T07:00")],
    ),
    "New York, spring: an opening inside the gap moves to its end": Case(
        "America/New_York", "02:30-04:00", "2026-03-08T00:00",
        [("2026-03-08T07:00", "2026-03-08T08:00")],
    ),
    "New York, spring: a window that ends inside the gap ends as the gap begins": Case(
        "America/New_York", "01:00-02:30", "2026-03-08T00:00",
        [("2026-03-08T06:00", "2026-03-08T07:00")],
    ),
    "New York, autumn: a window around the overlap is an hour longer": Case(
        "America/New_York", "00:30-03:00", "2026-11-01T00:00",
        [("2026-11-01T04:30", "2026-11-01T08:00")],
    ),
    "New York, autumn: a window inside the overlap opens twice, first the earlier": Case(
        "America/New_York", "01:15-01:45", "2026-11-01T00:00",
        [("2026-11-01T05:15", "2026-11-01T05:45"), ("2026-11-01T06:15", "2026-11-01T06:45")],
    ),
    "New York, autumn: a window that starts in the overlap closes as the hour begins again": Case(
        "America/New_York", "01:30-04:00", "2026-11-01T00:00",
        [("2026-11-01T05:30", "2026-11-01T06:00"), ("2026-11-01T06:30", "2026-11-01T09:00")],
    ),
    "New York, autumn: a window of the whole repeated hour is two hours": Case(
        "America/New_York", "01:00-02:00", "2026-11-01T00:00",
        [("2026-11-01T05:00", "2026-11-01T07:00")],
    ),
    "London, spring: the gap is from one to two": Case(
        "Europe/London", "01:30-06:00", "2026-03-28T12:00",
        [("2026-03-29T01:00", "2026-03-29T05:00")],
    ),
    "London, autumn: the hour from one to two comes twice": Case(
        "Europe/London", "01:30-02:00", "2026-10-25T00:00",
        [("2026-10-25T00:30", "2026-10-25T01:00"), ("2026-10-25T01:30", "2026-10-25T02:00")],
    ),
    "Lord Howe, spring: a gap of half an hour": Case(
        "Australia/Lord_Howe", "02:15-03:00", "2026-10-03T12:00",
        [("2026-10-03T15:30", "2026-10-03T16:00")],
    ),
    "Lord Howe, autumn: an overlap of half an hour": Case(
        "Australia/Lord_Howe", "01:40-02:00", "2026-04-04T12:00",
        [("2026-04-04T14:40", "2026-04-04T15:00"), ("2026-04-04T15:10", "2026-04-04T15:30")],
    ),
    "Casablanca: clocks go back as Ramadan begins": Case(
        "Africa/Casablanca", "02:00-03:00", "2025-02-23T00:00",
        [("2025-02-23T01:00", "2025-02-23T03:00")],
    ),
    "Casablanca: clocks go forward after Ramadan": Case(
        "Africa/Casablanca", "02:30-04:00", "2025-04-06T00:00",
        [("2025-04-06T02:00", "2025-04-06T03:00")],
    ),
    "Kathmandu: three quarters of an hour, no clock change": Case(
        "Asia/Kathmandu", "09:00-18:00", "2026-03-29T00:00",
        [("2026-03-29T03:15", "2026-03-29T12:15")],
    ),
    "Kathmandu, 1986: a gap of a quarter of an hour at midnight": Case(
        "Asia/Kathmandu", "00:00-01:00", "1985-12-31T12:00",
        [("1985-12-31T18:30", "1985-12-31T19:15")],
    ),
    "Sao Paulo, 2018: midnight does not happen, the day opens at one": Case(
        "America/Sao_Paulo", "00:00-02:00", "2018-11-03T12:00",
        [("2018-11-04T03:00", "2018-11-04T04:00")],
    ),
    "Sao Paulo, 2018: a window across the missing midnight has no hole": Case(
        "America/Sao_Paulo", "23:00-02:00", "2018-11-03T12:00",
        [("2018-11-04T02:00", "2018-11-04T04:00")],
    ),
    "Sao Paulo, 2018: the hour before midnight comes twice": Case(
        "America/Sao_Paulo", "23:00-23:30", "2018-02-17T12:00",
        [("2018-02-18T01:00", "2018-02-18T01:30"), ("2018-02-18T02:00", "2018-02-18T02:30")],
    ),
    "Tehran, 2022: the first hour of the day does not happen": Case(
        "Asia/Tehran", "00:00-01:30", "2022-03-21T12:00",
        [("2022-03-21T20:30", "2022-03-21T21:00")],
    ),
    "Tehran, 2022: at midnight the clock goes back into the day before": Case(
        "Asia/Tehran", "23:00-00:00", "2022-09-21T12:00",
        [("2022-09-21T18:30", "2022-09-21T20:30")],
    ),
    "Cairo, 2023: Friday begins at one": Case(
        "Africa/Cairo", "00:30-02:00", "2023-04-27T12:00",
        [("2023-04-27T22:00", "2023-04-27T23:00")],
    ),
    "Cairo, 2023: Thursday's last hour comes twice": Case(
        "Africa/Cairo", "23:30-00:30", "2023-10-26T12:00",
        [("2023-10-26T20:30", "2023-10-26T21:00"), ("2023-10-26T21:30", "2023-10-26T22:30")],
    ),
    "Apia, 2011: windows of the skipped Friday do not happen": Case(
        "Pacific/Apia", "09:00-17:00", "2011-12-30T03:00",
        [("2011-12-30T19:00", "2011-12-31T03:00"), ("2011-12-31T19:00", "2012-01-01T03:00")],
    ),
}  # fmt: skip


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def daily(window: str, days: tuple[str, ...] = WEEK) -> Schedule:
    start, end = window.split("-")
    return Schedule("UTC", (TimeWindow.model_validate({"days": days, "start": start, "end": end}),))


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_the_wall_clock_decides(case: Case) -> None:
    schedule, at = daily(case.window), utc(case.after)
    for opens, closes in case.openings:
        assert next_opening(schedule, case.zone, at) == utc(opens)
        assert is_open(schedule, case.zone, utc(opens))
        assert not is_open(schedule, case.zone, utc(opens) - timedelta(microseconds=1))
        assert closes_at(schedule, case.zone, utc(opens)) == utc(closes)
        assert not is_open(schedule, case.zone, utc(closes))
        assert open_zones(schedule, [case.zone], utc(opens)).until == utc(closes)
        at = utc(closes)


def test_in_apia_the_friday_that_was_skipped_has_no_window_and_its_night_still_ends_on_saturday() -> None:
    friday, friday_night = daily("09:00-17:00", ("fri",)), daily("22:00-02:00", ("fri",))
    thursday_noon = utc("2011-12-29T22:00")  # 12:00 on Thursday 29 December, ten hours behind UTC
    assert next_opening(friday, "Pacific/Apia", thursday_noon) == utc("2012-01-05T19:00")
    # Saturday's first two hours show a time inside Friday's window, and nothing else counts.
    assert next_opening(friday_night, "Pacific/Apia", thursday_noon) == utc("2011-12-30T10:00")
    assert closes_at(friday_night, "Pacific/Apia", utc("2011-12-30T10:00")) == utc("2011-12-30T12:00")


def test_in_apia_thursday_night_is_cut_at_the_midnight_that_skips_a_day() -> None:
    thursday_night = daily("22:00-02:00", ("thu",))
    assert closes_at(thursday_night, "Pacific/Apia", utc("2011-12-30T09:00")) == utc("2011-12-30T10:00")


def test_a_window_that_would_close_in_a_gap_is_not_open_for_longer_than_the_gap_allows() -> None:
    schedule = daily("01:00-02:30")
    last_minute = utc("2026-03-08T06:59")
    assert is_open(schedule, "America/New_York", last_minute, for_seconds=60)
    assert not is_open(schedule, "America/New_York", last_minute, for_seconds=61)


def test_zones_that_agree_today_part_when_one_changes_its_clock() -> None:
    # Phoenix keeps its time; Denver, level with it all winter, goes forward at nine in the morning, UTC.
    schedule = daily("03:30-05:00")
    found = open_zones(schedule, ["America/Phoenix", "America/Denver"], utc("2026-03-08T08:00"))
    assert found.zones == frozenset()
    assert found.until == utc("2026-03-08T09:30")
    assert open_zones(schedule, ["America/Phoenix", "America/Denver"], found.until).zones == {"America/Denver"}
