"""What scheduler transactions tell of calls and contacts: facts made of the documents that they move.

An organization that wants a type has it among its `fact_types`, which every transaction has read; for the others
nothing is made here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from shared.domain.callbacks import CallbackType, Tries, type_of
from shared.domain.contact import ContactStatus
from shared.domain.contact_facts import Standing, callback_before, facts_of_contact, is_scheduled
from shared.domain.dialing import dialed_number
from shared.domain.facts import Fact, FactType, tells_while_up
from shared.domain.ids import callback_id, conversation_id_of
from shared.domain.known_words import known
from shared.domain.queue_order import tier_in
from shared.domain.reasons import EndReason
from shared.store.client import Document
from shared.store.dialing.context import DialingContext
from shared.store.dialing.ledger import Ledger

if TYPE_CHECKING:
    from shared.store.dialing.moves import Move

PLACED: Final = "placed"
ANSWERED: Final = "answered"
# Of an attempt, what every fact of the call says of it.
OF_CALL: Final = ("attempt_number", "phone_number", "caller_number", "agent_id", "agent_version")
_ENDING: Final = (
    "outcome",
    "proven",
    "started_at",
    "answered_at",
    "ended_at",
    "duration_seconds",
    "provider_call_id",
    "error",
)


def tells_of_calls(context: DialingContext, organization_id: str) -> bool:
    """Whether the organization wants to be told of calls that are up."""
    return tells_while_up(context.fact_types(organization_id))


def tell_of_call(
    ledger: Ledger, context: DialingContext, contact: Document, kind: FactType, at: datetime, more: Document
) -> None:
    """Tell of the call that a contact is on, as its claim says it is made."""
    lock = contact["lock"]
    _tell_of_attempt(ledger, context, contact, lock["attempt"], kind, at, {**said_of_lock(lock), **more})


def said_of_lock(lock: Document) -> Document:
    """What every fact of a call says of it (`OF_CALL`), as its claim has it made."""
    return {
        "attempt_number": lock["attempt_number"],
        "phone_number": dialed_number(lock),
        "caller_number": lock["caller_number"],
        "agent_id": lock["agent_id"],
        "agent_version": lock["agent_version"],
    }


def tell_of_ending(ledger: Ledger, context: DialingContext, contact: Document, attempt: Document) -> None:
    """Tell that a contact's call has ended; before, that it was placed and answered, where that was not told yet."""
    if not context.fact_types(contact["organization_id"]):
        return
    start = contact["start"]
    is_on_it = contact["lock"] is not None and contact["lock"]["attempt"] == attempt["_id"]
    told = start["told"] if is_on_it and start is not None else ()
    if PLACED not in told and (attempt["provider_call_id"] is not None or attempt["answered_at"] is not None):
        placed = {"started_at": attempt["started_at"], "provider_call_id": attempt["provider_call_id"]}
        at = attempt["started_at"] or attempt["ended_at"]
        _tell_of_stored(ledger, context, contact, attempt, FactType.CALL_PLACED, at, placed)
    if ANSWERED not in told and attempt["answered_at"] is not None:
        answered = {"answered_at": attempt["answered_at"]}
        _tell_of_stored(ledger, context, contact, attempt, FactType.CALL_ANSWERED, attempt["answered_at"], answered)
    _tell_of_stored(ledger, context, contact, attempt, FactType.CALL_ENDED, attempt["ended_at"], _ending(attempt))


def tell_of_correction(
    ledger: Ledger, context: DialingContext, contact: Document, attempt: Document, known_now: Document
) -> None:
    """Tell that a call, as it was stored, has ended otherwise than was told."""
    if not context.fact_types(contact["organization_id"]):
        return
    better = {**attempt, **known_now}
    if attempt["answered_at"] is None and better["answered_at"] is not None:
        answered = {"answered_at": better["answered_at"]}
        _tell_of_stored(ledger, context, contact, better, FactType.CALL_ANSWERED, better["answered_at"], answered)
    ending = {**_ending(better), "corrected": True}
    _tell_of_stored(ledger, context, contact, better, FactType.CALL_ENDED, better["ended_at"], ending)


def remembered(attempt: Document) -> Document | None:
    """A contact that was deleted since, as facts of its call name it; None where the attempt knows no campaign.

    Its organization must be loaded for that (`DialingContext.load`, which this suits), like that of any other.
    """
    if attempt["campaign_id"] is None:
        return None
    return {
        "_id": attempt["contact_id"],
        "organization_id": attempt["organization_id"],
        "campaign_id": attempt["campaign_id"],
        "external_id": None,
        "phone_numbers": (),
    }


def _ending(attempt: Document) -> Document:
    return {name: attempt[name] for name in _ENDING if attempt.get(name) is not None}


def _tell_of_stored(
    ledger: Ledger,
    context: DialingContext,
    contact: Document,
    attempt: Document,
    kind: FactType,
    at: datetime,
    more: Document,
) -> None:
    call = {name: attempt[name] for name in OF_CALL if attempt.get(name) is not None}
    _tell_of_attempt(ledger, context, contact, attempt["_id"], kind, at, {**call, **more})


def _tell_of_attempt(
    ledger: Ledger,
    context: DialingContext,
    contact: Document,
    attempt_id: str,
    kind: FactType,
    at: datetime,
    said: Document,
) -> None:
    if kind not in context.fact_types(contact["organization_id"]):
        return
    facts = {"conversation_id": conversation_id_of(attempt_id), **_named(contact), **said}
    ledger.tell(contact["organization_id"], _fact(kind, at, contact, facts, attempt_id=attempt_id))


def tell_of_move(ledger: Ledger, context: DialingContext, move: "Move", values: Document | None, now: datetime) -> None:
    """Tell what a contact's move is worth telling of; `values` None: it is removed."""
    contact = move.contact
    wanted = context.fact_types(contact["organization_id"])
    if not wanted:
        return
    after = None if values is None else {**contact, **values}
    status = ContactStatus.SKIPPED if after is None else ContactStatus(after["status"])
    was_called = move.outcome is not None
    kinds = []
    if after is not None:
        is_same_end = all(contact[name] == after[name] for name in ("status", "ended_because"))
        kinds = facts_of_contact(status, was_called=was_called, is_same_end=is_same_end)
    for kind in kinds:
        if kind in wanted and after is not None:
            said = _said_of_contact(move, after, status)
            last = after["last_attempt"] if was_called else None
            ledger.tell(contact["organization_id"], _fact(kind, now, contact, said, attempt_id=last))
    _tell_of_callbacks(ledger, move, after, status, wanted, now)


def _said_of_contact(move: "Move", after: Document, status: ContactStatus) -> Document:
    again = status is ContactStatus.PENDING
    said = {
        **_named(after),
        "status": str(status),
        "attempts_made": after["attempts_made"],
        "called_again": again,
        "outcome": move.outcome,
        "reason": after["ended_because"],
        "next_attempt_at": after["due_at"] if again else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _tell_of_callbacks(
    ledger: Ledger,
    move: "Move",
    after: Document | None,
    status: ContactStatus,
    wanted: Any,
    now: datetime,
) -> None:
    contact = move.contact
    was = Standing(ContactStatus(contact["status"]), contact["waiting"], _callback_type(contact))
    callback = None if after is None or status is not ContactStatus.PENDING else _callback_type(after)
    waiting = contact["waiting"] if after is None else after["waiting"]
    stands = Standing(status, waiting, callback)
    because = None if after is None else known(EndReason, after["ended_because"])
    became = callback_before(was, stands, was_called=move.outcome is not None, because=because)
    if became in wanted and became is not None and was.callback is not None:
        said = {**_named(contact), "type": str(was.callback), "outcome": move.outcome, "reason": because}
        _tell_of_callback(ledger, contact, became, was.waiting, said, now)
    was_moved = contact["asked"] is not None and after is not None and after["due_at"] != contact["due_at"]
    if after is not None and FactType.CALLBACK_SCHEDULED in wanted and is_scheduled(was, stands, was_moved=was_moved):
        notes = (after["callback"] or {}).get("notes")
        said = {**_named(contact), "type": str(callback), "at": after["due_at"], "notes": notes}
        said["outcome"] = move.outcome
        _tell_of_callback(ledger, contact, FactType.CALLBACK_SCHEDULED, waiting, said, now)


def tell_of_refused_callback(ledger: Ledger, context: DialingContext, contact: Document, now: datetime) -> None:
    """Tell that a callback that was asked for is not made: the contact had moved on, or may not be called."""
    asked = contact["asked"]
    if asked is None or asked["kind"] != "callback":
        return
    if FactType.CALLBACK_REFUSED in context.fact_types(contact["organization_id"]):
        said = {**_named(contact), "type": str(CallbackType.REQUESTED), "at": asked["at"]}
        because = contact["for_good"] or contact["ended_because"]
        said |= {} if because is None else {"reason": because}
        ledger.tell(contact["organization_id"], _fact(FactType.CALLBACK_REFUSED, now, contact, said))


def _tell_of_callback(
    ledger: Ledger, contact: Document, kind: FactType, waiting: int, said: Mapping[str, Any], now: datetime
) -> None:
    facts = {name: value for name, value in said.items() if value is not None}
    fact = _fact(kind, now, contact, facts, callback=callback_id(contact["_id"], waiting))
    ledger.tell(contact["organization_id"], fact)


def _callback_type(contact: Document) -> CallbackType | None:
    return type_of(tier_in(contact["tier"]), Tries(contact["attempts_made"], contact["uncounted"], 0, {}))


def _named(contact: Document) -> Document:
    return {} if contact["external_id"] is None else {"external_id": contact["external_id"]}


def _fact(
    kind: FactType,
    at: datetime,
    contact: Document,
    facts: Document,
    *,
    attempt_id: str | None = None,
    callback: str | None = None,
) -> Fact:
    return Fact(
        type=kind,
        at=at,
        campaign_id=contact["campaign_id"],
        contact_id=contact["_id"],
        attempt_id=attempt_id,
        callback_id=callback,
        person_id=contact.get("person_id"),
        facts=facts,
    )
