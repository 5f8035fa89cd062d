"""Calls as they are shown."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from shared.domain.outcome import Outcome
from shared.domain.shown_ids import UuidText
from shared.rendering.smartalex.times import Time
from shared.rendering.smartalex.words import CallShown


class CallsContact(BaseModel):
    """The contact of a call."""

    id: UuidText
    first_name: str | None
    last_name: str | None
    email: str | None = Field(None, description="Only where one call is read.")


class CallView(BaseModel):
    """A call; what its agent says of it is null until then."""

    id: UuidText
    direction: Literal["outbound"]
    agent_id: str | None
    campaign_id: UuidText | None
    contact_id: UuidText | None = Field(description="null where the contact is not in the book.")
    contact: CallsContact | None
    phone_number: str | None
    status: CallShown
    call_status: CallShown = Field(description="The same.")
    outcome: Outcome | None
    duration: int = Field(description="Seconds of talk.")
    duration_seconds: int = Field(description="The same.")
    sentiment: str | None
    cost: float | None
    recording_url: str | None
    summary: str | None
    created_at: Time
    start_timestamp: Time
    end_timestamp: Time | None


class Turn(BaseModel):
    """What somebody said."""

    speaker: str
    text: str
    timestamp: Time | None


class WholeCall(CallView):
    """A call with what was said."""

    transcript: list[Turn]
    extracted_data: dict[str, Any] | None
