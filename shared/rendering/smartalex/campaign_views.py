"""Campaigns as they are shown."""

from typing import Literal

from pydantic import BaseModel, Field

from shared.domain.shown_ids import UuidText
from shared.rendering.smartalex.times import Time
from shared.rendering.smartalex.words import CampaignStatus


class WindowView(BaseModel):
    """A time of day in which calls are made."""

    start: str
    end: str


class DayView(BaseModel):
    """A day of the week. Of several windows `start` is the first's and `end` the last's."""

    enabled: bool
    start: str | None = Field(None, description="Only where the day is enabled.")
    end: str | None = Field(None, description="Only where the day is enabled.")
    windows: list[WindowView] | None = Field(None, description="Only where there are several.")


class BusinessHoursView(BaseModel):
    """The week."""

    monday: DayView
    tuesday: DayView
    wednesday: DayView
    thursday: DayView
    friday: DayView
    saturday: DayView
    sunday: DayView


class SettingsView(BaseModel):
    """How a campaign calls; the calling hours are null where the days differ."""

    calling_hours_start: str | None
    calling_hours_end: str | None
    timezone: str
    concurrent_calls: int
    max_retries: int


class Statistics(BaseModel):
    """A campaign's numbers; the contacts are the sum of the five buckets, the calls that of the five results."""

    contacts_count: int
    pending_count: int
    in_progress_count: int
    completed_count: int
    failed_count: int
    skipped_count: int
    calls_count: int
    answered_count: int
    voicemail_count: int
    no_answer_count: int
    busy_count: int
    failed_calls_count: int
    callbacks_count: int
    active_calls: int
    answer_rate: float
    average_duration: float = Field(description="Seconds of an answered call.")


class CampaignView(BaseModel):
    """A campaign."""

    id: UuidText
    name: str
    description: str | None
    objective: str | None
    agent_id: str | None
    phone_number_id: str | None
    campaign_mode: Literal["outbound"]
    status: CampaignStatus
    timezone: str
    business_hours: BusinessHoursView
    settings: SettingsView
    created_at: Time
    updated_at: Time
    started_at: Time | None
    completed_at: Time | None
    statistics: Statistics | None = Field(None, description="Not in lists.")
