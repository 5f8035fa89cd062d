"""Configurations."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic.config import JsonDict

from services.campaign_api.http.requests import Identifier, Name, RequestBody, not_null
from services.campaign_api.native.schemas.campaigns import SettingWarningView
from shared.domain.calling_window import ScheduleOverride, ScheduleOverrides, TimeWindow
from shared.domain.closures import Closure, Closures, HolidayCalendars
from shared.domain.configuration import DEFAULT_TIMEZONE
from shared.domain.fields import (
    DEFAULT_MAX_ATTEMPTS,
    E164,
    CountryCode,
    MaxAttempts,
    MaxCallSeconds,
    RingSeconds,
    TimezoneName,
    at_most,
)
from shared.domain.outcome import Outcome
from shared.domain.retry import RetryRules
from shared.domain.shown_ids import UuidText
from shared.domain.voicemail import Voicemail

# More windows than a week has quarter hours say nothing new; a bound keeps the document small.
MAX_WINDOWS: Final = 700
MAX_OVERRIDES: Final = 600
MAX_OVERRIDE_WINDOWS: Final = 5000
_OFFICE_HOURS: Final[list[JsonValue]] = [
    {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "17:00"},
]
_EXAMPLE: Final[JsonDict] = {
    "name": "Office hours",
    "default_timezone": "America/New_York",
    "default_windows": _OFFICE_HOURS,
    "overrides": [{"timezones": ["America/Los_Angeles"], "windows": _OFFICE_HOURS}],
    "default_country_code": "+1",
    "max_attempts": 3,
    "max_attempts_per_day": 2,
    "retry_rules": {"busy": {"retry": True, "delay_seconds": 900}},
    "closures": [{"first_day": "2026-12-24", "last_day": "2026-12-26", "yearly": True, "name": "Christmas"}],
    "holiday_calendars": ["US"],
    "agent_id": "outreach",
    "agent_number": "+14155550100",
}


def _bounded(overrides: Any) -> Any:
    """Counts before anything is read: see `at_most`."""
    rows = overrides if isinstance(overrides, list | tuple) else ()
    given = [row.get("windows") for row in rows if isinstance(row, dict)]
    windows = sum(len(some) for some in given if isinstance(some, list | tuple))
    if windows > MAX_OVERRIDE_WINDOWS:
        raise ValueError(f"must not have more than {MAX_OVERRIDE_WINDOWS} windows in all, but has {windows}")
    return overrides


Windows = Annotated[tuple[TimeWindow, ...], Field(strict=False, max_length=MAX_WINDOWS), at_most(MAX_WINDOWS)]
Overrides = Annotated[
    ScheduleOverrides,
    Field(strict=False, max_length=MAX_OVERRIDES),
    BeforeValidator(_bounded),
    at_most(MAX_OVERRIDES),
]


class CreateConfiguration(RequestBody):
    """A new configuration."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Name
    default_timezone: TimezoneName = DEFAULT_TIMEZONE
    default_windows: Windows = Field((), description="When contacts may be called; none means no calls.")
    overrides: Overrides = Field(
        (), description="Other windows for some timezones; an old spelling (US/Eastern) is its new one."
    )
    scheduled_windows: Windows | None = Field(None, description="For the first call of scheduled contacts.")
    scheduled_overrides: Overrides | None = None
    default_country_code: CountryCode | None = Field(None, description="How national numbers are read; else +1.")
    max_attempts: MaxAttempts = Field(
        DEFAULT_MAX_ATTEMPTS,
        description="Attempts for each contact; an outcome's own limit counts that outcome and may be higher.",
    )
    max_attempts_per_day: MaxAttempts | None = Field(
        None, description="Attempts for each contact in a day of its timezone, whatever came of them; null: no cap."
    )
    retry_rules: RetryRules = Field(default_factory=dict, description="By outcome; others follow the built-in rules.")
    agent_id: Identifier | None = None
    agent_version: Identifier | None = None
    agent_number: E164 | None = Field(None, description="The caller number, in E.164.")
    use_contact_timezone: bool = Field(
        True, description="false: windows and closed days are looked at in default_timezone for everybody."
    )
    timezone_from_number: bool = Field(
        False,
        description="A contact without timezone is called only while every timezone its number may be in is open.",
    )
    closures: Closures = Field((), description="Days on which nobody is called, beside those of the organization.")
    holiday_calendars: HolidayCalendars = Field(
        (), description="Nobody is called on the public holidays of these: a country (US) or a part of one (DE-BY)."
    )
    ring_seconds: RingSeconds | None = Field(None, description="How long phones ring; null: as the operator has set.")
    max_call_seconds: MaxCallSeconds | None = Field(
        None, description="The longest call, from the answer on; null: as the operator has set."
    )
    voicemail: Voicemail | None = Field(
        None, description="What is done when a machine takes the call; null: as the operator has set."
    )


class EditConfiguration(RequestBody):
    """What is to change; fields left out stay, null clears those that can be null."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"max_attempts": 5}]})

    name: Annotated[Name | None, BeforeValidator(not_null)] = None
    default_timezone: Annotated[TimezoneName | None, BeforeValidator(not_null)] = None
    default_windows: Annotated[Windows | None, BeforeValidator(not_null)] = None
    overrides: Annotated[Overrides | None, BeforeValidator(not_null)] = None
    scheduled_windows: Windows | None = None
    scheduled_overrides: Overrides | None = None
    default_country_code: CountryCode | None = None
    max_attempts: Annotated[MaxAttempts | None, BeforeValidator(not_null)] = None
    max_attempts_per_day: MaxAttempts | None = None
    retry_rules: Annotated[RetryRules | None, BeforeValidator(not_null)] = None
    agent_id: Identifier | None = None
    agent_version: Identifier | None = None
    agent_number: E164 | None = None
    use_contact_timezone: Annotated[bool | None, BeforeValidator(not_null)] = None
    timezone_from_number: Annotated[bool | None, BeforeValidator(not_null)] = None
    closures: Annotated[Closures | None, BeforeValidator(not_null)] = None
    holiday_calendars: Annotated[HolidayCalendars | None, BeforeValidator(not_null)] = None
    ring_seconds: RingSeconds | None = None
    max_call_seconds: MaxCallSeconds | None = None
    voicemail: Voicemail | None = None


class ConfigurationView(BaseModel):
    """A configuration, as it was set."""

    id: UuidText
    campaign_id: UuidText | None = Field(description="The only campaign that may refer to it; null: any may.")
    name: str
    default_timezone: str
    default_windows: list[TimeWindow]
    overrides: list[ScheduleOverride]
    scheduled_windows: list[TimeWindow] | None
    scheduled_overrides: list[ScheduleOverride] | None
    default_country_code: str | None
    max_attempts: int
    max_attempts_per_day: int | None
    retry_rules: dict[Outcome, dict[str, Any]]
    agent_id: str | None
    agent_version: str | None
    agent_number: str | None
    use_contact_timezone: bool
    timezone_from_number: bool
    closures: list[Closure]
    holiday_calendars: list[str]
    ring_seconds: int | None
    max_call_seconds: int | None
    voicemail: Voicemail | None
    created_at: datetime
    updated_at: datetime


class ChangedConfiguration(ConfigurationView):
    """A configuration that was made or changed."""

    warnings: list[SettingWarningView] = Field([], description="Only when it calls nobody as it is.")


class ConfigurationPage(BaseModel):
    """Configurations, newest first."""

    configurations: list[ConfigurationView]
    next_cursor: str | None


class Timezones(BaseModel):
    """Every timezone name that is understood."""

    timezones: list[str] = Field(examples=[["Africa/Abidjan", "America/New_York", "Europe/Berlin"]])
