from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.domain.calling_window import Schedule, TimeWindow, closed_by, is_open, next_opening
from shared.domain.closures import ClosedDays, Closure, Closures
from shared.domain.zone_hours import ClosedBy

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EPOCH_DAY = date(1970, 1, 1).toordinal()


def closure(**fields: Any) -> Closure:
    return Closure.model_validate(fields)


def closed_days(*closures: Closure, zone: str = "UTC", calendars: tuple[str, ...] = ()) -> Any:
    days = ClosedDays(closures, calendars).in_zone(zone)
    return lambda text: days is not None and days.has(date.fromisoformat(text).toordinal() - EPOCH_DAY)


@pytest.mark.parametrize(
    ("fields", "closed", "not_closed"),
    [
        pytest.param(
            {"first_day": "2026-12-24"}, ["2026-12-24"], ["2026-12-23", "2026-12-25", "2027-12-24"], id="one day"
        ),
        pytest.param(
            {"first_day": "2026-12-24", "last_day": "2027-01-02"},
            ["2026-12-24", "2026-12-31", "2027-01-01", "2027-01-02"],
            ["2026-12-23", "2027-01-03", "2027-12-25"],
            id="over the new year, once",
        ),
        pytest.param(
            {"first_day": "2026-12-24", "last_day": "2027-01-02", "yearly": True},
            ["2026-12-24", "2027-01-02", "2027-12-24", "2028-01-02", "2040-01-01"],
            ["2026-01-01", "2025-12-25", "2027-01-03", "2027-12-23"],
            id="over the new year, every year from the first on",
        ),
        pytest.param(
            {"first_day": "2024-02-29", "yearly": True},
            ["2024-02-29", "2025-02-28", "2028-02-29"],
            ["2024-02-28", "2025-03-01", "2028-02-28"],
            id="29 February",
        ),
        pytest.param(
            {"first_day": "9999-12-30", "last_day": "9999-12-31", "yearly": True},
            ["9999-12-31"],
            ["9999-12-29"],
            id="the end of the calendar",
        ),
    ],
)
def test_the_days_of_a_closure(fields: dict[str, Any], closed: list[str], not_closed: list[str]) -> None:
    is_closed = closed_days(closure(**fields))
    assert [day for day in closed if not is_closed(day)] == []
    assert [day for day in not_closed if is_closed(day)] == []


def test_a_closure_holds_in_its_zones_in_every_spelling_and_in_no_other() -> None:
    here = closure(first_day="2026-11-20", timezones=["US/Eastern"])
    assert closed_days(here, zone="America/New_York")("2026-11-20")
    assert not closed_days(here, zone="America/Toronto")("2026-11-20")
    assert ClosedDays((here,)).in_zone("UTC") is None, "what is off costs nothing"


def test_the_holidays_of_a_calendar_are_closed_in_every_zone() -> None:
    is_closed = closed_days(zone="Asia/Tokyo", calendars=("US", "DE-BY"))
    assert is_closed("2026-07-03"), "Independence Day falls on a Saturday and is kept on Friday"
    assert is_closed("2026-01-06"), "Epiphany, in Bavaria and not in all of Germany"
    assert not is_closed("2026-07-06")
    assert not closed_days(calendars=("DE",))("2026-01-06")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NIGHTS = TimeWindow.model_validate({"days": WEEK, "start": "22:00", "end": "03:00"})
FRIDAY = ClosedDays((closure(first_day="2026-11-20"),))


@pytest.mark.parametrize(
    ("instant", "answer"),
    [
        pytest.param("2026-11-19T23:59:59", None, id="Thursday evening"),
        pytest.param("2026-11-20T00:00", ClosedBy.CLOSED_DAY, id="what began on Thursday ends at midnight"),
        pytest.param("2026-11-20T12:00", ClosedBy.CLOSED_DAY, id="noon, when no window would be open either"),
        pytest.param("2026-11-20T23:00", ClosedBy.CLOSED_DAY, id="Friday's own evening"),
        pytest.param("2026-11-21T00:00", ClosedBy.CLOSED_DAY, id="what would have begun on Friday does not go on"),
        pytest.param("2026-11-21T02:59:59", ClosedBy.CLOSED_DAY, id="to its very end"),
        pytest.param("2026-11-21T03:00", ClosedBy.WINDOWS, id="Saturday is an ordinary day"),
        pytest.param("2026-11-21T22:00", None, id="Saturday evening"),
    ],
)
def test_a_closed_day_takes_the_nights_on_both_sides_with_it(instant: str, answer: ClosedBy | None) -> None:
    schedule = Schedule("UTC", (NIGHTS,), closed=FRIDAY)
    assert closed_by(schedule, None, at(instant), None) is answer
    assert is_open(schedule, None, at(instant)) is (answer is None)


def test_a_day_after_a_closed_one_keeps_its_own_windows() -> None:
    whole_days = TimeWindow.model_validate({"days": WEEK, "start": "00:00", "end": "24:00"})
    schedule = Schedule("America/New_York", (whole_days,), closed=FRIDAY)
    assert next_opening(schedule, None, at("2026-11-20T12:00")) == at("2026-11-21T05:00")
    assert not is_open(schedule, None, at("2026-11-20T04:59:58"), for_seconds=5)


def test_closed_for_a_year_is_called_never() -> None:
    long = ClosedDays((closure(first_day="2026-11-01", last_day="2027-11-30"),))
    schedule = Schedule("UTC", (NIGHTS,), closed=long)
    assert next_opening(schedule, None, at("2026-11-20T12:00")) is None
    assert next_opening(schedule, None, at("2026-12-20T12:00")) == at("2027-12-01T22:00")


def test_the_day_is_that_of_the_zone_looked_at() -> None:
    whole_days = TimeWindow.model_validate({"days": WEEK, "start": "00:00", "end": "24:00"})
    by_contact = Schedule("UTC", (whole_days,), closed=FRIDAY)
    by_default = Schedule("UTC", (whole_days,), closed=FRIDAY, use_contact_timezone=False)
    friday_in_tokyo = at("2026-11-19T15:00")
    assert not is_open(by_contact, "Asia/Tokyo", friday_in_tokyo)
    assert is_open(by_default, "Asia/Tokyo", friday_in_tokyo)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"last_day": "2026-12-23"}, "last_day .2026-12-23. must not lie before first_day .2026-12-24."),
        ({"first_day": "2026-02-29"}, "a date that exists like 2026-12-24"),
        ({"first_day": "24.12.2026"}, "a date that exists"),
        ({"first_day": "2026-12-24T00:00:00Z"}, "a date that exists"),
        ({"first_day": 20261224}, "a date that exists"),
        ({"last_day": "2027-12-24", "yearly": True}, "must be shorter than a year"),
        ({"timezones": []}, "at least 1"),
        ({"timezones": ["Mars/Olympus"]}, "not an IANA timezone"),
        ({"yearly": "yes"}, "valid boolean"),
        ({"until": "2026-12-24"}, "not permitted"),
    ],
)
def test_a_closure_that_makes_no_sense_is_refused_in_plain_words(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        closure(**{"first_day": "2026-12-24"} | fields)


def test_closures_name_a_bounded_number_of_zones_together() -> None:
    day = {"first_day": "2026-12-24", "timezones": ["Europe/Berlin"] * 200}
    with pytest.raises(ValidationError, match="at most 300 timezones in all closures together, not 400"):
        TypeAdapter[Any](Closures).validate_python([day, day])
