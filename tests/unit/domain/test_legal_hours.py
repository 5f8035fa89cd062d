from datetime import UTC, date, datetime

import phonenumbers
import pytest
from phonenumbers import geocoder

from shared.domain.calling_window import Schedule, TimeWindow, closed_by, is_open, next_opening
from shared.domain.holiday_calendars import is_known_calendar
from shared.domain.legal_hours import legal_row
from shared.domain.legal_hours_table import LEGAL_ROWS, LegalRow
from shared.domain.number_places import country_of, place_of
from shared.domain.zone_hours import ClosedBy

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WHOLE_DAYS = (TimeWindow.model_validate({"days": WEEK, "start": "00:00", "end": "24:00"}),)
LAWFUL = Schedule("Europe/Berlin", WHOLE_DAYS, legal_hours=True)
STATES = [row for row in LEGAL_ROWS if row.state is not None]


def hours_of(row: LegalRow) -> set[tuple[str, int]]:
    """Every (day, minute of the day) at which the row lets people be called."""
    return {
        (day, minute)
        for days, start, end in row.hours
        for day in days.split()
        for minute in range(_minute(start), _minute(end))
    }


def _minute(wall_time: str) -> int:
    return int(wall_time[:2]) * 60 + int(wall_time[3:])


def test_every_row_says_where_it_comes_from_and_when_that_was_looked_at() -> None:
    assert {"US", "CA", "GB", "IN", "AU", "FR", "BR"} <= {row.name for row in LEGAL_ROWS}
    assert len({row.name for row in LEGAL_ROWS}) == len(LEGAL_ROWS)
    for row in LEGAL_ROWS:
        assert row.source
        assert date(2026, 1, 1) < row.as_of
        assert hours_of(row)
        assert row.holidays is None or is_known_calendar(row.holidays)


@pytest.mark.parametrize("row", STATES, ids=lambda row: row.state)
def test_a_state_takes_hours_away_from_those_of_its_country(row: LegalRow) -> None:
    (country,) = row.countries
    (federal,) = [other for other in LEGAL_ROWS if other.state is None and country in other.countries]
    assert hours_of(row) < hours_of(federal)


@pytest.mark.parametrize("row", STATES, ids=lambda row: row.state)
def test_the_prefixes_of_a_state_are_its_area_codes(row: LegalRow) -> None:
    names = {"US-FL": ("Florida", "FL"), "US-TX": ("Texas", "TX")}[row.state or ""]
    for prefix in row.prefixes:
        number = phonenumbers.parse(f"{prefix}5550123")
        said = geocoder.description_for_number(number, "en")
        # Codes that are new have no name in the data yet.
        assert said.endswith(names) or said in {"United States", ""}, f"{prefix} is {said}"


def test_the_zones_of_every_country_in_the_table_are_known_by_its_numbers() -> None:
    for row in LEGAL_ROWS:
        for country in row.countries:
            number = phonenumbers.example_number(country)
            assert number is not None
            place = place_of(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
            assert (place.country, bool(place.zones)) == (country, True)


@pytest.mark.parametrize(
    ("number", "zone", "instant", "is_allowed"),
    [
        ("+14155550123", None, "2026-11-18T15:59:59", False),  # 07:59:59 in San Francisco
        ("+14155550123", None, "2026-11-18T16:00", True),
        ("+14155550123", None, "2026-11-19T04:59:59", True),
        ("+14155550123", None, "2026-11-19T05:00", False),
        ("+14155550123", "America/New_York", "2026-11-18T13:00", True),  # the contact's zone says more than its number
        ("+13055550123", None, "2026-11-19T00:59", True),  # Florida closes at eight in the evening
        ("+13055550123", None, "2026-11-19T01:00", False),
        ("+12145550123", None, "2026-11-22T17:59", False),  # Texas opens at noon on Sundays
        ("+12145550123", None, "2026-11-22T18:00", True),
        ("+18005550123", None, "2026-11-18T16:00", False),  # seven in Hawaii, eight in San Francisco
        ("+18005550123", None, "2026-11-18T22:30", True),  # half past eight in Guam, half past six in Newfoundland
        ("+16475550123", None, "2026-11-21T22:59", True),  # a Saturday in Toronto
        ("+16475550123", None, "2026-11-21T23:00", False),
        ("+33612345678", None, "2026-11-18T12:30", False),  # half past one in Paris
        ("+33612345678", None, "2026-11-21T11:00", False),  # a Saturday
        ("+33612345678", None, "2026-11-11T11:00", False),  # Armistice Day, a Wednesday
        ("+33612345678", None, "2026-11-18T11:00", True),
        ("+61291234567", None, "2026-11-18T22:00", True),  # nine in the morning of Thursday, in Sydney
        ("+442079460123", None, "2026-11-22T12:00", False),  # a Sunday
        ("+919812345678", None, "2026-11-18T04:29", False),
        ("+919812345678", None, "2026-11-18T04:30", True),
        ("+5511987654321", None, "2026-11-21T12:59", False),  # a Saturday in São Paulo
        ("+5511987654321", None, "2026-11-21T13:00", True),
        ("+4915123456789", None, "2026-11-18T02:00", True),  # no row: the windows alone decide
    ],
)
def test_the_law_of_the_number_is_kept_by_the_clock_of_the_person(
    number: str, zone: str | None, instant: str, is_allowed: bool
) -> None:
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert is_open(LAWFUL, zone, at, number=number) is is_allowed
    assert closed_by(LAWFUL, zone, at, number) is (None if is_allowed else ClosedBy.LEGAL_HOURS)
    assert is_open(Schedule("Europe/Berlin", WHOLE_DAYS), zone, at, number=number), "off: as if there were no law"


def test_the_law_looks_at_the_person_also_where_the_windows_do_not() -> None:
    schedule = Schedule("Europe/Berlin", WHOLE_DAYS, legal_hours=True, use_contact_timezone=False)
    nine_in_berlin = datetime(2026, 11, 18, 8, tzinfo=UTC)
    assert not is_open(schedule, "America/New_York", nine_in_berlin, number="+14155550123")
    assert next_opening(schedule, "America/New_York", nine_in_berlin, number="+14155550123") == datetime(
        2026, 11, 18, 13, tzinfo=UTC
    )


def test_a_number_of_no_country_has_no_law() -> None:
    assert legal_row("+881612345678", country_of("+881612345678")) is None
    assert place_of("no number").zones == ()


def test_a_contact_without_a_zone_waits_until_every_zone_of_its_number_is_open() -> None:
    day = (TimeWindow.model_validate({"days": WEEK, "start": "09:00", "end": "17:00"}),)
    schedule = Schedule("Europe/Berlin", day, timezone_from_number=True)
    ten_in_new_york = datetime(2026, 11, 18, 15, tzinfo=UTC)
    assert is_open(schedule, None, ten_in_new_york, number="+12125550123")
    assert not is_open(schedule, None, ten_in_new_york, number="+14155550123"), "seven in San Francisco"
    assert not is_open(schedule, None, ten_in_new_york, number="+18005550123"), "anywhere from Hawaii on"
    assert is_open(schedule, None, ten_in_new_york, number="+881612345678"), "nowhere: as in Berlin, at four"
    assert is_open(schedule, "America/New_York", ten_in_new_york, number="+14155550123"), "its own zone says more"
    assert is_open(schedule, None, ten_in_new_york), "of all contacts without a zone nothing can be said"
