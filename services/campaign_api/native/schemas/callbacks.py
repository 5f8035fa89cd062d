"""Callbacks: contacts that wait for a retry, or for a time that was asked for."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from services.campaign_api.http.requests import RequestBody
from services.campaign_api.native.schemas.contacts import ContactCallback, WaitingFor
from shared.clock import utc_now
from shared.domain.callbacks import MAX_AHEAD, MAX_NOTES, PAST_ALLOWED
from shared.domain.contact_input import Instant
from shared.domain.json_rules import check_text
from shared.domain.shown_ids import UuidText


def _to_come(at: datetime) -> datetime:
    now = utc_now()
    if at < now - PAST_ALLOWED:
        raise PydanticCustomError("time_past", "Write a time that has not passed")
    if at > now + MAX_AHEAD:
        raise PydanticCustomError("time_far_ahead", "Write a time within a year from now")
    return at


TimeToCome = Annotated[Instant, AfterValidator(_to_come)]
Notes = Annotated[str, Field(max_length=MAX_NOTES), AfterValidator(check_text)]


class RequestCallback(RequestBody):
    """When to call a contact back."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"at": "2027-03-05T15:30:00Z", "notes": "Wants to talk about the lease"}]}
    )

    at: TimeToCome = Field(description="Not before this time, at most a year ahead.")
    notes: Notes | None = None


class RescheduleCallback(RequestBody):
    """Another time for a callback."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"at": "2027-03-08T09:00:00Z"}]})

    at: TimeToCome = Field(description="Not before this time, at most a year ahead.")
    notes: Notes | None = Field(None, description="Left out or null: as they were.")


class CallbackView(ContactCallback):
    """A callback with the contact that waits for it."""

    campaign_id: UuidText | None = Field(description="null for contacts of no campaign.")
    contact_id: UuidText
    external_id: str | None = Field(description="The contact's.")
    phone_numbers: list[str]
    timezone: str | None = Field(description="The contact's; null: it has none of its own.")
    next_attempt_at: datetime | None = Field(description="The next possible time; null: never, as things stand.")
    waiting_for: WaitingFor | None = Field(description="Why it is not called now.")


class CallbackPage(BaseModel):
    """Callbacks, soonest first. A page may have fewer than `limit` rows, or none, and be followed by others."""

    callbacks: list[CallbackView]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")
