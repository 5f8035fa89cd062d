"""Callbacks."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from services.campaign_api.http.requests import OurId, not_null
from services.campaign_api.smartalex.schemas.common import Body
from shared.clock import utc_now
from shared.domain.callbacks import MAX_AHEAD, MAX_NOTES, PAST_ALLOWED
from shared.domain.contact_input import Instant
from shared.domain.json_rules import check_text
from shared.rendering.smartalex.callbacks import CallbackView


class View(StrEnum):
    """Which callbacks are meant."""

    ALL = "all"
    OVERDUE = "overdue"
    TODAY = "today"
    WEEK = "week"


def _to_come(at: datetime) -> datetime:
    now = utc_now()
    if at < now - PAST_ALLOWED:
        raise PydanticCustomError("time_past", "Write a time that has not passed")
    if at > now + MAX_AHEAD:
        raise PydanticCustomError("time_far_ahead", "Write a time within a year from now")
    return at


TimeToCome = Annotated[Instant, AfterValidator(_to_come)]
Notes = Annotated[str, Field(max_length=MAX_NOTES), AfterValidator(check_text)]


class CreateCallback(Body):
    """When to call a contact of the campaign once more."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "contact_id": "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21",
                    "scheduled_at": "2027-03-05T15:30:00Z",
                    "notes": "Wants to talk about the lease",
                }
            ]
        }
    )

    read_only: ClassVar[frozenset[str]] = frozenset(CallbackView.model_fields)

    contact_id: OurId = Field(description="A contact of the book that is in the campaign, and not being called.")
    scheduled_at: TimeToCome = Field(description="Not before this time, at most a year ahead.")
    notes: Notes | None = None


class Reschedule(Body):
    """Another time for a callback."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"scheduled_at": "2027-03-08T09:00:00Z"}]})
    read_only: ClassVar[frozenset[str]] = frozenset(CallbackView.model_fields)

    scheduled_at: Annotated[TimeToCome, BeforeValidator(not_null)]
    notes: Notes | None = Field(None, description="Left out or null: as they were.")
