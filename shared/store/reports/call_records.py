"""From stored attempts, and contacts on a call, to the calls of lists."""

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.calls import Call, CallStatus
from shared.domain.contact_name import NAME_FIELDS, name_in
from shared.domain.dialing import dialed_number
from shared.domain.ids import conversation_id_of
from shared.domain.known_words import known
from shared.domain.outcome import Outcome
from shared.store.client import Document
from shared.store.documents.completing import complete
from shared.store.documents.contacts import AttemptDocument, contact_of

# Of a contact that is on a call: its data may be large.
OF_RUNNING: Final[Document] = dict.fromkeys(
    (
        "organization_id",
        "campaign_id",
        "created_at",
        "lock",
        "start",
        "last_outcome",
        *(f"data.{name}" for names in NAME_FIELDS for name in names),
    ),
    1,
)
_FIELDS: Final = frozenset(OF_RUNNING) | {"data"}
_AS_STORED: Final = (
    "organization_id",
    "campaign_id",
    "contact_id",
    "contact_created_at",
    "contact_name",
    "attempt_number",
    "generation",
    "phone_number",
    "caller_number",
    "agent_id",
    "agent_version",
    "started_at",
    "answered_at",
    "ended_at",
    "duration_seconds",
    "provider_call_id",
    "error",
    "message_left",
)


def ended_call(stored: Mapping[str, Any]) -> Call:
    """The call of a stored attempt."""
    attempt = complete(AttemptDocument, stored)
    return Call(
        id=attempt["_id"],
        number=attempt["call_number"] or 0,
        status=CallStatus.ENDED,
        outcome=known(Outcome, attempt["outcome"]),
        outcome_before=known(Outcome, attempt["outcome_before"]),
        created_at=attempt["created_at"] or attempt["started_at"] or attempt["ended_at"],
        conversation_id=attempt["conversation_id"] or conversation_id_of(attempt["_id"]),
        **{name: attempt[name] for name in _AS_STORED},
    )


def running_call(stored: Mapping[str, Any]) -> Call:
    """The call that a contact is on, of the fields `OF_RUNNING`."""
    contact = contact_of(stored, _FIELDS)
    lock, start = contact["lock"], contact["start"]
    return Call(
        id=lock["attempt"],
        number=lock["call_number"] or 0,
        organization_id=contact["organization_id"],
        campaign_id=contact["campaign_id"],
        contact_id=contact["_id"],
        contact_created_at=contact["created_at"],
        contact_name=name_in(contact["data"]),
        status=CallStatus.IN_PROGRESS,
        attempt_number=lock["attempt_number"],
        generation=lock["generation"],
        phone_number=dialed_number(lock),
        caller_number=lock["caller_number"],
        agent_id=lock["agent_id"],
        agent_version=lock["agent_version"],
        outcome=None,
        outcome_before=known(Outcome, contact["last_outcome"]),
        created_at=start["at"],
        started_at=start["at"],
        answered_at=start["answered_at"],
        ended_at=None,
        duration_seconds=None,
        conversation_id=conversation_id_of(lock["attempt"]),
        provider_call_id=start["call_id"],
        error=None,
    )
