"""A campaign's numbers."""

from pydantic import BaseModel, Field

from services.campaign_api.native.campaign_words import CampaignStatus


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


class CampaignStatistics(BaseModel):
    """A campaign's numbers."""

    campaign_id: str
    status: CampaignStatus
    contacts: ContactCounts
    attempts: AttemptCounts
    active_calls: int
    concurrency_limit: int
