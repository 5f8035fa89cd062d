"""Contacts and their attempts."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict

from services.campaign_api.http.requests import RequestBody
from services.campaign_api.native.schemas.results import ReportedResultView
from shared.domain.callbacks import CallbackType
from shared.domain.contact import ContactStatus
from shared.domain.contact_input import ContactInput
from shared.domain.outcome import Outcome
from shared.domain.reasons import FOR_GOOD, EndReason, WaitReason
from shared.domain.shown_ids import CallbackIdText, UuidText

MAX_CONTACTS: Final = 1000
_EXAMPLE: Final[JsonDict] = {
    "contacts": [
        {"external_id": "lead-1001", "phone_numbers": ["+14155550123"], "data": {"first_name": "Ada"}},
        {"external_id": "lead-1002", "phone_numbers": ["+14155550199"], "data": {"first_name": "Grace"}},
    ]
}


class UpsertContacts(RequestBody):
    """Contacts to add, or to change where `id` or `external_id` is known."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    contacts: Annotated[list[ContactInput], Field(min_length=1, max_length=MAX_CONTACTS)]


def _not_for_good(reason: EndReason | None) -> EndReason | None:
    if reason in FOR_GOOD:
        raise ValueError("must not be answered or opted_out: such a contact is never called again")
    return reason


class ResetContacts(RequestBody):
    """Which contacts that have ended, or are put off, to call again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "error", "reason": "no_agent"}]})

    status: Literal["error", "exhausted", "skipped", "pending"] = Field(
        description="How they ended. `pending`: those that wait because a cap, a number on a call or a resting country "
        "has put them off; they are looked at anew at once."
    )
    reason: Annotated[EndReason | None, Field(strict=False), AfterValidator(_not_for_good)] = Field(
        None, description="Why they ended, as `ended_because` says; without it whatever the reason was."
    )
    cursor: Annotated[str, Field(max_length=1000)] | None = Field(
        None, description="`next_cursor` of the request before; none is reset twice on the way."
    )

    @field_validator("reason")
    @classmethod
    def _of_an_end(cls, reason: EndReason | None, others: ValidationInfo) -> EndReason | None:
        if reason is not None and others.data.get("status") == "pending":
            raise ValueError("must be left out with pending: such contacts have not ended")
        return reason


class ResetResult(BaseModel):
    """How many contacts will be called again."""

    reset: int = Field(description="Contacts that wait again in a moment; never one that was answered or opted out.")
    next_cursor: str | None = Field(description="There may be more than one request resets: send it again with this.")


class FailedContact(BaseModel):
    """A well-formed row that could not be applied."""

    model_config = ConfigDict(from_attributes=True)

    index: int = Field(description="The row's place in the request, from 0.")
    external_id: str | None
    reason: str


class ContactWarning(BaseModel):
    """A remark on a row that was applied."""

    model_config = ConfigDict(from_attributes=True)

    index: int = Field(description="The row's place in the request, from 0.")
    external_id: str | None
    message: str


class ContactsResult(BaseModel):
    """What became of the contacts."""

    model_config = ConfigDict(from_attributes=True)

    inserted: int
    updated: int
    failed: list[FailedContact]
    warnings: list[ContactWarning]
    contact_ids: list[UuidText | None] = Field(description="In the order of the request; null for a failed row.")


class AttemptFields(BaseModel):
    """One try at a contact, but what was reported of it.

    An attempt whose report came late is known without its numbers: they are null.
    """

    id: UuidText
    attempt_number: int | None = Field(description="From 1; null when only a late report is known.")
    phone_number: str | None = Field(description="null when only a late report is known.")
    caller_number: str | None = Field(description="null when only a late report is known.")
    agent_id: str | None
    agent_version: str | None
    status: Literal["in_progress", "ended"]
    outcome: Outcome | None
    started_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    duration_seconds: float | None
    conversation_id: UuidText | None
    provider_call_id: str | None
    error: str | None
    message_left: bool = Field(description="A message was left on an answering machine, or may have been.")
    opted_out: bool = Field(description="The person asked in this call not to be called again.")


class AttemptView(AttemptFields):
    """One try at a contact."""

    result: ReportedResultView | None = Field(description="What the voice agent has reported; null: nothing yet.")


class WaitingFor(BaseModel):
    """Why a contact is not called now."""

    reason: WaitReason = Field(description="What to do about each reason: GET …/diagnosis says it.")
    until: datetime | None = Field(description="When this reason ends by itself; null: not by time alone.")


class ContactCallback(BaseModel):
    """The callback that a contact waits for."""

    id: CallbackIdText = Field(
        description="Of this one waiting; it is gone when the contact is called, or the retry skipped."
    )
    type: CallbackType = Field(description="Why it waits: by the retry rule, or because somebody asked for it.")
    at: datetime = Field(description="Not before this time; hours and limits may make it later.")
    outcome: Outcome | None = Field(description="Of the last call; null when it was never called.")
    retry_number: int | None = Field(description="The call to come is retry 2 of 3; null when it was requested.")
    max_retries: int | None = Field(description="As things stand; null when it was requested.")
    notes: str | None
    requested_at: datetime | None = Field(description="When it was asked for; null for a retry.")


class ContactView(BaseModel):
    """A contact with its attempts."""

    id: UuidText
    external_id: str | None
    campaign_id: UuidText | None = Field(description="null for contacts of no campaign.")
    phone_numbers: list[str]
    data: dict[str, Any] | None
    timezone: str | None
    scheduled_at: datetime | None
    expires_at: datetime | None
    priority: int = Field(description="Contacts of a higher priority are called first in their campaign.")
    agent_id: str | None
    agent_version: str | None
    agent_number: str | None
    agent_config: dict[str, Any] | None
    initial_context: str | dict[str, Any] | None
    status: ContactStatus
    attempts_made: int
    next_attempt_at: datetime | None = Field(description="The next possible time; null: never, as things stand.")
    waiting_for: WaitingFor | None = Field(description="Why it is not called now, while it waits.")
    ended_because: EndReason | None = Field(description="Why it ended; null for one that ended long ago.")
    opted_out: bool = Field(description="The person asked not to be called again, in this campaign's calls.")
    callback: ContactCallback | None = Field(description="What it waits for, once it was called or asked to be.")
    person_id: UuidText | None = Field(description="Of the contact book; null: nobody there.")
    attempts: list[AttemptView]
    created_at: datetime
    updated_at: datetime


class ContactPage(BaseModel):
    """Contacts, oldest first."""

    contacts: list[ContactView]
    total: int
    limit: int
    offset: int
