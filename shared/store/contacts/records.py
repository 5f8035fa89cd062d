"""From a stored contact and its stored attempts to the values that use cases return.

What a document lacks is None: an attempt whose report came late was stored without the numbers of its claim.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from shared.domain.call_results import CallResult
from shared.domain.callbacks import Callback, callback_of
from shared.domain.contact import ContactStatus
from shared.domain.contact_record import Attempt, Contact, Standing, in_order
from shared.domain.dialing import dialed_number
from shared.domain.ids import conversation_id_of, is_default_campaign
from shared.domain.outcome import Outcome
from shared.domain.queue_order import DEFAULT_CONTACT_PRIORITY, tier_in
from shared.domain.reasons import EndReason
from shared.domain.retry import BUILT_IN_POLICY, RetryPolicy
from shared.store.dialing.context import told_of
from shared.store.dialing.wished import tries_of

_AS_STORED: Final = (
    "external_id",
    "data",
    "timezone",
    "scheduled_at",
    "expires_at",
    "agent_id",
    "agent_version",
    "agent_number",
    "agent_config",
    "initial_context",
    "person_id",
)
_OF_AN_ATTEMPT: Final = (
    "attempt_number",
    "phone_number",
    "caller_number",
    "agent_id",
    "agent_version",
    "started_at",
    "answered_at",
    "ended_at",
    "duration_seconds",
    "conversation_id",
    "provider_call_id",
    "error",
    "message_left",
)


def contact_from(
    contact: Mapping[str, Any],
    attempts: Sequence[Mapping[str, Any]],
    standing: Standing,
    policy: RetryPolicy = BUILT_IN_POLICY,
    results: Mapping[str, CallResult] = MappingProxyType({}),
) -> Contact:
    """The contact of a document, as it is shown, with its stored attempts, in any order, and `results` by attempt.

    `standing` says how it stands while it waits, and `policy` when it is called again; they count only then.
    """
    because = contact["ended_because"]
    ended = [
        _ended_attempt(attempt, results.get(attempt["_id"]))
        for attempt in attempts
        # A contact deleted and added again has the same id; the attempts of its former life are not its own.
        if attempt["contact_created_at"] == contact["created_at"]
    ]
    return Contact(
        id=contact["_id"],
        campaign_id=None if is_default_campaign(contact["campaign_id"]) else contact["campaign_id"],
        phone_numbers=tuple(contact["phone_numbers"]),
        **{name: contact[name] for name in _AS_STORED},
        priority=contact["priority"] or DEFAULT_CONTACT_PRIORITY,
        status=ContactStatus(contact["status"]),
        attempts_made=contact["attempts_made"],
        standing=standing,
        ended_because=None if because is None else EndReason(because),
        attempts=(*in_order(ended), *_running_attempt(contact, results)),
        created_at=contact["created_at"],
        updated_at=contact["updated_at"],
        callback=_callback(contact, ended, policy),
        opted_out=told_of(contact) is EndReason.OPTED_OUT or because == EndReason.OPTED_OUT,
    )


def _callback(contact: Mapping[str, Any], ended: Sequence[Attempt], policy: RetryPolicy) -> Callback | None:
    if contact["status"] != ContactStatus.PENDING:
        return None
    said = contact["callback"] or {"notes": None, "requested_at": None}
    return callback_of(
        contact["_id"],
        contact["waiting"],
        tier_in(contact["tier"]),
        contact["due_at"],
        tries_of(contact),
        next((attempt.outcome for attempt in ended if attempt.id == contact["last_attempt"]), None),
        policy,
        said["notes"],
        said["requested_at"],
    )


def _ended_attempt(attempt: Mapping[str, Any], result: CallResult | None) -> Attempt:
    outcome = attempt["outcome"]
    return Attempt(
        id=attempt["_id"],
        ended=True,
        outcome=None if outcome is None else Outcome(outcome),
        **{name: attempt[name] for name in _OF_AN_ATTEMPT},
        opted_out=outcome == Outcome.DO_NOT_CALL or _opts_out(result),
        result=result,
    )


def _opts_out(result: CallResult | None) -> bool:
    return result is not None and result.opt_out


def _running_attempt(contact: Mapping[str, Any], results: Mapping[str, CallResult]) -> list[Attempt]:
    if contact["status"] != ContactStatus.IN_PROGRESS:
        return []
    lock, start = contact["lock"], contact["start"] or {}
    result = results.get(lock["attempt"])
    running = Attempt(
        id=lock["attempt"],
        ended=False,
        attempt_number=lock["attempt_number"],
        phone_number=dialed_number(lock),
        caller_number=lock["caller_number"],
        agent_id=lock["agent_id"],
        agent_version=lock["agent_version"],
        outcome=None,
        started_at=start.get("at"),
        answered_at=start.get("answered_at"),
        ended_at=None,
        duration_seconds=None,
        conversation_id=conversation_id_of(lock["attempt"]),
        provider_call_id=start.get("call_id"),
        error=None,
        opted_out=_opts_out(result),
        result=result,
    )
    return [running]
