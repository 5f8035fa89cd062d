"""Bounds of time of a list of calls, purely."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

# The database keeps milliseconds: the first time after one.
_NEXT: Final = timedelta(milliseconds=1)
_DAY: Final = timedelta(days=1)


def first_time(given: datetime | date) -> datetime:
    """The first time that a bound admits: a date is the whole day in UTC."""
    return given if isinstance(given, datetime) else datetime.combine(given, time(), UTC)


def time_after(given: datetime | date) -> datetime:
    """The first time that an inclusive bound admits no more."""
    return given + _NEXT if isinstance(given, datetime) else datetime.combine(given, time(), UTC) + _DAY
