"""A campaign's numbers."""

from datetime import datetime

from pydantic import BaseModel, Field

from services.campaign_api.native.campaign_words import CampaignStatus
from shared.domain.shown_ids import UuidText


class ContactCounts(BaseModel):
    """Contacts by where they stand; `total` is the sum of the others."""

    total: int
    pending: int = Field(description="Waiting for a first call or a retry.")
    in_progress: int = Field(description="Locked for a call, or being called.")
    completed: int
    exhausted: int
    error: int
    skipped: int


class AttemptCounts(BaseModel):
    """Attempts made."""

    total: int
    average_per_contact: float


class ReachedCounts(BaseModel):
    """Contacts by what has come of them so far; one may be in several of these."""

    called: int = Field(description="Called at least once, or on the way to the first call.")
    answered: int = Field(description="A person took at least one call.")
    opted_out: int = Field(description="The person asked in a call not to be called again.")
    waiting_for_retry: int = Field(description="Called before, and to be called again.")
    waiting_for_callback: int = Field(description="To be called at a time that was asked for.")


class LastMinute(BaseModel):
    """Calls of the last 60 seconds, as they were counted a second ago."""

    placed: int = Field(description="Calls given to an executor to be placed, less those that it gave back.")
    ended: int


class ForecastView(BaseModel):
    """When all who wait will have been called, as it has gone so far: contacts that wait, times
    calls for each contact, by the pace.

    All null while the campaign is not active, nobody waits, or its run has made fewer than 50 calls.
    """

    calls_left: int | None
    calls_per_second: float | None = Field(description="The pace in open hours: the last minute's, or the run's.")
    ends_at: datetime | None = Field(description="In UTC, outside hours left out; null also beyond 92 days.")


class CampaignStatistics(BaseModel):
    """A campaign's numbers."""

    campaign_id: UuidText
    status: CampaignStatus
    contacts: ContactCounts
    attempts: AttemptCounts
    active_calls: int
    concurrency_limit: int
    reached: ReachedCounts
    ended: dict[str, int] = Field(
        description="Contacts that have ended, by why; without those that ended before reasons were kept."
    )
    outcomes: dict[str, int] = Field(description="Attempts that have ended, by how.")
    talk_seconds: float = Field(description="How long all answered calls lasted, each from its answer on.")
    calls_of_run: int = Field(description="Calls since the campaign was last started or resumed.")
    last_minute: LastMinute
    forecast: ForecastView
