"""Runs: one attempt at a contact each."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from shared.domain.shown_ids import UuidText


class CostInfo(BaseModel):
    """Costs that are known here."""

    dograh_token_usage: int
    call_duration_seconds: float | None


class RunView(BaseModel):
    """A run: SysEvo's fields and Dograh's."""

    id: int
    campaign_id: int | None
    workflow_id: int
    name: str
    mode: str
    call_type: Literal["outbound"]
    status: Literal["completed", "failed", "in_progress"]
    is_completed: bool
    created_at: datetime
    started_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    phone_number: str | None
    caller_number: str | None
    attempt_number: int | None
    outcome: str | None
    duration_seconds: float | None
    termination_reason: str | None
    summary: str | None
    transcript: str | None
    extracted_data: dict[str, Any]
    tags: list[str]
    transcript_url: str | None
    recording_url: str | None
    cost_info: CostInfo
    definition_id: int | None
    initial_context: dict[str, Any]
    gathered_context: dict[str, Any]
    native_id: UuidText


class RunPage(BaseModel):
    """A page of runs."""

    runs: list[RunView]
    total_count: int
    page: int
    limit: int
    total_pages: int
