"""The part of a stored configuration that dialing needs: when to call, how often, and with which agent."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.calling_window import Schedule, ScheduleOverride, TimeWindow
from shared.domain.closures import ClosedDays, Closures, HolidayCalendars
from shared.domain.fields import DEFAULT_MAX_ATTEMPTS, MaxCallSeconds, RingSeconds
from shared.domain.organization_hours import NO_ORGANIZATION_HOURS, OrganizationHours
from shared.domain.outcome import Outcome
from shared.domain.retry import RetryPolicy, RetryRule
from shared.domain.voicemail import Voicemail

DEFAULT_TIMEZONE: Final = "America/New_York"
DEFAULT_COUNTRY_CODE: Final = "+1"  # for national numbers where the configuration names none


class Configuration(BaseModel):
    """One configuration as the dialer reads it, with what its organization says of hours.

    Keep and reuse the instance: its schedules are worked out once. Windows default to none, which means no calls;
    `ring_seconds`, `max_call_seconds` and `voicemail` None: the operator's settings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    default_timezone: str = DEFAULT_TIMEZONE
    default_windows: tuple[TimeWindow, ...] = ()
    overrides: tuple[ScheduleOverride, ...] = ()
    scheduled_windows: tuple[TimeWindow, ...] | None = None
    scheduled_overrides: tuple[ScheduleOverride, ...] | None = None
    default_country_code: str | None = None
    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    max_attempts_per_day: int | None = None
    retry_rules: Mapping[Outcome, RetryRule] = Field(default_factory=dict)
    agent_id: str | None = None
    agent_version: str | None = None
    agent_number: str | None = None
    use_contact_timezone: bool = True
    timezone_from_number: bool = False
    closures: Closures = ()
    holiday_calendars: HolidayCalendars = ()
    ring_seconds: RingSeconds | None = None
    max_call_seconds: MaxCallSeconds | None = None
    voicemail: Voicemail | None = None
    organization: OrganizationHours = Field(NO_ORGANIZATION_HOURS, exclude=True)

    @classmethod
    def from_document(
        cls, document: Mapping[str, Any], organization: OrganizationHours = NO_ORGANIZATION_HOURS
    ) -> Self:
        """Read a document of the `configurations` collection; its other fields are left aside.

        Raises pydantic.ValidationError if it was not written by the API: treat its campaigns as paused and say so.
        """
        stored = {name: document[name] for name in cls.model_fields if name in document}
        return cls.model_validate({**stored, "organization": organization})

    def schedule(self, scheduled: bool) -> Schedule:
        """The windows for the first call of a contact with a scheduled time, or (False) for every other call."""
        return self._scheduled_schedule if scheduled else self._default_schedule

    @cached_property
    def has_one_schedule(self) -> bool:
        """Whether `schedule` is the same for every call."""
        return self._scheduled_schedule == self._default_schedule

    @cached_property
    def retry_policy(self) -> RetryPolicy:
        """What follows each outcome of an attempt."""
        return RetryPolicy(self.max_attempts, self.retry_rules)

    @cached_property
    def _default_schedule(self) -> Schedule:
        return self._schedule(self.default_windows, self.overrides)

    @cached_property
    def _scheduled_schedule(self) -> Schedule:
        windows = self.default_windows if self.scheduled_windows is None else self.scheduled_windows
        overrides = self.overrides if self.scheduled_overrides is None else self.scheduled_overrides
        return self._schedule(windows, overrides)

    def _schedule(self, windows: tuple[TimeWindow, ...], overrides: tuple[ScheduleOverride, ...]) -> Schedule:
        return Schedule(
            self.default_timezone,
            windows,
            overrides,
            closed=ClosedDays(self.closures, self.holiday_calendars) | self.organization.closed,
            use_contact_timezone=self.use_contact_timezone,
            timezone_from_number=self.timezone_from_number,
            legal_hours=self.organization.keeps_legal_hours,
        )


# What a configuration itself says, its name aside: all but what its organization adds.
OWN_FIELDS: Final = tuple(name for name, field in Configuration.model_fields.items() if not field.exclude)
