"""What an organization says of hours for all its calls: closed days, and whether legal hours are kept."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict

from shared.domain.calling_window import Schedule, TimeWindow, Weekday
from shared.domain.closures import ClosedDays, Closure, Closures, HolidayCalendars

_ANY_HOUR: Final = (TimeWindow(days=tuple(Weekday), start="00:00", end="24:00"),)


class LegalHoursUse(StrEnum):
    """Whether legal hours are kept."""

    OFF = "off"
    ON = "on"


class OrganizationHours(BaseModel):
    """Closed days of all calls of an organization, those of contacts of no campaign included, and its `legal_hours`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    closures: Closures = ()
    holiday_calendars: HolidayCalendars = ()
    legal_hours: LegalHoursUse = LegalHoursUse.OFF

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the `organizations` collection; its other fields are left aside.

        Raises pydantic.ValidationError if it was not written by the API: call nobody of it and say so.
        """
        given = {name: document[name] for name in cls.model_fields if document.get(name)}
        return cls.model_validate(given)

    @cached_property
    def closed(self) -> ClosedDays:
        """The closed days."""
        return ClosedDays(self.closures, self.holiday_calendars)

    @property
    def keeps_legal_hours(self) -> bool:
        """Whether legal hours are kept."""
        return self.legal_hours is LegalHoursUse.ON

    @cached_property
    def ad_hoc_schedule(self) -> Schedule | None:
        """The hours of contacts of no campaign, which have no windows; None: any hour.

        One without a timezone is looked at in every zone that its number may be in; where none is known, in UTC.
        """
        if not self.closed and not self.keeps_legal_hours:
            return None
        return Schedule(
            "UTC", _ANY_HOUR, closed=self.closed, timezone_from_number=True, legal_hours=self.keeps_legal_hours
        )


NO_ORGANIZATION_HOURS: Final = OrganizationHours()
# For an organization whose stored hours cannot be read: rather no call than one on a closed day.
CLOSED_FOR_GOOD: Final = OrganizationHours(closures=(Closure(first_day=date.min, last_day=date.max),))
