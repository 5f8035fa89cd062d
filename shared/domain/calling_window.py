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
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared.domain.fields import TimezoneName, WallTime, at_most
from shared.domain.timezones import (
    DAY_SECONDS,
    EPOCH,
    canonical_timezone,
    is_known_timezone,
    known_timezones,
    steady_offset,
    steady_spans,
)
from shared.domain.weekly_hours import WEEK_SECONDS, WeeklyHours

__all__ = [
    "OpenZones",
    "Schedule",
    "ScheduleOverride",
    "ScheduleOverrides",
    "TimeWindow",
    "Weekday",
    "closes_at",
    "is_open",
    "known_timezones",
    "next_opening",
    "open_zones",
]

# Weekly hours repeat after 7 days; a clock change or a skipped day can cost a window one occurrence. Five
# weeks are therefore more than enough to say "never" (tested for every zone).
_HORIZON_SECONDS: Final = 5 * WEEK_SECONDS
_EPOCH_WEEKDAY_SECONDS: Final = 3 * DAY_SECONDS  # 1970-01-01 was a Thursday
_SECOND: Final = timedelta(seconds=1)
_END_OF_TIME: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _SECOND  # where datetime ends; exclusive here


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
                'A window must end at another time than it starts; for a whole day write "00:00" to "24:00"',
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
    """Windows of one configuration: the default ones, and those that replace them in some zones.

    Hashable. Keep and reuse it: the work of reading its windows is done once per instance. A zone named
    by two overrides takes the first.
    """

    default_timezone: str
    windows: tuple[TimeWindow, ...]
    overrides: tuple[ScheduleOverride, ...] = ()

    def hours(self, timezone: str) -> WeeklyHours:
        """The weekly hours that hold in a zone, in whichever spelling it is given."""
        return self._hours_by_zone.get(canonical_timezone(timezone), self._default_hours)

    @cached_property
    def _default_hours(self) -> WeeklyHours:
        return _weekly_hours(self.windows)

    @cached_property
    def _hours_by_zone(self) -> dict[str, WeeklyHours]:
        return {
            canonical_timezone(name): hours
            for override in reversed(self.overrides)
            for hours in [_weekly_hours(override.windows)]
            for name in override.timezones
        }


@dataclass(frozen=True, slots=True)
class OpenZones:
    """The zones that are open, and the first later instant at which that may change (UTC; None: never)."""

    zones: frozenset[str | None]
    until: datetime | None


def is_open(schedule: Schedule, timezone: str | None, now: datetime, *, for_seconds: float = 0) -> bool:
    """Whether a contact in `timezone` (None: the schedule's default) may be called now and for `for_seconds` more.

    A window that closes exactly `for_seconds` from now is still long enough. Raises ValueError if `now` is naive.
    """
    name = schedule.default_timezone if timezone is None else timezone
    second, hours = _second_of(now), schedule.hours(name)
    if not is_known_timezone(name) or not _is_open_at(hours, name, second):
        return False
    if for_seconds <= 0:
        return True
    closing = _first_second(hours, name, second, wanted=False)
    return closing is None or (closing - second) - (now - _instant(second)) / _SECOND >= for_seconds


def next_opening(schedule: Schedule, timezone: str | None, after: datetime) -> datetime | None:
    """First instant at or after `after` when calling is allowed, in UTC; None if never.

    An opening that falls in a spring gap moves to the end of the gap; in an autumn overlap the earlier hour
    counts. Raises ValueError if `after` is naive.
    """
    return _first_instant(schedule, timezone, after, wanted=True)


def closes_at(schedule: Schedule, timezone: str | None, now: datetime) -> datetime | None:
    """First instant at or after `now` when calling is not allowed, in UTC; None if never.

    Raises ValueError if `now` is naive.
    """
    return _first_instant(schedule, timezone, now, wanted=False)


def open_zones(schedule: Schedule, zones: Iterable[str | None], now: datetime) -> OpenZones:
    """Those of `zones` that are open now, and the first instant after `now` when any of them opens or closes.

    None stands for the default zone. Ask again at `until`, not before. Raises ValueError if `now` is naive.
    """
    second = _second_of(now)
    open_now: set[str | None] = set()
    changes: set[int] = set()
    for zone in set(zones):
        name = schedule.default_timezone if zone is None else zone
        if not is_known_timezone(name):
            continue
        is_open_now, change = _answer_and_change(schedule.hours(name), name, second)
        if is_open_now:
            open_now.add(zone)
        if change is not None:
            changes.add(change)
    return OpenZones(frozenset(open_now), _instant(min(changes)) if changes else None)


def _answer_and_change(hours: WeeklyHours, name: str, second: int) -> tuple[bool, int | None]:
    """Whether it is open at `second`, and the first later second when it is not so any more."""
    offset, steady_until = steady_offset(name, second)
    wall = _second_of_week(second, offset)
    open_now = hours.is_open(wall)
    if hours.never_changes:
        return open_now, None
    change = second + hours.seconds_to_flip(wall)
    if change < steady_until:  # the usual case: no clock change before the next flip
        return open_now, change
    return open_now, _first_second(hours, name, second, wanted=not open_now)


def _first_instant(schedule: Schedule, timezone: str | None, after: datetime, *, wanted: bool) -> datetime | None:
    name = schedule.default_timezone if timezone is None else timezone
    second = _second_of(after)
    if not is_known_timezone(name):
        return None if wanted else after.astimezone(UTC)
    found = _first_second(schedule.hours(name), name, second, wanted=wanted)
    # `after` may lie within the second that was found; never answer with an earlier instant.
    return None if found is None else max(_instant(found), after.astimezone(UTC))


def _first_second(hours: WeeklyHours, name: str, second: int, *, wanted: bool) -> int | None:
    """First second at or after `second` at which the answer is `wanted`; None if there is none in five weeks."""
    if hours.never_changes:
        return second if hours.open_before_first_flip == wanted else None
    for start, end, offset in steady_spans(name, second, min(second + _HORIZON_SECONDS, _END_OF_TIME)):
        wall = _second_of_week(start, offset)
        if hours.is_open(wall) == wanted:
            return start
        flip = start + hours.seconds_to_flip(wall)
        if flip < end:
            return flip
    return None


def _is_open_at(hours: WeeklyHours, name: str, second: int) -> bool:
    return hours.is_open(_second_of_week(second, steady_offset(name, second)[0]))


def _second_of_week(second: int, offset: int) -> int:
    return (second + offset + _EPOCH_WEEKDAY_SECONDS) % WEEK_SECONDS


def _second_of(instant: datetime) -> int:
    if instant.tzinfo is None:
        raise ValueError("a naive datetime says no instant; pass one with a timezone")
    return (instant - EPOCH) // _SECOND


def _instant(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


def _weekly_hours(windows: Iterable[TimeWindow]) -> WeeklyHours:
    return WeeklyHours.from_spans(span for window in windows for span in _spans(window))


def _spans(window: TimeWindow) -> Iterator[tuple[int, int]]:
    start, end = _second_of_day(window.start), _second_of_day(window.end)
    length = end - start if start < end else end - start + DAY_SECONDS
    for day in window.days:
        opening = _WEEKDAYS.index(day) * DAY_SECONDS + start
        yield opening, opening + length


def _second_of_day(wall_time: str) -> int:
    hours, minutes = wall_time.split(":")
    return int(hours) * 3600 + int(minutes) * 60
