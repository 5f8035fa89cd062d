"""When a contact may be called: weekly windows on the contact's own wall clock.

The one rule, also on days when clocks change: **an instant is open if the local wall clock then shows a
time inside a window**. What follows from it:

- Clocks go forward: wall times inside the gap do not happen. A window that lies in the gap does not open
  that day; one that starts in the gap opens at the end of the gap. A day that is skipped whole
  (Pacific/Apia, 2011-12-30) has no windows of its own.
- Clocks go back: the repeated hour counts both times. A window inside it opens twice (the first opening is
  the earlier one), and a window around it is open for one hour longer.
- A window that crosses midnight belongs to the day on which it starts, morning included: it is read as that
  day's evening and the next weekday's morning.

The start is inclusive, the end exclusive. An override holds for its zones in every spelling: one for
`America/New_York` binds a contact in `US/Eastern`. A zone nobody knows is never open: rather no call than one at night.

Closed days and legal hours take away from the windows (shared/domain/closures.py, legal_hours.py). Whoever asks about a
contact gives its number; without a number the answer leaves out what only a number decides.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, cached_property
from math import ceil
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared.domain.closures import NEVER_CLOSED, ClosedDays, ClosedDaysOfZone
from shared.domain.fields import TimezoneName, WallTime, at_most
from shared.domain.legal_hours import legal_row
from shared.domain.legal_hours_table import LegalRow
from shared.domain.number_places import place_of
from shared.domain.timezones import DAY_SECONDS, EPOCH, canonical_timezone, is_known_timezone, known_timezones
from shared.domain.weekly_hours import WeeklyHours
from shared.domain.zone_hours import ClosedBy, OpenHours, ZoneHours

__all__ = [
    "Schedule",
    "ScheduleOverride",
    "ScheduleOverrides",
    "TimeWindow",
    "Weekday",
    "closed_by",
    "is_open",
    "known_timezones",
    "next_opening",
]

_SECOND: Final = timedelta(seconds=1)


class Weekday(StrEnum):
    """A day of the week as the API writes it."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_WEEKDAYS: Final = tuple(Weekday)
# Somewhat more than there are.
MAX_TIMEZONES: Final = 700


class TimeWindow(BaseModel):
    """Calls are allowed from `start` (inclusive) to `end` (exclusive) on `days`, on the contact's wall clock.

    A start later than the end crosses midnight; the morning belongs to the day named. "24:00" ends a day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=len(Weekday)), at_most(len(Weekday))]
    start: WallTime
    end: WallTime

    @field_validator("days")
    @classmethod
    def _each_day_once(cls, days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
        return tuple(dict.fromkeys(days))

    @field_validator("start")
    @classmethod
    def _starts_within_a_day(cls, start: str) -> str:
        if start == "24:00":
            raise PydanticCustomError(
                "start_24_00", '"24:00" can only end a window; to start at midnight write "00:00"'
            )
        return start

    @field_validator("end")
    @classmethod
    def _ends_later_than_it_starts(cls, end: str, info: ValidationInfo) -> str:
        if end == info.data.get("start"):
            raise PydanticCustomError(
                "empty_window",
                "A window must end at another time than it starts, and both are {time}; "
                'for a whole day write "00:00" to "24:00"',
                {"time": end},
            )
        return end


class ScheduleOverride(BaseModel):
    """Windows that replace the default ones for contacts in the zones named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezones: Annotated[
        tuple[TimezoneName, ...], Field(min_length=1, max_length=MAX_TIMEZONES), at_most(MAX_TIMEZONES)
    ]
    windows: tuple[TimeWindow, ...]

    @field_validator("timezones")
    @classmethod
    def _each_zone_once(cls, timezones: tuple[str, ...]) -> tuple[str, ...]:
        first: dict[str, str] = {}  # the spelling that came first, by zone
        for name in timezones:
            first.setdefault(canonical_timezone(name), name)
        return tuple(first.values())


def _no_zone_in_two(overrides: tuple[ScheduleOverride, ...]) -> tuple[ScheduleOverride, ...]:
    seen: dict[str, str] = {}  # the spelling that came first, by zone
    for override in overrides:
        for name in override.timezones:
            zone = canonical_timezone(name)
            if zone in seen:
                raise _timezone_twice(seen[zone], name)
            seen[zone] = name
    return overrides


def _timezone_twice(first: str, second: str) -> PydanticCustomError:
    if first == second:
        return PydanticCustomError(
            "timezone_twice",
            "The timezone {name} stands in two overrides; put all its windows into one of them",
            {"name": first},
        )
    return PydanticCustomError(
        "timezone_twice",
        "The timezones {first} and {second} are one and the same, and it stands in two overrides; "
        "put all its windows into one of them",
        {"first": first, "second": second},
    )


# For request models: a list of overrides that does not name a zone twice, in one spelling or in two.
ScheduleOverrides = Annotated[tuple[ScheduleOverride, ...], AfterValidator(_no_zone_in_two)]


@dataclass(frozen=True)
class Schedule:
    """Windows of one configuration, and what takes hours away from them: closed days and legal hours.

    - `windows` are the default ones; `overrides` replace them in some zones. A zone named by two takes the first.
    - Windows and closed days are looked at in the contact's zone, else in `default_timezone`; in that one for
      everybody unless `use_contact_timezone`. With `timezone_from_number` a contact without a zone is looked at in
      every zone that its number may be in, and all must be open; where none is known, in `default_timezone`.
    - `legal_hours` are those of the number's country, where the person is: in the contact's zone, else in every zone
      that the number may be in.

    Hashable. Keep and reuse it: the work of reading its windows is done once per instance.
    """

    default_timezone: str
    windows: tuple[TimeWindow, ...]
    overrides: tuple[ScheduleOverride, ...] = ()
    closed: ClosedDays = NEVER_CLOSED
    use_contact_timezone: bool = True
    timezone_from_number: bool = False
    legal_hours: bool = False

    def depends_on_number(self, timezone: str | None) -> bool:
        """Whether the hours of contacts with this `timezone` (None: without) differ by their numbers."""
        return self.legal_hours or (timezone is None and self._looks_at_number)

    def open_hours(self, timezone: str | None, number: str | None) -> OpenHours:
        """The hours of a contact in `timezone` (None: it has none) with the number to be called, in E.164.

        Without a number: those of all contacts in that zone, as far as they are the same; legal hours are left out.
        """
        zones: tuple[str, ...] | None = None
        row: LegalRow | None = None
        if number is not None and self.depends_on_number(timezone):
            place = place_of(number)
            zones = (place.zones or (self.default_timezone,)) if timezone is None else None
            row = legal_row(number, place.country) if self.legal_hours else None
        key = timezone, zones, None if row is None else row.name, number is None
        hours = self._open_hours.get(key)
        if hours is None:
            hours = self._open_hours[key] = self._worked_out(timezone, zones, row, number is None)
        return hours

    def _worked_out(
        self, timezone: str | None, of_number: tuple[str, ...] | None, row: LegalRow | None, any_number: bool
    ) -> OpenHours:
        if not self.use_contact_timezone or (timezone is None and not self._looks_at_number):
            looked_at: tuple[str, ...] = (self.default_timezone,)
        elif timezone is not None:
            looked_at = (timezone,)
        elif any_number:
            if not any((self.windows, *(override.windows for override in self.overrides))):
                return OpenHours(None)
            looked_at = ()
        else:
            looked_at = of_number or ()
        where_person_is = (timezone,) if timezone is not None else of_number or ()
        if not all(is_known_timezone(zone) for zone in (*looked_at, *(where_person_is if row else ()))):
            return OpenHours(None)
        parts = [self._zone_hours(zone) for zone in looked_at]
        if row is not None:
            parts += [_legal_hours(row, zone) for zone in where_person_is]
        return OpenHours(tuple(parts))

    @property
    def _looks_at_number(self) -> bool:
        return self.timezone_from_number and self.use_contact_timezone

    def _zone_hours(self, zone: str) -> ZoneHours:
        weekly, own = self._weekly_by_zone.get(canonical_timezone(zone), self._default_weekly)
        return ZoneHours(zone, weekly, own, self.closed.in_zone(zone))

    @cached_property
    def _open_hours(self) -> dict[tuple[str | None, tuple[str, ...] | None, str | None, bool], OpenHours]:
        return {}

    @cached_property
    def _default_weekly(self) -> tuple[WeeklyHours, WeeklyHours]:
        return _weekly_hours(self.windows)

    @cached_property
    def _weekly_by_zone(self) -> dict[str, tuple[WeeklyHours, WeeklyHours]]:
        return {
            canonical_timezone(name): hours
            for override in reversed(self.overrides)
            for hours in [_weekly_hours(override.windows)]
            for name in override.timezones
        }


def is_open(
    schedule: Schedule, timezone: str | None, now: datetime, *, for_seconds: float = 0, number: str | None = None
) -> bool:
    """Whether a contact in `timezone` (None: it has none) may be called now and for `for_seconds` more.

    A window that closes exactly `for_seconds` from now is still long enough. Without the `number` to be called (E.164)
    the answer leaves out what only a number decides. Raises ValueError if `now` is naive.
    """
    second = _second_of(now)
    end = second + ceil(now.microsecond / 1_000_000 + for_seconds) if for_seconds > 0 else second + 1
    return schedule.open_hours(timezone, number).stays_open(second, end)


def next_opening(
    schedule: Schedule, timezone: str | None, after: datetime, *, number: str | None = None
) -> datetime | None:
    """First instant at or after `after` when calling is allowed, in UTC.

    None if there is none in five weeks (weekly hours never open then), or where days are closed in 366 days. An opening
    that falls in a spring gap moves to the end of the gap; in an autumn overlap the earlier hour counts. Without the
    `number` (E.164) the answer leaves out what only a number decides. Raises ValueError if `after` is naive.
    """
    found = schedule.open_hours(timezone, number).first(_second_of(after), wanted=True)
    # `after` may lie within the second that was found; never answer with an earlier instant.
    return None if found is None else max(_instant(found), after.astimezone(UTC))


def closed_by(schedule: Schedule, timezone: str | None, now: datetime, number: str | None) -> ClosedBy | None:
    """What keeps a contact from being called now: a closed day before legal hours before windows; None: nothing.

    Raises ValueError if `now` is naive.
    """
    return schedule.open_hours(timezone, number).closed_by(_second_of(now))


def _second_of(instant: datetime) -> int:
    if instant.tzinfo is None:
        raise ValueError("a naive datetime says no instant; pass one with a timezone")
    return (instant - EPOCH) // _SECOND


def _instant(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


def _weekly_hours(windows: Iterable[TimeWindow]) -> tuple[WeeklyHours, WeeklyHours]:
    """The hours of these windows, and the same without the mornings that belong to the day before."""
    spans = [span for window in windows for span in _spans(window)]
    own = [(start, min(end, (start // DAY_SECONDS + 1) * DAY_SECONDS)) for start, end in spans]
    return WeeklyHours.from_spans(spans), WeeklyHours.from_spans(own)


def _legal_hours(row: LegalRow, zone: str) -> ZoneHours:
    weekly, own = _weekly_of_row(row)
    return ZoneHours(zone, weekly, own, _holidays_of_row(row), ClosedBy.LEGAL_HOURS)


@cache
def _weekly_of_row(row: LegalRow) -> tuple[WeeklyHours, WeeklyHours]:
    return _weekly_hours(
        TimeWindow(days=tuple(Weekday(day) for day in days.split()), start=start, end=end)
        for days, start, end in row.hours
    )


@cache
def _holidays_of_row(row: LegalRow) -> ClosedDaysOfZone | None:
    return None if row.holidays is None else ClosedDaysOfZone((), (row.holidays,))


def _spans(window: TimeWindow) -> Iterator[tuple[int, int]]:
    start, end = _second_of_day(window.start), _second_of_day(window.end)
    length = end - start if start < end else end - start + DAY_SECONDS
    for day in window.days:
        opening = _WEEKDAYS.index(day) * DAY_SECONDS + start
        yield opening, opening + length


def _second_of_day(wall_time: str) -> int:
    hours, minutes = wall_time.split(":")
    return int(hours) * 3600 + int(minutes) * 60
