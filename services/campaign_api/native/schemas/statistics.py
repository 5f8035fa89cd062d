"""A campaign's numbers."""

from typing import Self

from pydantic import BaseModel, Field

from shared.domain.campaign import CampaignStatus
from shared.store.catalog.campaigns import Campaign
from shared.store.catalog.organizations import Organization
from shared.store.reports.counters import CampaignCounts


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

    @classmethod
    def of(cls, campaign: Campaign, organization: Organization, counts: CampaignCounts) -> Self:
        """As the customer sees it."""
        limit = campaign.concurrency_limit
        return cls(
            campaign_id=campaign.id,
            status=campaign.status,
            contacts=ContactCounts(
                total=counts.total,
                pending=counts.pending,
                in_progress=counts.active,
                completed=counts.completed,
                exhausted=counts.exhausted,
                error=counts.error,
                skipped=counts.skipped,
            ),
            attempts=AttemptCounts(total=counts.attempts, average_per_contact=counts.average_attempts),
            active_calls=counts.active,
            concurrency_limit=organization.calls_at_once if limit is None else min(limit, organization.calls_at_once),
        )
