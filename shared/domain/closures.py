"""Closed days: dates on which nobody is called, from 00:00 to 24:00 by the clock of the zone looked at.

A closed day takes everything with it that touches it: the morning of a window that began the day before, and the
morning after of one that would have begun on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.fields import TimezoneName, at_most
from shared.domain.holiday_calendars import MAX_CALENDARS, CalendarName, holiday_dates
from shared.domain.json_rules import ShortText
from shared.domain.timezones import EPOCH, canonical_timezone

MAX_CLOSURES: Final = 100
# Of one closure, and of all closures of one list: their document is read whenever somebody is called.
MAX_CLOSURE_ZONES: Final = 300
_EPOCH_DAY: Final = EPOCH.toordinal()
_ISO_DATE_LENGTH: Final = 10


def _date(value: Any) -> date:
    try:
        if isinstance(value, date):
            return value
        if isinstance(value, str) and len(value) == _ISO_DATE_LENGTH:
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise PydanticCustomError("date", "Write a date that exists like 2026-12-24")


CalendarDate = Annotated[
    date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-12-24"]})
]
"""A day of the calendar, sent as `YYYY-MM-DD`."""


class Closure(BaseModel):
    """Days on which nobody is called, `first_day` and `last_day` included, in some zones or in all.

    A `yearly` one comes again on the same days of every later year; 29 February is 28 February in years without.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_day: CalendarDate
    last_day: CalendarDate | None = Field(None, description="Included; without it the closure is one day long.")
    yearly: bool = Field(False, strict=True, description="Again on the same days of every later year.")
    timezones: (
        Annotated[tuple[TimezoneName, ...], Field(min_length=1, strict=False), at_most(MAX_CLOSURE_ZONES)] | None
    ) = Field(None, description="Only for contacts in these; without it for all.")
    name: Annotated[ShortText, Field(max_length=100)] | None = Field(None, examples=["Christmas"])

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.last_day is None:
            return self
        said = {"first": self.first_day.isoformat(), "last": self.last_day.isoformat()}
        if self.last_day < self.first_day:
            raise PydanticCustomError(
                "closure_ends_before_it_begins", "last_day ({last}) must not lie before first_day ({first})", said
            )
        next_first = self.first_day.year < date.max.year and _in_year(self.first_day, self.first_day.year + 1)
        if self.yearly and next_first and self.last_day >= next_first:
            raise PydanticCustomError(
                "closure_of_a_year", "A yearly closure must be shorter than a year, not from {first} to {last}", said
            )
        return self

    def holds_in(self, zone: str) -> bool:
        """Whether it holds in this zone, given by its canonical name."""
        return self.timezones is None or any(canonical_timezone(name) == zone for name in self.timezones)

    def spans(self, year: int) -> Iterator[tuple[date, date]]:
        """First and last day, both included, of each time that it comes and that may touch this year."""
        first, last = self.first_day, self.last_day or self.first_day
        if not self.yearly:
            yield first, last
            return
        for begins_in in (year - 1, year):
            if begins_in >= first.year:
                ends_in = begins_in + last.year - first.year
                yield _in_year(first, begins_in), _in_year(last, ends_in)


def _in_year(day: date, year: int) -> date:
    year = min(year, date.max.year)
    is_leap_day = (day.month, day.day) == (2, 29)
    try:
        return day.replace(year=year)
    except ValueError:
        if not is_leap_day:
            raise
        return date(year, 2, 28)


def _zones_in_all(closures: tuple[Closure, ...]) -> tuple[Closure, ...]:
    zones = sum(len(closure.timezones or ()) for closure in closures)
    if zones > MAX_CLOSURE_ZONES:
        raise PydanticCustomError(
            "too_long",
            "Name at most {limit} timezones in all closures together, not {size}; one without timezones holds in all",
            {"limit": MAX_CLOSURE_ZONES, "size": zones},
        )
    return closures


Closures = Annotated[
    tuple[Closure, ...],
    Field(strict=False, max_length=MAX_CLOSURES),
    AfterValidator(_zones_in_all),
    at_most(MAX_CLOSURES),
]
"""A list of closures; they may overlap."""

HolidayCalendars = Annotated[
    tuple[CalendarName, ...], Field(strict=False, max_length=MAX_CALENDARS), at_most(MAX_CALENDARS)
]
"""Holiday calendars; each of their days is closed in every zone."""


@dataclass(frozen=True)
class ClosedDays:
    """The closed days of all zones: closures, and every day of some holiday calendars."""

    closures: tuple[Closure, ...] = ()
    calendars: tuple[str, ...] = ()

    def __or__(self, others: "ClosedDays") -> "ClosedDays":
        """The days that are closed by either."""
        return ClosedDays(self.closures + others.closures, self.calendars + others.calendars)

    def __bool__(self) -> bool:
        return bool(self.closures or self.calendars)

    def in_zone(self, zone: str) -> "ClosedDaysOfZone | None":
        """Those of one zone, in whichever spelling; None when it has none."""
        name = canonical_timezone(zone)
        closures = tuple(closure for closure in self.closures if closure.holds_in(name))
        return ClosedDaysOfZone(closures, self.calendars) if closures or self.calendars else None


NEVER_CLOSED: Final = ClosedDays()


@dataclass(frozen=True)
class ClosedDaysOfZone:
    """Closed days on one wall clock. Keep and reuse it: the days of a year are worked out once."""

    closures: tuple[Closure, ...]
    calendars: tuple[str, ...]
    _years: dict[int, frozenset[int]] = field(default_factory=dict, compare=False, repr=False)

    def has(self, day: int) -> bool:
        """Whether a day of the wall calendar is closed; days are counted from 1970-01-01, which is 0."""
        ordinal = day + _EPOCH_DAY
        if not date.min.toordinal() <= ordinal <= date.max.toordinal():
            return False
        year = date.fromordinal(ordinal).year
        if year not in self._years:
            self._years[year] = self._days_of(year)
        return day in self._years[year]

    def _days_of(self, year: int) -> frozenset[int]:
        new_year, end = date(year, 1, 1), date(year, 12, 31)
        days = {day.toordinal() for calendar in self.calendars for day in holiday_dates(calendar, year)}
        for closure in self.closures:
            for first, last in closure.spans(year):
                days.update(range(max(first, new_year).toordinal(), min(last, end).toordinal() + 1))
        return frozenset(ordinal - _EPOCH_DAY for ordinal in days)
