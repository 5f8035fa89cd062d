"""Windows, closed days, legal hours and zones together, in every zone of the world, against the slow way to say it."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.domain.calling_window import (
    Schedule,
    ScheduleOverride,
    TimeWindow,
    Weekday,
    closed_by,
    is_open,
    next_opening,
)
from shared.domain.closures import ClosedDays, Closure
from shared.domain.legal_hours import legal_row
from shared.domain.number_places import place_of
from shared.domain.timezones import known_timezones
from tests.unit.domain.slow_hours import Person, open_now
from tests.unit.domain.zone_data import at_utc, clock_changes

ZONES = known_timezones()
DAYS = list(Weekday)
QUARTER, HOUR, DAY, YEAR = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1), timedelta(days=366)
# Numbers of every row of the table, of countries without one, with one zone, with many, and with none.
NUMBERS = (
    "+14155550123", "+13055550123", "+12145550123", "+18005550123", "+16475550123", "+442079460123", "+919812345678",
    "+61412345678", "+61291234567", "+33612345678", "+5511987654321", "+4915123456789", "+525512345678",
    "+79031234567", "+881612345678", "+17875550123",
)  # fmt: skip
CALENDARS = ("US", "US-CA", "DE", "DE-BY", "FR", "JP", "IN", "BR", "AU", "SA")
NEW_YEAR, LAST_DAY = date(2024, 1, 1), date(2030, 12, 31)

wall_times = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
windows = st.builds(
    lambda days, start, end: TimeWindow(days=tuple(days), start=start, end="24:00" if start == end else end),
    st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True),
    wall_times,
    wall_times | st.just("24:00"),
)
zones = st.sampled_from(ZONES)


@st.composite
def closures(draw: st.DrawFn, zone: str) -> Closure:
    first = draw(st.dates(NEW_YEAR, LAST_DAY) | st.sampled_from([date(2024, 2, 29), date(2026, 12, 31)]))
    length = draw(st.none() | st.integers(0, 20))
    named = draw(st.none() | st.lists(zones, min_size=1, max_size=2).map(lambda some: (*some, zone)))
    return Closure(
        first_day=first,
        last_day=None if length is None else first + length * DAY,
        yearly=draw(st.booleans()),
        timezones=named,
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[Schedule, str | None, str, datetime]:
    zone = draw(zones)
    overrides: list[list[TimeWindow]] = draw(st.lists(st.lists(windows, max_size=2), max_size=1))
    schedule = Schedule(
        draw(zones),
        tuple(draw(st.lists(windows, min_size=1, max_size=3))),
        tuple(ScheduleOverride(timezones=(zone,), windows=tuple(some)) for some in overrides),
        closed=ClosedDays(
            tuple(draw(st.lists(closures(zone), max_size=3))),
            tuple(draw(st.lists(st.sampled_from(CALENDARS), max_size=2))),
        ),
        use_contact_timezone=draw(st.sampled_from([True, True, False])),
        timezone_from_number=draw(st.booleans()),
        legal_hours=draw(st.booleans()),
    )
    changes = [change for change in clock_changes(zone) if 1_704_067_200 < change < 1_924_992_000]  # 2024 to 2030
    if draw(st.booleans()) and changes:
        at = at_utc(draw(st.sampled_from(changes)) + draw(st.integers(-172_800, 172_800)))
    else:
        at = at_utc(draw(st.integers(1_704_067_200, 1_924_992_000)))
    return schedule, zone if draw(st.booleans()) else None, draw(st.sampled_from(NUMBERS)), at


def person(zone: str | None, number: str) -> Person:
    place = place_of(number)
    return Person(zone, place.zones, legal_row(number, place.country))


def night(*days: str, closed: tuple[Closure, ...]) -> Schedule:
    window = TimeWindow(days=tuple(Weekday(day) for day in days), start="22:00", end="02:00")
    return Schedule("UTC", (window,), closed=ClosedDays(closed))


def steps(start: datetime, end: datetime) -> Iterator[datetime]:
    """Quarters of an hour for two days at both ends, every 37th minute for a month, then every third hour and a bit."""
    at = start
    while at < end:
        yield at
        at = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
        near = at - start < 2 * DAY or end - at < 2 * DAY
        at += QUARTER if near else timedelta(minutes=37) if at - start < 30 * DAY else timedelta(hours=3, minutes=7)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(), st.integers(0, 7200))
@example((night("wed", closed=(Closure(first_day=date(2026, 11, 19)),)), "Asia/Tokyo", NUMBERS[0], at_utc(0)), 5)
@example((night("thu", closed=(Closure(first_day=date(2026, 11, 19)),)), "America/Lima", NUMBERS[0], at_utc(0)), 5)
def test_the_first_opening_of_all_rules_is_the_first_plainly_open_instant(
    asked: tuple[Schedule, str | None, str, datetime], seconds: int
) -> None:
    schedule, zone, number, after = asked
    someone = person(zone, number)
    now_open = open_now(schedule, someone, after)
    assert is_open(schedule, zone, after, number=number) is now_open
    assert (closed_by(schedule, zone, after, number) is None) is now_open
    looks = [after + timedelta(seconds=s) for s in (*range(0, seconds, 300), max(0, seconds - 1))]
    assert is_open(schedule, zone, after, for_seconds=seconds, number=number) is all(
        open_now(schedule, someone, at) for at in looks
    )
    opening = next_opening(schedule, zone, after, number=number)
    if opening is not None:
        assert open_now(schedule, someone, opening)
        assert opening == after or not open_now(schedule, someone, opening - timedelta(microseconds=1))
    # Without an opening for as long as is looked ahead.
    far = after + (YEAR if schedule.closed else 35 * DAY)
    assert not any(open_now(schedule, someone, at) for at in steps(after, opening or far))


SEED = random.SystemRandom().randrange(10**6)


@pytest.mark.parametrize("part", range(4))
def test_a_year_in_every_zone_agrees(part: int) -> None:
    """Each zone gets a schedule of its own and random instants of a year, and those around its clock changes."""
    dice = random.Random(f"{SEED}/{part}")
    for zone in ZONES[part::4]:
        start = dice.choice(["00:00", "07:30", "21:15", "23:45"])
        days = tuple(dice.sample(DAYS, dice.randint(3, 7)))
        holiday = date(2026, 1, 1) + dice.randrange(365) * DAY
        schedule = Schedule(
            "America/New_York",
            (TimeWindow(days=days, start=start, end=dice.choice(["03:30", "12:00", "24:00"])),),
            closed=ClosedDays((Closure(first_day=holiday, last_day=holiday + DAY, yearly=True),), ("US",)),
            legal_hours=True,
        )
        number = dice.choice(NUMBERS)
        someone = person(zone, number)
        moments = [at_utc(1_767_225_600 + dice.randrange(365 * 86_400)) for _ in range(12)]
        moments += [
            at_utc(change + around)
            for change in clock_changes(zone)
            if 1_767_225_600 < change < 1_798_761_600
            for around in (-3601, -1, 0, 3599)
        ]
        midnight = datetime(holiday.year, holiday.month, holiday.day, tzinfo=UTC)
        moments += [midnight + hours * HOUR for hours in range(-26, 64, 3)]
        for at in moments:
            where = f"{zone} {number} {at} seed {SEED}"
            assert is_open(schedule, zone, at, number=number) is open_now(schedule, someone, at), where
