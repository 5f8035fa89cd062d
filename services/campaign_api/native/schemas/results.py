"""Results of calls, as voice agents report them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.call_results import ReportedResult, ResultRemark, Sentiment
from shared.domain.shown_ids import UuidText


class ReportResult(ReportedResult):
    """A report of a call, at any time; later ones add to it, and a field left out or null stays as it was."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "disposition": "appointment_made",
                    "summary": "Wants the smaller flat; viewing on Friday.",
                    "sentiment": "positive",
                    "extracted": {"viewing": {"day": "Friday", "people": 2}},
                    "tags": ["lease"],
                    "goal_reached": True,
                }
            ]
        }
    )


class TranscriptTurnView(BaseModel):
    """One turn of a conversation."""

    speaker: str
    text: str
    at: datetime | None


class ResultWarning(BaseModel):
    """Why a callback that was asked for does not come."""

    code: ResultRemark = Field(description="For programs.")
    message: str = Field(description="For people.")


class ReportedResultView(BaseModel):
    """What was reported of a call. `summary`, `recording_url` and `extracted` are null without the scope
    `conversations:read_sensitive`."""

    disposition: str | None
    summary: str | None
    sentiment: Sentiment | None
    recording_url: str | None
    extracted: dict[str, Any] | None
    tags: list[str]
    cost: float | None
    goal_reached: bool | None
    opt_out: bool
    callback_at: datetime | None
    notes: str | None
    created_at: datetime
    updated_at: datetime


class CallResultView(ReportedResultView):
    """The result of a call. `transcript`, too, is null without the scope `conversations:read_sensitive`."""

    attempt_id: UuidText
    conversation_id: UuidText
    contact_id: UuidText
    transcript: list[TranscriptTurnView] | None
    warnings: list[ResultWarning]
