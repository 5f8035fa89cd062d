"""A stored contact as customers see it; times stay datetimes, so that the caller chooses their form.

Documents are complete (shared/store/documents); an attempt whose report came late has null for what its claim knew.
"""

import heapq
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from shared.domain.contact import ContactStatus, is_default_campaign
from shared.domain.dialing import Wait, dialed_number
from shared.domain.queue_order import DEFAULT_CONTACT_PRIORITY

_AS_STORED: Final = (
    "phone_numbers",
    "data",
    "timezone",
    "scheduled_at",
    "agent_id",
    "agent_version",
    "agent_number",
    "agent_config",
    "initial_context",
)
_OF_AN_ATTEMPT: Final = (
    "attempt_number",
    "phone_number",
    "caller_number",
    "agent_id",
    "agent_version",
    "outcome",
    "started_at",
    "answered_at",
    "ended_at",
    "duration_seconds",
    "conversation_id",
    "provider_call_id",
    "error",
)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


def conversation_id_of(attempt_id: str) -> str:
    """The conversation that belongs to an attempt."""
    return str(uuid.uuid5(uuid.UUID(attempt_id), "conversation"))


def present_contact(
    contact: Mapping[str, Any],
    attempts: Sequence[Mapping[str, Any]],
    *,
    waits: Wait | None = None,
    next_call: datetime | None = None,
) -> dict[str, Any]:
    """The contact in the API's shape, from its document and its stored attempts in any order.

    `waits` and `next_call` say how it stands while it waits. One that was asked to be called again is shown as it will
    be in a moment.
    """
    campaign_id = contact["campaign_id"]
    asked = contact["asked"] is not None
    status = ContactStatus.PENDING if asked else ContactStatus(contact["status"])
    return {
        "id": contact["_id"],
        "external_id": contact["external_id"],
        "campaign_id": None if is_default_campaign(campaign_id) else campaign_id,
        **{name: contact[name] for name in _AS_STORED},
        "priority": contact["priority"] or DEFAULT_CONTACT_PRIORITY,
        "attempts_made": contact["attempts_made"],
        "status": status,
        "next_attempt_at": next_call if status is ContactStatus.PENDING else None,
        "waiting_for": None if waits is None else {"reason": waits.reason, "until": waits.until},
        "ended_because": None if asked else contact["ended_because"],
        "attempts": _present_attempts(contact, attempts),
        "created_at": contact["created_at"],
        "updated_at": contact["updated_at"],
    }


def _present_attempts(contact: Mapping[str, Any], attempts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    ended = [
        {"id": attempt["_id"], "status": "ended", **{name: attempt[name] for name in _OF_AN_ATTEMPT}}
        for attempt in attempts
        # A contact deleted and added again has the same id; the attempts of its former life are not its own.
        if attempt["contact_created_at"] == contact["created_at"]
    ]
    return [*_in_order(ended), *_running_attempt(contact)]


def _in_order(ended: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """By number; an attempt known only from a late report has none and stands where its time puts it."""
    numbered = [attempt for attempt in ended if attempt["attempt_number"] is not None]
    late = [attempt for attempt in ended if attempt["attempt_number"] is None]
    numbered.sort(key=lambda attempt: attempt["attempt_number"])
    return list(heapq.merge(numbered, sorted(late, key=_when), key=_when))


def _when(attempt: Mapping[str, Any]) -> datetime:
    return attempt["started_at"] or attempt["ended_at"] or _LONG_AGO


def _running_attempt(contact: Mapping[str, Any]) -> list[dict[str, Any]]:
    if contact["status"] != ContactStatus.IN_PROGRESS:
        return []
    lock, start = contact["lock"], contact["start"] or {}
    running = dict.fromkeys(_OF_AN_ATTEMPT) | {
        "id": lock["attempt"],
        "status": "in_progress",
        "attempt_number": lock["attempt_number"],
        "phone_number": dialed_number(lock),
        "caller_number": lock["caller_number"],
        "agent_id": lock["agent_id"],
        "agent_version": lock["agent_version"],
        "started_at": start.get("at"),
        "answered_at": start.get("answered_at"),
        "conversation_id": conversation_id_of(lock["attempt"]),
        "provider_call_id": start.get("call_id"),
    }
    return [running]
