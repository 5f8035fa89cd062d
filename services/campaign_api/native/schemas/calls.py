"""Calls: attempts from their placement on, whatever contact they were made at."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from services.campaign_api.native.schemas.contacts import AttemptFields
from shared.domain.outcome import Outcome
from shared.domain.shown_ids import UuidText


class CallView(AttemptFields):
    """One call, from its placement on."""

    number: int = Field(description="Ascends within the organization.")
    direction: Literal["outbound"]
    campaign_id: UuidText | None = Field(
        description="null for contacts of no campaign, and where the contact was deleted before the report came."
    )
    contact_id: UuidText
    contact_name: str | None = Field(description="From the contact's data: first_name and last_name, or name.")
    outcome_before: Outcome | None = Field(description="How the contact's call before this one ended; null: none was.")
    created_at: datetime = Field(description="When it began.")
    result: dict[str, Any] | None = Field(
        description="What the agent has reported. What was said is null without the scope conversations:read_sensitive."
    )


class CallPage(BaseModel):
    """Calls. A page may have fewer rows than asked for, or none, and be followed by others."""

    calls: list[CallView]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")
    total: int | None = Field(description="How many there are; only where the page was asked for by `offset`.")
    counted_to: int | None = Field(
        description="Not all calls could be looked at for this filter, only so many; more may match. null: all were."
    )
