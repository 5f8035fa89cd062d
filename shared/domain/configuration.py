"""The part of a stored configuration that dialing needs: when to call, how often, and with which agent."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.calling_window import Schedule, ScheduleOverride, TimeWindow
from shared.domain.fields import DEFAULT_MAX_ATTEMPTS
from shared.domain.outcome import Outcome
from shared.domain.retry import RetryPolicy, RetryRule

DEFAULT_TIMEZONE: Final = "America/New_York"
DEFAULT_COUNTRY_CODE: Final = "+1"  # for national numbers where the configuration names none


class Configuration(BaseModel):
    """One configuration as the dialer reads it. Keep and reuse the instance: its schedules are worked out once.

    Windows default to none, which means no calls.
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

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the `configurations` collection; its other fields are left aside.

        Raises pydantic.ValidationError if it was not written by the API: treat its campaigns as paused and say so.
        """
        return cls.model_validate({name: document[name] for name in cls.model_fields if name in document})

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
        return Schedule(self.default_timezone, self.default_windows, self.overrides)

    @cached_property
    def _scheduled_schedule(self) -> Schedule:
        windows = self.default_windows if self.scheduled_windows is None else self.scheduled_windows
        overrides = self.overrides if self.scheduled_overrides is None else self.scheduled_overrides
        return Schedule(self.default_timezone, windows, overrides)
