from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.domain.calling_window import (
    Schedule,
    ScheduleOverride,
    ScheduleOverrides,
    TimeWindow,
    is_open,
    next_opening,
)
from tests.unit.domain.window_edges import closes_at, open_zones

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKDAYS = WEEK[:5]


def window(start: str, end: str, *days: str) -> TimeWindow:
    return TimeWindow.model_validate({"days": days or WEEK, "start": start, "end": end})


def schedule(*windows: TimeWindow, timezone: str = "UTC") -> Schedule:
    return Schedule(timezone, windows)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


OFFICE = schedule(window("09:00", "17:00", *WORKDAYS))
NIGHT = schedule(window("22:30", "03:30", "fri"))  # 2026-11-20 is a Friday


@pytest.mark.parametrize(
    ("now", "answer"),
    [
        pytest.param("2026-11-20T08:59:59.999999", False, id="a microsecond before it opens"),
        pytest.param("2026-11-20T09:00", True, id="the start is inclusive"),
        pytest.param("2026-11-20T16:59:59.999999", True, id="a microsecond before it closes"),
        pytest.param("2026-11-20T17:00", False, id="the end is exclusive"),
        pytest.param("2026-11-21T12:00", False, id="Saturday is no workday"),
    ],
)
def test_a_window_opens_at_its_start_and_closes_at_its_end(now: str, answer: bool) -> None:
    assert is_open(OFFICE, None, at(now)) is answer


@pytest.mark.parametrize(
    ("now", "answer"),
    [
        pytest.param("2026-11-20T03:00", False, id="Friday's own morning is Thursday's, which has no window"),
        pytest.param("2026-11-20T22:29", False, id="Friday before it opens"),
        pytest.param("2026-11-20T22:30", True, id="Friday evening"),
        pytest.param("2026-11-21T00:00", True, id="midnight"),
        pytest.param("2026-11-21T03:29", True, id="Saturday morning belongs to Friday"),
        pytest.param("2026-11-21T03:30", False, id="Saturday morning ends"),
        pytest.param("2026-11-21T22:30", False, id="Saturday evening is nobody's"),
    ],
)
def test_the_morning_after_midnight_belongs_to_the_day_before(now: str, answer: bool) -> None:
    assert is_open(NIGHT, None, at(now)) is answer


def test_sunday_night_runs_into_monday() -> None:
    sunday_night = schedule(window("22:00", "02:00", "sun"))
    assert is_open(sunday_night, None, at("2026-11-23T01:59"))
    assert closes_at(sunday_night, None, at("2026-11-22T23:00")) == at("2026-11-23T02:00")


def test_a_window_that_ends_at_midnight_may_be_written_in_two_ways() -> None:
    for end in ("24:00", "00:00"):
        evening = schedule(window("20:00", end, "mon"))
        assert is_open(evening, None, at("2026-11-23T23:59"))
        assert not is_open(evening, None, at("2026-11-24T00:00"))


def test_windows_that_touch_or_overlap_are_one() -> None:
    day = schedule(window("09:00", "12:00"), window("12:00", "15:00"), window("14:00", "18:00"))
    assert closes_at(day, None, at("2026-11-20T09:00")) == at("2026-11-20T18:00")


def test_a_schedule_without_windows_never_opens() -> None:
    never = schedule()
    assert not is_open(never, None, at("2026-11-20T12:00"))
    assert next_opening(never, None, at("2026-11-20T12:00")) is None
    assert closes_at(never, None, at("2026-11-20T12:00")) == at("2026-11-20T12:00")
    assert open_zones(never, ["Europe/Paris", None], at("2026-11-20T12:00")).until is None


def test_a_schedule_of_whole_days_never_closes() -> None:
    always = schedule(window("00:00", "24:00"))
    now = at("2026-11-20T12:00:00.5")
    assert next_opening(always, None, now) == now
    assert closes_at(always, None, now) is None
    assert is_open(always, None, now, for_seconds=10**9)
    found = open_zones(always, ["Europe/Paris", None], now)
    assert found.zones == {"Europe/Paris", None}
    assert found.until is None


def test_a_contact_outside_the_window_waits_for_the_next_opening() -> None:
    assert next_opening(OFFICE, None, at("2026-11-20T17:00")) == at("2026-11-23T09:00")
    assert next_opening(OFFICE, "America/New_York", at("2026-11-20T12:00")) == at("2026-11-20T14:00")
    assert next_opening(OFFICE, "Asia/Kathmandu", at("2026-11-20T12:00")) == at("2026-11-23T03:15")


def test_next_opening_of_an_open_schedule_is_the_instant_itself() -> None:
    now = at("2026-11-20T10:00:00.123456")
    assert next_opening(OFFICE, None, now) == now


def test_the_answer_is_in_utc_whatever_the_question_was_in() -> None:
    asked = datetime.fromisoformat("2026-11-20T22:00+05:45")
    opening = next_opening(OFFICE, None, asked)
    assert opening == at("2026-11-20T16:15")
    assert opening is not None
    assert opening.tzinfo is UTC


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [
        pytest.param(0, True, id="open now"),
        pytest.param(5, True, id="closes exactly then"),
        pytest.param(5.001, False, id="closes just before"),
    ],
)
def test_a_window_must_stay_open_long_enough(seconds: float, answer: bool) -> None:
    assert is_open(OFFICE, None, at("2026-11-20T16:59:55"), for_seconds=seconds) is answer


def test_fractions_of_a_second_count_when_time_is_short() -> None:
    assert not is_open(OFFICE, None, at("2026-11-20T16:59:55.5"), for_seconds=5)


def test_an_override_replaces_the_windows_of_its_zones_only() -> None:
    override = ScheduleOverride(timezones=("Europe/Paris", "Europe/Rome"), windows=(window("20:00", "21:00"),))
    overridden = Schedule("UTC", (window("09:00", "17:00"),), (override,))
    noon, evening = at("2026-11-20T12:00"), at("2026-11-20T19:30")
    assert open_zones(overridden, ["Europe/Paris", "Europe/Rome", "Europe/Madrid", None], noon).zones == {
        "Europe/Madrid",
        None,
    }
    assert is_open(overridden, "Europe/Rome", evening)
    assert not is_open(overridden, "Europe/Madrid", evening)


def test_an_override_of_the_default_zone_holds_for_contacts_without_a_zone() -> None:
    override = ScheduleOverride(timezones=("America/New_York",), windows=())
    closed = Schedule("America/New_York", (window("00:00", "24:00"),), (override,))
    assert not is_open(closed, None, at("2026-11-20T12:00"))
    assert is_open(closed, "America/Chicago", at("2026-11-20T12:00"))


@pytest.mark.parametrize(
    ("named", "of_the_contact", "binds"),
    [
        pytest.param("America/New_York", "US/Eastern", True, id="the contact's spelling is old"),
        pytest.param("US/Eastern", "America/New_York", True, id="the override's spelling is old"),
        pytest.param("GB", "Europe/Belfast", True, id="both spellings are old"),
        pytest.param("Europe/Berlin", "Europe/Stockholm", False, id="a link over a border, of a place"),
        pytest.param("Africa/Abidjan", "Iceland", False, id="a link over a border, of an old spelling"),
        pytest.param("America/Panama", "EST", False, id="a clock that countries share"),
    ],
)
def test_an_override_holds_for_its_zones_in_every_spelling(named: str, of_the_contact: str, binds: bool) -> None:
    override = ScheduleOverride(timezones=(named,), windows=())
    closed, noon = Schedule("UTC", (window("00:00", "24:00"),), (override,)), at("2026-11-20T12:00")
    assert is_open(closed, of_the_contact, noon) is not binds
    assert open_zones(closed, [of_the_contact], noon).zones == (set() if binds else {of_the_contact})
    assert (next_opening(closed, of_the_contact, noon) is None) is binds
    assert closes_at(closed, of_the_contact, noon) == (noon if binds else None)
    by_default = Schedule(of_the_contact, closed.windows, closed.overrides)
    assert is_open(by_default, None, noon) is not binds


def test_zones_that_are_open_keep_the_spelling_they_were_asked_in() -> None:
    override = ScheduleOverride(timezones=("America/New_York",), windows=(window("07:00", "08:00"),))
    asked = ["US/Eastern", "America/New_York", "US/Central", None]
    assert open_zones(Schedule("UTC", (), (override,)), asked, at("2026-11-20T12:30")).zones == {*asked[:2]}


def test_of_two_stored_overrides_for_a_zone_the_first_holds() -> None:
    first = ScheduleOverride(timezones=("UTC",), windows=(window("00:00", "24:00"),))
    second = ScheduleOverride(timezones=("UTC",), windows=())
    assert is_open(Schedule("UTC", (), (first, second)), None, at("2026-11-20T12:00"))


@pytest.mark.parametrize("contact", ["US/Eastern", "America/New_York", None])
def test_of_two_stored_overrides_for_a_zone_in_two_spellings_the_first_holds(contact: str | None) -> None:
    always = ScheduleOverride(timezones=("US/Eastern",), windows=(window("00:00", "24:00"),))
    never = ScheduleOverride(timezones=("America/New_York",), windows=())
    assert is_open(Schedule("US/Eastern", (), (always, never)), contact, at("2026-11-20T12:00"))
    assert not is_open(Schedule("US/Eastern", (), (never, always)), contact, at("2026-11-20T12:00"))


def test_a_zone_nobody_knows_is_never_open() -> None:
    always, now = schedule(window("00:00", "24:00")), at("2026-11-20T12:00")
    assert not is_open(always, "Mars/Olympus", now)
    assert next_opening(always, "Mars/Olympus", now) is None
    assert closes_at(always, "../UTC", now) == now
    assert open_zones(always, ["Mars/Olympus", "UTC"], now).zones == {"UTC"}


def test_open_zones_says_until_when_its_answer_holds() -> None:
    found = open_zones(OFFICE, ["Europe/London", "Europe/Paris", "America/New_York", None], at("2026-11-20T12:00"))
    assert found.zones == {"Europe/London", "Europe/Paris", None}
    assert found.until == at("2026-11-20T14:00")  # New York opens; two hours later Paris closes
    assert open_zones(OFFICE, [], at("2026-11-20T12:00")).until is None


def test_schedules_are_equal_and_hashed_by_value() -> None:
    assert {schedule(window("09:00", "17:00")): 1}[schedule(window("09:00", "17:00"))] == 1


@pytest.mark.parametrize("question", [is_open, next_opening, closes_at])
def test_a_naive_time_is_refused(question: Any) -> None:
    with pytest.raises(ValueError, match="naive"):
        question(OFFICE, None, datetime(2026, 11, 20, 12))  # noqa: DTZ001 - the very thing that is refused


def test_the_last_days_of_the_calendar_do_not_overflow() -> None:
    end = datetime.max.replace(tzinfo=UTC) - timedelta(hours=1)
    assert next_opening(OFFICE, "Asia/Tokyo", end) is None
    assert next_opening(OFFICE, "America/New_York", end) in {None, end}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"days": []}, "at least 1", id="no days"),
        pytest.param({"days": ["Monday"]}, "'mon'", id="a day in another spelling"),
        pytest.param({"start": "9:00"}, "HH:MM", id="one digit"),
        pytest.param({"start": "09:60"}, "HH:MM", id="minute 60"),
        pytest.param({"end": "24:01"}, "HH:MM", id="later than the day"),
        pytest.param({"end": "25:00"}, "HH:MM", id="hour 25"),
        pytest.param({"start": "09:00:00"}, "HH:MM", id="seconds"),
        pytest.param({"start": "\u0660\u0669:\u0660\u0660"}, "HH:MM", id="digits of another script"),
        pytest.param({"start": "09:00\n"}, "HH:MM", id="a newline"),
        pytest.param({"start": 9}, "string", id="a number"),
        pytest.param({"start": "24:00"}, "can only end", id="24:00 as a start"),
        pytest.param({"start": "17:00"}, "end at another time than it starts", id="no length"),
        pytest.param({"timezone": "UTC"}, "not permitted", id="an unknown field"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused_in_plain_words(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TimeWindow.model_validate({"days": ["mon"], "start": "09:00", "end": "17:00"} | fields)


def test_a_day_named_twice_counts_once_and_order_is_kept() -> None:
    named = TimeWindow.model_validate({"days": ["fri", "mon", "fri"], "start": "09:00", "end": "17:00"})
    assert named.model_dump(mode="json") == {"days": ["fri", "mon"], "start": "09:00", "end": "17:00"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"timezones": []}, "at least 1", id="no zones"),
        pytest.param({"timezones": ["Mars/Olympus"]}, "not an IANA timezone", id="an unknown zone"),
        pytest.param({"timezones": ["../UTC"]}, "not an IANA timezone", id="a path"),
        pytest.param({"timezones": "UTC"}, "tuple", id="not a list"),
    ],
)
def test_an_override_must_name_real_zones(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ScheduleOverride.model_validate({"timezones": ["UTC"], "windows": []} | fields)


def test_a_zone_in_two_overrides_is_refused_and_named() -> None:
    override = {"timezones": ["Europe/Paris"], "windows": []}
    with pytest.raises(ValidationError, match="Europe/Paris stands in two overrides"):
        TypeAdapter[Any](ScheduleOverrides).validate_python([override, override])


def test_a_zone_in_two_overrides_is_refused_in_two_spellings_too_and_both_are_named() -> None:
    overrides = [{"timezones": [zone], "windows": []} for zone in ("US/Eastern", "America/New_York")]
    message = "The timezones US/Eastern and America/New_York are one and the same, and it stands in two overrides"
    with pytest.raises(ValidationError, match=message):
        TypeAdapter[Any](ScheduleOverrides).validate_python(overrides)


def test_zones_that_the_data_only_links_over_a_border_may_stand_in_two_overrides() -> None:
    overrides = [{"timezones": [zone], "windows": []} for zone in ("Europe/Berlin", "Europe/Stockholm", "CET")]
    assert len(TypeAdapter[Any](ScheduleOverrides).validate_python(overrides)) == 3


def test_a_zone_named_twice_in_one_override_counts_once_in_the_spelling_that_came_first() -> None:
    named = ScheduleOverride.model_validate(
        {"timezones": ["US/Eastern", "UTC", "America/New_York", "Zulu", "US/Eastern"], "windows": []}
    )
    assert named.timezones == ("US/Eastern", "UTC")
