"""FINISH: what becomes of contacts when a call ends.

An attempt is recorded once, by its id, so a repeated event changes nothing. A provisional outcome
(`unknown`, `interrupted`) is upgraded when the real one arrives; a real one is never replaced (I8).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from pymongo import UpdateOne

from shared.domain.breaker import FAILURES
from shared.domain.contact import ACTIVE, ContactStatus, Tier
from shared.domain.contact_name import name_in
from shared.domain.dialing import WAITS_FOR_REST, callable_numbers, dialed_number
from shared.domain.ids import conversation_id_of
from shared.domain.outcome import PROVISIONAL, Outcome
from shared.domain.phone import compared
from shared.domain.queue_order import tier_in
from shared.domain.reasons import ENDED_BY, ENDED_ON_REQUEST, FOR_GOOD, EndReason, WaitReason
from shared.domain.refusal import RefusalSubject
from shared.domain.retry import CallAgain, Ended, after_attempt
from shared.events import CallFinished
from shared.logs import get_logger
from shared.store.client import Document
from shared.store.dialing import caps
from shared.store.dialing.answering_machines import with_machines
from shared.store.dialing.breakers import note_call
from shared.store.dialing.call_facts import remembered, tell_of_correction, tell_of_ending
from shared.store.dialing.fitting_endings import consistent_endings, distinct_endings, holds
from shared.store.dialing.moves import Move, apply_moves, queue_as
from shared.store.dialing.numbering import number_late_calls
from shared.store.dialing.opt_outs import flag_people, list_opted_out
from shared.store.dialing.releases import RELEASE_SECONDS
from shared.store.dialing.resting import begin_rest, end_rests
from shared.store.dialing.shard_transaction import ShardTransaction
from shared.store.dialing.wished import is_called_back_after, or_called_back
from shared.store.documents.completing import complete
from shared.store.documents.contacts import AttemptDocument
from shared.store.in_parts import write_in_parts

log = get_logger()


@dataclass(slots=True)
class _Finishing:
    """The changes of one batch of endings; `moves` are by contact."""

    moves: dict[str, Move] = field(default_factory=dict)
    marks: list[UpdateOne] = field(default_factory=list)
    attempts: list[Document] = field(default_factory=list)
    upgrades: list[UpdateOne] = field(default_factory=list)
    upgraded: dict[str, str] = field(default_factory=dict)
    # Attempts that ended in an opt-out.
    opted_out: list[Document] = field(default_factory=list)

    def note_opt_out(self, event: CallFinished, attempt: Document) -> None:
        """Note an attempt whose person asked not to be called."""
        if event.outcome is Outcome.DO_NOT_CALL:
            self.opted_out.append(attempt)


@dataclass(frozen=True, slots=True)
class _Dialed:
    """The numbers that a call was between; None for an attempt of which only its ending is known."""

    number: str | None
    caller_number: str | None
    account: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The attempts that were `new`, and the provisional endings of those that were `upgraded` to the real one."""

    new: Sequence[str] = ()
    upgraded: Mapping[str, str] = field(default_factory=dict)


async def apply_endings(transaction: ShardTransaction, events: Sequence[CallFinished], now: datetime) -> Recorded:
    """Record the endings and move their contacts by the retry rule; the attempts that were new or upgraded."""
    if not events:
        return Recorded()
    store, session = transaction.store, transaction.session
    contacts = await transaction.read_contacts([event.contact_id for event in events], with_name=True)
    # An attempt is recorded in the transaction that takes its contact off it, so that one that goes on is not.
    over = {event.attempt_id for event in events if not holds(contacts.get(event.contact_id), event)}
    found = store["attempts"].find({"_id": {"$in": list(over)}}, session=session) if over else None
    stored = {each["_id"]: complete(AttemptDocument, each) async for each in found} if found is not None else {}
    events = await with_machines(transaction, events, stored, contacts)
    # Of a contact that was deleted since, what its call turns out to be is told: its organization is read for that.
    gone = [attempt for attempt in stored.values() if attempt["contact_id"] not in contacts]
    await transaction.context.load([named for attempt in gone if (named := remembered(attempt)) is not None])
    finishing = _Finishing()

    def attempts_of(some: Sequence[CallFinished]) -> Sequence[Document]:
        known = len(finishing.attempts)
        for event in some:
            contact, attempt = contacts.get(event.contact_id), stored.get(event.attempt_id)
            if attempt is None:
                _first_ending(transaction, finishing, event, contact, now)
            elif attempt["outcome"] in PROVISIONAL and event.outcome not in PROVISIONAL:
                _better_ending(transaction, finishing, event, contact, attempt, now)
        return number_late_calls(transaction, finishing.attempts[known:], now)

    distinct = distinct_endings(await consistent_endings(transaction, events, stored, contacts))
    if distinct and transaction.context.root_document is None:
        # Those of removed contacts may come where nothing was read yet; the calls of some are numbered now.
        await transaction.context.load_root()
    await write_in_parts(distinct, attempts_of, partial(store["attempts"].insert_many, session=session))
    if finishing.upgrades:
        await store["attempts"].bulk_write(finishing.upgrades, session=session)
    if finishing.marks:
        await store["contacts"].bulk_write(finishing.marks, session=session)
    await list_opted_out(transaction, finishing.opted_out, now)
    await flag_people(transaction, finishing.opted_out, contacts, now)
    policy = transaction.context.retry_policy
    moves = [or_called_back(move, policy(move.contact), now) for move in finishing.moves.values()]
    await apply_moves(store, session, transaction.ledger, transaction.context, moves, now)
    return Recorded([a["_id"] for a in finishing.attempts], finishing.upgraded)


def _first_ending(
    transaction: ShardTransaction,
    finishing: _Finishing,
    event: CallFinished,
    contact: Document | None,
    now: datetime,
) -> None:
    on_it = holds(contact, event)
    if contact is not None and not on_it and event.outcome in PROVISIONAL:
        # Asked for while it was started, and given back before this answer was there: there was no attempt.
        return
    attempt = _attempt(event, contact, contact["lock"] if contact and on_it else {})
    finishing.attempts.append(attempt | caps.counted(transaction.context, attempt))
    finishing.note_opt_out(event, attempt)
    if contact is None:
        return
    transaction.ledger.attempted(contact, attempt)
    tell_of_ending(transaction.ledger, transaction.context, contact, attempt)
    if on_it:
        lock = contact["lock"]
        note_call(transaction, contact, failed=event.outcome in FAILURES or event.refusal is not None)
        if event.refusal is None and event.outcome not in PROVISIONAL and _was_taken(event, contact):
            end_rests(transaction, contact, now, by_ending=True)
        outcomes = {**contact["outcomes"], event.outcome: contact["outcomes"].get(event.outcome, 0) + 1}
        dialed = _Dialed(dialed_number(lock), lock["caller_number"], lock["account"])
        made = contact["attempts_made"] + 1
        finishing.moves[contact["_id"]] = _by_the_rule(transaction, event, contact, made, outcomes, now, dialed)


def _was_taken(event: CallFinished, contact: Document) -> bool:
    """Whether the carrier had taken the call: one that it refused for the person's sake proves nothing about us."""
    return event.provider_call_id is not None or (
        contact["start"] is not None and contact["start"]["call_id"] is not None
    )


def _better_ending(
    transaction: ShardTransaction,
    finishing: _Finishing,
    event: CallFinished,
    contact: Document | None,
    attempt: Document,
    now: datetime,
) -> None:
    known = {name: value for name, value in _ending(event).items() if value is not None}
    if event.started_at is not None:
        known["created_at"] = event.started_at
    finishing.upgrades.append(UpdateOne({"_id": event.attempt_id, "outcome": attempt["outcome"]}, {"$set": known}))
    finishing.upgraded[event.attempt_id] = attempt["outcome"]
    transaction.ledger.upgraded(attempt, known)
    called = contact if contact is not None else remembered(attempt)
    if called is not None:
        tell_of_correction(transaction.ledger, transaction.context, called, attempt, known)
    finishing.note_opt_out(event, attempt)
    if contact is None or _has_the_last_word(contact, ENDED_BY[event.outcome]):
        return
    if ENDED_BY[event.outcome] in FOR_GOOD:
        _told_for_good(transaction, finishing, event, contact, attempt)
    undecided = (ContactStatus.PENDING, ContactStatus.ERROR, ContactStatus.EXHAUSTED)
    if contact["last_attempt"] != event.attempt_id or contact["status"] not in undecided:
        return
    if contact["uncounted"] >= contact["attempts_made"] or contact["ended_because"] in ENDED_ON_REQUEST:
        # The contact was reset, given up or asked to be called back since: what became of calls before that moves it no
        # more, unless for good.
        return
    outcomes = dict(contact["outcomes"])
    outcomes[attempt["outcome"]] = outcomes.get(attempt["outcome"], 1) - 1
    outcomes[event.outcome] = outcomes.get(event.outcome, 0) + 1
    counted = {name: count for name, count in outcomes.items() if count > 0}
    made = contact["attempts_made"]
    dialed = _Dialed(attempt["phone_number"], attempt["caller_number"], attempt["account"])
    event = event.model_copy(update={"message_left": event.message_left or attempt["message_left"]})
    finishing.moves[contact["_id"]] = _by_the_rule(transaction, event, contact, made, counted, now, dialed)


def _has_the_last_word(contact: Document, told: EndReason) -> bool:
    """Whether nothing that a late report tells changes a contact that has ended: an opt-out goes above an answer."""
    because = contact["ended_because"]
    return because in FOR_GOOD and not (because == EndReason.ANSWERED and told is EndReason.OPTED_OUT)


def _told_for_good(
    transaction: ShardTransaction, finishing: _Finishing, event: CallFinished, contact: Document, attempt: Document
) -> None:
    """A call, not only the last, was answered after all, or the person opted out in it: there is no other one.

    A contact that is on a call now is marked, so that the gate refuses it and its next move ends it. One that was asked
    to be called back waits, or is called, all the same, unless the person opted out, or it was called back already. One
    that has ended answered stays so, and an opt-out forbids what might be asked of it.
    """
    told = EndReason.OPTED_OUT if contact["for_good"] == EndReason.OPTED_OUT else ENDED_BY[event.outcome]
    mark: Document = {"for_good": told}
    calls_back = is_called_back_after(contact, attempt)
    goes_on = contact["status"] in ACTIVE or calls_back or contact["ended_because"] == EndReason.ANSWERED
    if goes_on and tier_in(contact["tier"]) is Tier.REQUESTED and not calls_back:
        mark["tier"] = queue_as(contact, Tier.RETRY)
    transaction.ledger.told(contact, mark)
    contact |= mark
    if goes_on:
        finishing.marks.append(UpdateOne({"_id": contact["_id"]}, {"$set": mark}))
        if "tier" in mark and contact["_id"] in finishing.moves:
            # Another of its calls has ended in the same batch: the callback that it asked for is answered by this one.
            finishing.moves[contact["_id"]] = replace(finishing.moves[contact["_id"]], tier=Tier.RETRY)
    else:
        finishing.moves.setdefault(contact["_id"], Move(contact, ContactStatus.PENDING, tier=Tier.RETRY))


def _by_the_rule(
    transaction: ShardTransaction,
    event: CallFinished,
    contact: Document,
    attempts_made: int,
    outcomes: dict[str, int],
    now: datetime,
    dialed: _Dialed,
) -> Move:
    """The contact's move after this attempt, the `attempts_made`-th."""
    context, uncounted, number = transaction.context, contact["uncounted"], dialed.number
    invalid = list(contact["invalid_numbers"])
    if event.outcome is Outcome.INVALID_NUMBER and number is not None and compared(number) not in invalid:
        invalid.append(compared(number))
    decision = after_attempt(
        context.retry_policy(contact),
        event.outcome,
        proven=event.proven,
        attempts_made=attempts_made - uncounted + contact["retries_skipped"],
        outcome_count=outcomes[event.outcome],
        now=now,
        other_numbers=event.outcome is Outcome.INVALID_NUMBER
        and bool(callable_numbers(replace(context.dialed(contact), invalid=frozenset(invalid)))),
        not_before=_rest_until(transaction, event, contact, dialed, now),
        message_left=event.message_left,
    )
    because: EndReason | None = None
    put_off: WaitReason | None = None
    is_requested = tier_in(contact["tier"]) is Tier.REQUESTED
    match decision:
        case CallAgain(at=at, counted=True):
            to, due_at, tier = ContactStatus.PENDING, at, Tier.REQUESTED if is_requested else Tier.RETRY
        case CallAgain(at=at):
            # It keeps its place in the queue: no attempt at the person has been made.
            to, due_at, tier = ContactStatus.PENDING, min(at, contact["due_at"]), tier_in(contact["tier"])
            uncounted, outcomes = uncounted + 1, _one_less(outcomes, event.outcome)
            if event.refusal is not None:
                due_at, put_off = at, WAITS_FOR_REST[event.refusal.subject]
        case Ended(status=status):
            to, due_at, tier, because = status, contact["due_at"], tier_in(contact["tier"]), decision.because
    return Move(
        contact,
        to,
        due_at,
        tier,
        attempts_made,
        outcomes,
        event.attempt_id,
        event.outcome,
        because=because,
        put_off=put_off,
        uncounted=uncounted,
        invalid_numbers=invalid,
        waits_anew=True,
        outcome=event.outcome,
        callback=None if is_requested or contact["callback"] is None else {},
    )


def _one_less(outcomes: Mapping[str, int], outcome: str) -> dict[str, int]:
    left = {**outcomes, outcome: outcomes[outcome] - 1}
    return {name: count for name, count in left.items() if count > 0}


def _rest_until(
    transaction: ShardTransaction, event: CallFinished, contact: Document, dialed: _Dialed, now: datetime
) -> datetime | None:
    """Until when the contact waits because its call ended for a reason that speaks of us; None when it did not."""
    if event.refusal is None or dialed.number is None or dialed.caller_number is None:
        return None
    call = {"number": dialed.number, "caller_number": dialed.caller_number, "account": dialed.account}
    rest = begin_rest(transaction, contact, call, event.refusal, now, in_ending=True)
    if event.refusal.subject is RefusalSubject.CALLER_NUMBER and transaction.context.has_several_numbers(contact):
        # Another of the campaign's numbers may be asked for at once; while none is left, the campaign sleeps.
        return now + timedelta(seconds=RELEASE_SECONDS)
    return rest.until


def _ending(event: CallFinished) -> Document:
    ending: Document = {
        "outcome": event.outcome,
        "proven": event.proven,
        "started_at": event.started_at,
        "answered_at": event.answered_at,
        "ended_at": event.ended_at,
        "duration_seconds": event.duration_seconds,
        "provider_call_id": event.provider_call_id,
        "error": event.error,
    }
    return {**ending, "message_left": True} if event.message_left else ending


def _attempt(event: CallFinished, contact: Document | None, lock: Document) -> Document:
    """The attempt as it is stored; without its claim (a late report) only the call itself is known."""
    start = (contact or {}).get("start") or {}
    ending = _ending(event)
    ending["started_at"] = ending["started_at"] or start.get("at")
    ending["provider_call_id"] = ending["provider_call_id"] or start.get("call_id")
    ending["answered_at"] = ending["answered_at"] or start.get("answered_at")
    ending = in_order(ending)
    return {
        "_id": event.attempt_id,
        "organization_id": event.organization_id,
        "campaign_id": (contact or {}).get("campaign_id"),
        "contact_id": event.contact_id,
        "contact_created_at": (contact or {}).get("created_at"),
        "attempt_number": lock.get("attempt_number"),
        "generation": lock.get("generation"),
        "phone_number": dialed_number(lock) if lock else None,
        "caller_number": lock.get("caller_number"),
        "agent_id": lock.get("agent_id"),
        "agent_version": lock.get("agent_version"),
        "conversation_id": conversation_id_of(event.attempt_id),
        "created_at": ending["started_at"] or ending["ended_at"],
        "call_number": lock.get("call_number"),
        "contact_name": name_in((contact or {}).get("data")),
        "outcome_before": contact["last_outcome"] if contact and lock else None,
        **({"account": lock["account"]} if lock.get("account") else {}),
        **ending,
    }


def in_order(ending: Document) -> Document:
    """The ending with no time before an earlier one: carriers' are whole seconds, ours are not."""
    earliest, ordered = None, dict(ending)
    for name in ("started_at", "answered_at", "ended_at"):
        at = ordered[name]
        if at is not None:
            ordered[name] = earliest = at if earliest is None else max(at, earliest)
    return ordered
