"""Campaigns: what is sent to make, change and redial one, and how it is shown."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from services.campaign_api.sysevo.schemas.settings import (
    Concurrency,
    NewBreaker,
    NewHours,
    NewRetry,
    NewSchedule,
    PatchedHours,
    PatchedSchedule,
    RatePerSecond,
    TextOrNothing,
    hours_differ,
    same_hours,
)
from services.campaign_api.sysevo.values import Body, Name, Ref
from shared.domain.shown_ids import UuidText

_EXAMPLE: Final[JsonDict] = {
    "name": "June Lead Outreach",
    "workflow_id": 1,
    "contacts_file_key": "campaigns/0d5e8a0e-6c0b-4b55-a6de-3b6f3f2a9d1c/3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21_a.csv",
    "max_concurrency": 5,
    "calling_hours": {
        "timezone": "America/New_York",
        "slots": [{"day": "monday", "start": "09:00", "end": "17:00"}],
    },
    "retry_config": {"enabled": True, "max_retries": 2, "retry_delay_seconds": 120},
    "telephony_configuration_id": None,
}


class CreateCampaign(Body):
    """A new campaign of an uploaded list; a draft, which nobody is called in before it is started."""

    model_config = ConfigDict(frozen=True, extra="ignore", json_schema_extra={"examples": [_EXAMPLE]})

    name: Name
    workflow_id: Ref
    source_id: TextOrNothing = Field(None, description="Dograh's name for contacts_file_key.")
    contacts_file_key: TextOrNothing = Field(None, validate_default=True, description="The file_key of an upload.")
    source_type: Literal["csv"] | None = Field(None, validate_default=True, description="With source_id.")
    max_concurrency: Concurrency | None = Field(
        None, validate_default=True, description="Calls at once; required with contacts_file_key."
    )
    calling_hours: NewHours | None = Field(None, description="Null: at any time.")
    schedule_config: Annotated[NewSchedule | None, AfterValidator(same_hours)] = Field(
        None, description="Dograh's form of calling_hours."
    )
    retry_config: NewRetry | None = None
    circuit_breaker: NewBreaker | None = None
    rate_limit_per_second: RatePerSecond | None = None
    telephony_configuration_id: Ref | None = Field(None, description="Null: the default one.")

    # Rules about several fields are told at one of them, so that they are told together with every other bad value.
    @field_validator("contacts_file_key")
    @classmethod
    def _names_one_file(cls, key: str | None, info: ValidationInfo) -> str | None:
        source_id = info.data.get("source_id", key)
        if key is None and source_id is None and "source_id" in info.data:
            raise PydanticCustomError("missing", "Send contacts_file_key, or source_id with source_type csv")
        if key is not None and source_id not in (None, key):
            raise PydanticCustomError("two_files", "contacts_file_key and source_id name different files; send one")
        return key

    @field_validator("source_type")
    @classmethod
    def _is_there_with_source_id(cls, kind: str | None, info: ValidationInfo) -> str | None:
        by_source_id = info.data.get("source_id") is not None and info.data.get("contacts_file_key", "") is None
        if kind is None and by_source_id:
            raise PydanticCustomError("missing", "source_id needs source_type: csv")
        return kind

    @field_validator("max_concurrency")
    @classmethod
    def _is_there_with_contacts_file_key(cls, most: int | None, info: ValidationInfo) -> int | None:
        if most is None and info.data.get("contacts_file_key") is not None:
            raise PydanticCustomError("missing", "contacts_file_key needs max_concurrency: how many calls at once")
        return most

    @property
    def file_key(self) -> str:
        """The key of the uploaded list."""
        return self.contacts_file_key or self.source_id or ""


class PatchCampaign(Body):
    """What is to change; what is not sent stays, also inside the objects."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", json_schema_extra={"examples": [{"retry_config": {"max_retries": 5}}]}
    )

    name: Name | None = None
    max_concurrency: Concurrency | None = None
    calling_hours: PatchedHours | None = Field(None, description="Null: at any time.")
    schedule_config: Annotated[PatchedSchedule | None, AfterValidator(same_hours)] = None
    retry_config: NewRetry | None = Field(None, description="What is not sent of it stays, whatever the default.")
    circuit_breaker: NewBreaker | None = Field(None, description="What is not sent of it stays, whatever the default.")
    rate_limit_per_second: RatePerSecond | None = Field(None, description="Null: no limit of its own.")

    @model_validator(mode="after")
    def _has_hours_or_none(self) -> Self:
        if self.clears_hours and self.schedule_config is not None:
            raise hours_differ()
        return self

    @property
    def clears_hours(self) -> bool:
        """Whether contacts may be called at any time from now on."""
        return self.calling_hours is None and "calling_hours" in self.model_fields_set


RedialStatus = Literal["no_answer", "busy", "voicemail", "failed"]
_FLAGS: Final = {
    "voicemail": "retry_on_voicemail",
    "no_answer": "retry_on_no_answer",
    "busy": "retry_on_busy",
}


class RedialCampaign(Body):
    """Which contacts of a completed campaign are called again."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", json_schema_extra={"examples": [{"redial_statuses": ["no_answer", "busy"]}]}
    )

    name: Name | None = None
    retry_on_voicemail: bool | None = None
    retry_on_no_answer: bool | None = None
    retry_on_busy: bool | None = None
    redial_statuses: Annotated[list[RedialStatus], Field(min_length=1, max_length=100)] | None = Field(
        None, validate_default=True, description="When sent, the flags do not count."
    )
    retry_config: NewRetry | None = None

    @field_validator("redial_statuses", mode="before")
    @classmethod
    def _with_underscores(cls, value: Any) -> Any:
        return (
            [each.replace("-", "_") if isinstance(each, str) else each for each in value]
            if isinstance(value, list)
            else value
        )

    @property
    def flags(self) -> dict[str, bool]:
        """The three outcomes that the flags speak of; one that is left out is true."""
        return {outcome: getattr(self, name) is not False for outcome, name in _FLAGS.items()}

    @field_validator("redial_statuses")
    @classmethod
    def _asks_for_somebody(cls, statuses: list[RedialStatus] | None, info: ValidationInfo) -> list[RedialStatus] | None:
        flags = [info.data.get(name, True) for name in _FLAGS.values()]
        if statuses is None and all(flag is False for flag in flags):
            raise PydanticCustomError("nobody", "One of the retry_on flags must be true, or send redial_statuses")
        return statuses


class HoursView(BaseModel):
    """Calling hours, SysEvo's form."""

    timezone: str
    slots: list[dict[str, str]] = Field(examples=[[{"day": "monday", "start": "09:00", "end": "17:00"}]])


class ScheduleView(BaseModel):
    """Calling hours, Dograh's form."""

    enabled: bool
    timezone: str
    slots: list[dict[str, int | str]] = Field(
        examples=[[{"day_of_week": 0, "start_time": "09:00", "end_time": "17:00"}]]
    )


class RetryView(BaseModel):
    """Retries."""

    enabled: bool
    max_retries: int
    retry_delay_seconds: int
    retry_on_busy: bool
    retry_on_no_answer: bool
    retry_on_voicemail: bool


class BreakerView(BaseModel):
    """The circuit breaker."""

    enabled: bool
    failure_threshold: float
    window_seconds: int
    min_calls_in_window: int


class LogView(BaseModel):
    """One entry of a campaign's log."""

    ts: datetime
    level: Literal["info", "warning", "error"]
    event: str
    message: str
    details: dict[str, Any]


class CampaignView(BaseModel):
    """A campaign: SysEvo's fields and Dograh's."""

    id: int
    name: str
    workflow_id: int = Field(description="0: an agent that is not registered.")
    workflow_name: str
    status: Literal["draft", "running", "paused", "completed", "failed"]
    state: Literal["created", "syncing", "running", "paused", "completed", "failed"]
    contacts_file_key: str | None
    source_type: Literal["csv", "api"]
    source_id: str
    total_rows: int
    processed_rows: int
    failed_rows: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    retry_config: RetryView
    max_concurrency: int | None
    effective_max_concurrency: int
    calling_hours: HoursView | None
    schedule_config: ScheduleView | None
    circuit_breaker: BreakerView
    rate_limit_per_second: float | None
    executed_count: int
    total_queued_count: int
    parent_campaign_id: int | None
    redialed_campaign_id: int | None
    telephony_configuration_id: int | None
    telephony_configuration_name: str | None
    warnings: list[str]
    logs: list[LogView] = Field(description="Oldest first, the newest 200; empty in the list.")
    native_id: UuidText


class CampaignList(BaseModel):
    """All campaigns, newest first."""

    campaigns: list[CampaignView]


class Defaults(BaseModel):
    """What a form for a new campaign begins with."""

    concurrent_call_limit: int
    from_numbers_count: int
    default_retry_config: RetryView
    last_campaign_settings: dict[str, Any] | None


class SourceSync(BaseModel):
    """How far the import of the list is."""

    status: Literal["pending", "in_progress", "completed", "failed"]
    last_synced_at: datetime | None
    error: str | None


class Progress(BaseModel):
    """How far a campaign is: SysEvo's fields, then Dograh's."""

    total_contacts: int
    dialled: int
    answered: int
    completed: int
    failed: int
    pending: int
    in_progress: int
    status: Literal["draft", "running", "paused", "completed", "failed"]
    campaign_id: int
    state: Literal["created", "syncing", "running", "paused", "completed", "failed"]
    total_rows: int
    processed_rows: int
    failed_calls: int
    progress_percentage: float
    source_sync: SourceSync
    rate_limit: float
    started_at: datetime | None
    completed_at: datetime | None
