"""FINISH and RELEASED: what becomes of contacts when a call ends or a job comes back.

An attempt is recorded once, by its id, so a repeated event changes nothing. A provisional outcome
(`unknown`, `interrupted`) is upgraded when the real one arrives; a real one is never replaced (I8).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pymongo import UpdateOne

from shared.domain.contact import ACTIVE, ContactStatus, Tier
from shared.domain.outcome import PROVISIONAL
from shared.domain.retry import CallAgain, Ended, after_attempt
from shared.events import CallFinished, JobReleased
from shared.store.client import Document
from shared.store.moves import Move, apply_moves
from shared.store.shard_transaction import ShardTransaction

# A released contact waits this long, so that a full executor or clocks that disagree do not spin.
RELEASE_SECONDS = 1.0


@dataclass(slots=True)
class _Finishing:
    """What one batch of endings changes."""

    moves: list[Move] = field(default_factory=list)
    attempts: list[Document] = field(default_factory=list)
    upgrades: list[UpdateOne] = field(default_factory=list)


def distinct_endings(events: Sequence[CallFinished]) -> list[CallFinished]:
    """One ending for each attempt: the first real one, else the first."""
    chosen: dict[str, CallFinished] = {}
    for event in events:
        known = chosen.get(event.attempt_id)
        if known is None or (known.outcome in PROVISIONAL and event.outcome not in PROVISIONAL):
            chosen[event.attempt_id] = event
    return list(chosen.values())


async def apply_endings(transaction: ShardTransaction, events: Sequence[CallFinished], now: datetime) -> list[str]:
    """Record the endings and move their contacts by the retry rule; the attempts that were new or upgraded."""
    events = distinct_endings(events)
    if not events:
        return []
    store, session = transaction.store, transaction.session
    attempt_ids = [event.attempt_id for event in events]
    stored = {a["_id"]: a async for a in store["attempts"].find({"_id": {"$in": attempt_ids}}, session=session)}
    contacts = await transaction.read_contacts([event.contact_id for event in events])
    finishing = _Finishing()
    for event in events:
        contact, attempt = contacts.get(event.contact_id), stored.get(event.attempt_id)
        if attempt is None:
            _first_ending(transaction, finishing, event, contact, now)
        elif attempt["outcome"] in PROVISIONAL and event.outcome not in PROVISIONAL:
            _better_ending(transaction, finishing, event, contact, attempt, now)
    if finishing.attempts:
        await store["attempts"].insert_many(finishing.attempts, session=session)
    if finishing.upgrades:
        await store["attempts"].bulk_write(finishing.upgrades, session=session)
    await apply_moves(store, session, transaction.ledger, transaction.surroundings, finishing.moves)
    return [a["_id"] for a in finishing.attempts]


def _first_ending(
    transaction: ShardTransaction,
    finishing: _Finishing,
    event: CallFinished,
    contact: Document | None,
    now: datetime,
) -> None:
    holds = contact is not None and contact["status"] in ACTIVE and contact["lock"]["attempt"] == event.attempt_id
    if contact is not None and not holds and event.outcome in PROVISIONAL:
        # Asked for while it was started, and given back before this answer was there: there was no attempt.
        return
    finishing.attempts.append(_attempt(event, contact, contact["lock"] if contact and holds else {}))
    if contact is None:
        return
    transaction.ledger.attempted(contact)
    if holds:
        outcomes = {**contact["outcomes"], event.outcome: contact["outcomes"].get(event.outcome, 0) + 1}
        finishing.moves.append(_by_the_rule(transaction, event, contact, contact["attempts_made"] + 1, outcomes, now))


def _better_ending(
    transaction: ShardTransaction,
    finishing: _Finishing,
    event: CallFinished,
    contact: Document | None,
    attempt: Document,
    now: datetime,
) -> None:
    known = {name: value for name, value in _ending(event).items() if value is not None}
    finishing.upgrades.append(UpdateOne({"_id": event.attempt_id, "outcome": attempt["outcome"]}, {"$set": known}))
    undecided = (ContactStatus.PENDING, ContactStatus.ERROR, ContactStatus.EXHAUSTED)
    if contact is None or contact.get("last_attempt") != event.attempt_id or contact["status"] not in undecided:
        return
    outcomes = dict(contact["outcomes"])
    outcomes[attempt["outcome"]] = outcomes.get(attempt["outcome"], 1) - 1
    outcomes[event.outcome] = outcomes.get(event.outcome, 0) + 1
    counted = {name: count for name, count in outcomes.items() if count > 0}
    finishing.moves.append(_by_the_rule(transaction, event, contact, contact["attempts_made"], counted, now))


def _by_the_rule(
    transaction: ShardTransaction,
    event: CallFinished,
    contact: Document,
    attempts_made: int,
    outcomes: dict[str, int],
    now: datetime,
) -> Move:
    decision = after_attempt(
        transaction.surroundings.retry_policy(contact),
        event.outcome,
        proven=event.proven,
        attempts_made=attempts_made,
        outcome_count=outcomes[event.outcome],
        now=now,
    )
    match decision:
        case CallAgain(at=at):
            to, due_at, tier = ContactStatus.PENDING, at, Tier.RETRY
        case Ended(status=status):
            to, due_at, tier = status, contact["due_at"], Tier(contact["tier"])
    return Move(contact, to, due_at, tier, attempts_made, outcomes, event.attempt_id)


def _ending(event: CallFinished) -> Document:
    return {
        "outcome": event.outcome,
        "proven": event.proven,
        "started_at": event.started_at,
        "answered_at": event.answered_at,
        "ended_at": event.ended_at,
        "duration_seconds": event.duration_seconds,
        "provider_call_id": event.provider_call_id,
        "error": event.error,
    }


def _attempt(event: CallFinished, contact: Document | None, lock: Document) -> Document:
    """The attempt as it is stored; without its claim (a late report) only the call itself is known."""
    start = (contact or {}).get("start") or {}
    ending = _ending(event)
    ending["started_at"] = ending["started_at"] or start.get("at")
    ending["provider_call_id"] = ending["provider_call_id"] or start.get("call_id")
    ending["answered_at"] = ending["answered_at"] or start.get("answered_at")
    return {
        "_id": event.attempt_id,
        "organization_id": event.organization_id,
        "campaign_id": (contact or {}).get("campaign_id"),
        "contact_id": event.contact_id,
        "contact_created_at": (contact or {}).get("created_at"),
        "attempt_number": lock.get("attempt_number"),
        "phone_number": lock.get("phone"),
        "caller_number": lock.get("caller_number"),
        "agent_id": lock.get("agent_id"),
        "agent_version": lock.get("agent_version"),
        "conversation_id": conversation_id(event.attempt_id),
        **in_order(ending),
    }


def in_order(ending: Document) -> Document:
    """The ending with no time before an earlier one: carriers' are whole seconds, ours are not."""
    earliest, ordered = None, dict(ending)
    for name in ("started_at", "answered_at", "ended_at"):
        at = ordered[name]
        if at is not None:
            ordered[name] = earliest = at if earliest is None else max(at, earliest)
    return ordered


def conversation_id(attempt_id: str) -> str:
    """The id under which the voice agent files the conversation of an attempt."""
    try:
        attempt = uuid.UUID(attempt_id)
    except ValueError:
        # Not one of our attempts. Its report is recorded like any other: raising would stop the shard for good.
        attempt = uuid.uuid5(uuid.NAMESPACE_OID, attempt_id)
    return str(uuid.uuid5(attempt, "conversation"))


async def apply_releases(
    transaction: ShardTransaction, events: Sequence[JobReleased], now: datetime, jitter_seconds: float
) -> int:
    """Put released contacts back to wait; how many. Not an attempt.

    Without a nonce only a contact that is still locked returns; with one, only the start it belongs to:
    anything else could free the slot of a call that is up.
    """
    if not events:
        return 0
    contacts = await transaction.read_contacts([event.contact_id for event in events])
    moves: dict[str, Move] = {}
    due_at = now + timedelta(seconds=RELEASE_SECONDS + jitter_seconds)
    for event in events:
        contact = contacts.get(event.contact_id)
        if contact is not None and _may_release(contact, event):
            moves[event.contact_id] = Move(contact, ContactStatus.PENDING, due_at)
    await apply_moves(
        transaction.store, transaction.session, transaction.ledger, transaction.surroundings, list(moves.values())
    )
    return len(moves)


def _may_release(contact: Document, event: JobReleased) -> bool:
    if contact["status"] not in ACTIVE or contact["lock"]["attempt"] != event.attempt_id:
        return False
    if event.nonce is None:
        return bool(contact["status"] == ContactStatus.LOCKED)
    start = contact.get("start")
    return start is None or bool(start["nonce"] == event.nonce)
