"""What a campaign would do now."""

from datetime import datetime

from pydantic import BaseModel, Field

from shared.domain.contact import ContactStatus
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.shown_ids import UuidText


class PreviewedContactView(BaseModel):
    """A contact that waits."""

    contact_id: UuidText
    external_id: str | None
    timezone: str | None
    priority: int


class PreviewedCallView(PreviewedContactView):
    """A call that would be made now."""

    attempt_number: int
    phone_number: str
    caller_number: str
    agent_id: str | None = Field(description="null: the contact brings its own agent_config.")
    agent_version: str | None


class NotCalledView(PreviewedContactView):
    """A contact that would not be called now, and why: it waits for `reason`, or would end as `status`."""

    reason: WaitReason | None
    until: datetime | None = Field(description="When that wait is over; null: not by time alone.")
    status: ContactStatus | None
    ended_because: EndReason | None
    what_to_do: str | None


class PreviewView(BaseModel):
    """What the campaign would do at one moment if it ran, alone; nothing is done."""

    campaign_id: UuidText | None = Field(description="null for contacts of no campaign.")
    at: datetime
    calls: list[PreviewedCallView] = Field(description="The calls that would be made now, in order.")
    not_called: list[NotCalledView] = Field(description="Why not the next 100.")
