"""Calls in this dialect, purely."""

from collections.abc import Mapping
from typing import Any

from shared.domain.calls import Call, CallStatus
from shared.domain.ids import is_default_campaign
from shared.domain.outcome import Outcome
from shared.domain.person import Person
from shared.engine.calls import ListedCall
from shared.rendering.smartalex.call_views import CallsContact, CallView, Turn, WholeCall
from shared.rendering.smartalex.words import RESULT_OF, CallShown


def seconds_of(call: Call) -> int:
    """Whole seconds of talk; 0 unless somebody picked up."""
    return int(call.duration_seconds or 0) if call.answered_at is not None else 0


def status_of(call: Call) -> CallShown:
    """What the call came to."""
    if call.status is CallStatus.IN_PROGRESS:
        return CallShown.IN_PROGRESS
    return CallShown(RESULT_OF[call.outcome or Outcome.UNKNOWN])


def campaign_id_of(call: Call) -> str | None:
    """The call's campaign; None for contacts of none."""
    return None if call.campaign_id is None or is_default_campaign(call.campaign_id) else call.campaign_id


def call_view(listed: ListedCall, person: Person | None) -> CallView:
    """A call in a list; `person` is its contact, None where that is not in the book."""
    return CallView(**_fields(listed, person), contact=None if person is None else CallsContact(**_contact(person)))


def whole_call(listed: ListedCall, person: Person | None) -> WholeCall:
    """A call with what was said."""
    contact = None if person is None else CallsContact(**_contact(person), email=person.email)
    extracted = listed.result.get("extracted")
    return WholeCall(
        **_fields(listed, person),
        contact=contact,
        transcript=[_turn(turn) for turn in listed.result.get("transcript") or ()],
        extracted_data=None if extracted is None else dict(extracted),
    )


def _turn(turn: Mapping[str, Any]) -> Turn:
    return Turn(speaker=turn["speaker"], text=turn["text"], timestamp=turn.get("at"))


def _contact(person: Person) -> dict[str, Any]:
    return {"id": person.id, "first_name": person.first_name, "last_name": person.last_name}


def _fields(listed: ListedCall, person: Person | None) -> dict[str, Any]:
    call, result = listed.call, listed.result
    status, seconds = status_of(call), seconds_of(call)
    # This API has one word for people who asked not to be called, whether the carrier says so or the agent.
    opted_out = call.outcome is Outcome.ANSWERED and result.get("opt_out")
    return {
        "id": call.id,
        "direction": "outbound",
        "agent_id": call.agent_id,
        "campaign_id": campaign_id_of(call),
        "contact_id": None if person is None else person.id,
        "phone_number": call.phone_number,
        "status": status,
        "call_status": status,
        "outcome": Outcome.DO_NOT_CALL if opted_out else call.outcome,
        "duration": seconds,
        "duration_seconds": seconds,
        "sentiment": result.get("sentiment"),
        "cost": result.get("cost"),
        "recording_url": result.get("recording_url"),
        "summary": result.get("summary"),
        "created_at": call.created_at,
        "start_timestamp": call.created_at,
        "end_timestamp": call.ended_at,
    }
