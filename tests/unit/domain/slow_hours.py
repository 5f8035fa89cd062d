"""The rules of calling hours said a second time, slowly and in their plainest form; nothing of the code under test.

One instant at a time: what does the clock on the wall show, is today closed, was yesterday, is the time in a window.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import holidays

from shared.domain.calling_window import Schedule, TimeWindow
from shared.domain.closures import Closure
from shared.domain.legal_hours_table import LegalRow
from tests.unit.domain.zone_data import new_spelling, wall_clock

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Person:
    """Where a contact is: its own zone if it has one, the zones that its number may be in, and its law's row."""

    zone: str | None
    of_number: Sequence[str]
    law: LegalRow | None


def open_now(schedule: Schedule, person: Person, instant: datetime) -> bool:
    windows_hold = all(_windows_open(schedule, zone, instant) for zone in _zones_looked_at(schedule, person))
    if not windows_hold or not schedule.legal_hours or person.law is None:
        return windows_hold
    where = [person.zone] if person.zone is not None else person.of_number or [schedule.default_timezone]
    return all(law_allows(person.law, wall_clock(zone, instant)) for zone in where)


def _zones_looked_at(schedule: Schedule, person: Person) -> Sequence[str]:
    if not schedule.use_contact_timezone:
        return [schedule.default_timezone]
    if person.zone is not None:
        return [person.zone]
    if schedule.timezone_from_number and person.of_number:
        return person.of_number
    return [schedule.default_timezone]


def _windows_open(schedule: Schedule, zone: str, instant: datetime) -> bool:
    wall = wall_clock(zone, instant)
    today, yesterday = wall.date(), wall.date() - ONE_DAY
    if _is_closed(schedule, zone, today):
        return False
    windows = _windows_of(schedule, zone)
    if any(_in_own_day(window, wall) for window in windows):
        return True
    return not _is_closed(schedule, zone, yesterday) and any(_in_morning_after(window, wall) for window in windows)


def _windows_of(schedule: Schedule, zone: str) -> Iterable[TimeWindow]:
    for override in schedule.overrides:
        if new_spelling(zone) in [new_spelling(name) for name in override.timezones]:
            return override.windows
    return schedule.windows


def _in_own_day(window: TimeWindow, wall: datetime) -> bool:
    """Inside the window, on the very day that it is named for."""
    shown = f"{wall:%H:%M}"
    if DAYS[wall.weekday()] not in window.days or shown < window.start:
        return False
    return window.start > window.end or shown < window.end


def _in_morning_after(window: TimeWindow, wall: datetime) -> bool:
    """Inside the part of the window that lies on the day after the one that it is named for."""
    return DAYS[wall.weekday() - 1] in window.days and window.start > window.end and f"{wall:%H:%M}" < window.end


def _is_closed(schedule: Schedule, zone: str, day: date) -> bool:
    if any(day in _holidays(calendar, day.year) for calendar in schedule.closed.calendars):
        return True
    return any(_is_in(closure, day) for closure in schedule.closed.closures if _concerns(closure, zone))


def _concerns(closure: Closure, zone: str) -> bool:
    return closure.timezones is None or new_spelling(zone) in [new_spelling(name) for name in closure.timezones]


def _is_in(closure: Closure, day: date) -> bool:
    first, last = closure.first_day, closure.last_day or closure.first_day
    if first <= day <= last:
        return True
    if not closure.yearly or day < first:
        return False
    # By month and day, as on a calendar on the wall that has no year.
    begins, now, ends = _month_and_day(first, day), (day.month, day.day), _month_and_day(last, day)
    if begins <= ends:
        return begins <= now <= ends
    return now >= begins or now <= ends


def _month_and_day(of: date, near: date) -> tuple[int, int]:
    """Where it falls in the year of `near`."""
    leap = near.year % 4 == 0 and (near.year % 100 != 0 or near.year % 400 == 0)
    return (2, 28) if (of.month, of.day) == (2, 29) and not leap else (of.month, of.day)


_KNOWN: dict[tuple[str, int], set[date]] = {}


def _holidays(calendar: str, year: int) -> set[date]:
    if (calendar, year) not in _KNOWN:
        country, *part = calendar.split("-")
        _KNOWN[calendar, year] = set(holidays.country_holidays(country, part[0] if part else None, years=[year]))
    return _KNOWN[calendar, year]


def law_allows(row: LegalRow, wall: datetime) -> bool:
    """Whether a row of the table allows a call while the clock on the wall shows this."""
    if row.holidays is not None and wall.date() in _holidays(row.holidays, wall.year):
        return False
    shown = f"{wall:%H:%M}"
    return any(DAYS[wall.weekday()] in days.split() and start <= shown < end for days, start, end in row.hours)
