"""Campaigns: what is sent to make, change and redial one, and how it is shown."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from services.campaign_api.sysevo.schemas.settings import (
    Concurrency,
    NewBreaker,
    NewHours,
    NewRetry,
    NewSchedule,
    PatchedBreaker,
    PatchedHours,
    PatchedRetry,
    PatchedSchedule,
    RatePerSecond,
    TextOrNothing,
)
from services.campaign_api.sysevo.values import Body, Name, Ref

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
    contacts_file_key: TextOrNothing = Field(None, description="The file_key of an upload.")
    source_id: TextOrNothing = Field(None, description="Dograh's name for the same.")
    source_type: Literal["csv"] | None = Field(None, description="With source_id.")
    max_concurrency: Concurrency | None = Field(None, description="Calls at once; required with contacts_file_key.")
    calling_hours: NewHours | None = Field(None, description="Null: at any time.")
    schedule_config: NewSchedule | None = Field(None, description="Dograh's form of calling_hours.")
    retry_config: NewRetry | None = None
    circuit_breaker: NewBreaker | None = None
    rate_limit_per_second: RatePerSecond | None = None
    telephony_configuration_id: Ref | None = Field(None, description="Null: the default one.")

    @model_validator(mode="after")
    def _names_one_file(self) -> Self:
        if self.contacts_file_key is None and self.source_id is None:
            raise PydanticCustomError("missing", "Send contacts_file_key, or source_id with source_type csv")
        if self.contacts_file_key is None and self.source_type is None:
            raise PydanticCustomError("missing", "source_id needs source_type: csv")
        if self.contacts_file_key is not None and self.source_id not in (None, self.contacts_file_key):
            raise PydanticCustomError("two_files", "contacts_file_key and source_id name different files; send one")
        if self.contacts_file_key is not None and self.max_concurrency is None:
            raise PydanticCustomError("missing", "contacts_file_key needs max_concurrency: how many calls at once")
        return self

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
    schedule_config: PatchedSchedule | None = None
    retry_config: PatchedRetry | None = None
    circuit_breaker: PatchedBreaker | None = None
    rate_limit_per_second: RatePerSecond | None = Field(None, description="Null: no limit of its own.")


RedialStatus = Literal["no_answer", "busy", "voicemail", "failed"]


class RedialCampaign(Body):
    """Which contacts of a completed campaign are called again."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", json_schema_extra={"examples": [{"redial_statuses": ["no_answer", "busy"]}]}
    )

    name: Name | None = None
    redial_statuses: Annotated[list[RedialStatus], Field(min_length=1, max_length=100)] | None = None
    retry_on_voicemail: bool | None = None
    retry_on_no_answer: bool | None = None
    retry_on_busy: bool | None = None
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
        flags = {
            "voicemail": self.retry_on_voicemail,
            "no_answer": self.retry_on_no_answer,
            "busy": self.retry_on_busy,
        }
        return {name: flag is not False for name, flag in flags.items()}

    @model_validator(mode="after")
    def _asks_for_somebody(self) -> Self:
        if self.redial_statuses is None and not any(self.flags.values()):
            raise PydanticCustomError("nobody", "One of the retry_on flags must be true, or send redial_statuses")
        return self


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
    native_id: str


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
