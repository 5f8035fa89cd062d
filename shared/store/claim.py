"""CLAIM: locking the next contacts for an attempt, within every limit, in one scheduler transaction.

Candidates come from prefetched ids in the order they shall be called; everything is looked at again
here. The sums are read in the transaction that writes them, so no limit is ever passed (I1, I6).
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.domain.contact import ContactStatus
from shared.events import DialJob
from shared.store.client import Document
from shared.store.ledger import campaign_budget, number_budget, organization_budget
from shared.store.moves import GuardFailed, Move, apply_moves
from shared.store.shard_transaction import ShardTransaction
from shared.store.surroundings import concurrency_limit

MAX_CLAIM: Final = 500
# A window that closes sooner would often be closed by the time the call is placed.
WINDOW_AHEAD: Final = timedelta(seconds=5)
# A contact whose number is on another call waits this long; without a new due time, many contacts with
# one number would stand at the head of the queue and hide everybody behind them.
PHONE_BUSY: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class ClaimOrder:
    """Whom to claim, in order, and how much each organization may take at most in this transaction."""

    contact_ids: Sequence[str] = ()
    shares: Mapping[str, int] = field(default_factory=dict)
    lock_seconds: float = 30.0


@dataclass(slots=True)
class Claimed:
    """What was claimed. `left` are candidates that only found no room: they keep their place in the queue."""

    jobs: list[DialJob] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Rooms:
    """Free slots while the batch is being put together."""

    shard: int
    organizations: dict[str, int]
    campaigns: dict[str, int]
    numbers: dict[str, int]
    live: set[tuple[str, str]]


@dataclass(slots=True)
class _Selection:
    chosen: list[Document] = field(default_factory=list)
    locks: list[Document] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


async def apply_claim(transaction: ShardTransaction, order: ClaimOrder, now: datetime) -> Claimed:
    """Lock as many candidates as rules and limits allow; their dial jobs must be published afterwards."""
    if not order.contact_ids:
        return Claimed()
    ready = await transaction.find_contacts(
        {
            "_id": {"$in": list(order.contact_ids)},
            "shard": transaction.ledger.shard,
            "status": ContactStatus.PENDING,
            "due_at": {"$lte": now},
            "delete_requested": {"$ne": True},
        },
        limit=0,
    )
    # Somebody who is edited while the queue is read may stand in it twice.
    candidates = [ready[contact_id] for contact_id in dict.fromkeys(order.contact_ids) if contact_id in ready]
    if not candidates:
        return Claimed()
    rooms = await _rooms(transaction, order, candidates)
    claim_id = str(uuid.uuid4())
    selection = _select(transaction, rooms, candidates, claim_id, now, order)
    await apply_moves(
        transaction.store, transaction.session, transaction.ledger, transaction.surroundings, selection.moves
    )
    await _lock(transaction, selection)
    jobs = [_job(contact, lock) for contact, lock in zip(selection.chosen, selection.locks, strict=True)]
    return Claimed(jobs, selection.left)


async def _rooms(transaction: ShardTransaction, order: ClaimOrder, candidates: Sequence[Document]) -> _Rooms:
    """What is free now, this transaction's own moves included."""
    ledger, surroundings = transaction.ledger, transaction.surroundings
    numbers = {
        number_budget(organization["_id"], number)
        for organization in surroundings.organizations.values()
        for number in organization.get("exclusive_caller_numbers", ())
    }
    await surroundings.load_numbers(numbers)
    held = Counter(surroundings.held)
    held.update(ledger.budgets)
    shard = surroundings.anchor_document
    organizations = {}
    for organization_id in {c["organization_id"] for c in candidates}:
        limit = concurrency_limit(surroundings.organizations.get(organization_id))
        room = limit - held[organization_budget(organization_id)]
        organizations[organization_id] = min(room, order.shares.get(organization_id, room))
    campaigns = {
        campaign["_id"]: campaign["concurrency_limit"] - held[campaign_budget(campaign["_id"])]
        for campaign in surroundings.campaigns.values()
        if campaign.get("concurrency_limit") is not None
    }
    room = shard["grant"] - shard["held"] - ledger.shard_held if shard else 0
    return _Rooms(
        min(room, MAX_CLAIM),
        organizations,
        campaigns,
        {key: 1 - held[key] for key in numbers},
        await _live_phones(transaction, candidates),
    )


async def _live_phones(transaction: ShardTransaction, candidates: Sequence[Document]) -> set[tuple[str, str]]:
    """(organization, number) pairs of these contacts that another claim or call uses now (I3).

    The number frozen in the lock counts, not the editable field: that one may have changed under a call.
    """
    live: set[tuple[str, str]] = set()
    for organization_id in {c["organization_id"] for c in candidates}:
        phones = {p for c in candidates if c["organization_id"] == organization_id for p in c["phone_numbers"]}
        query = {"organization_id": organization_id, "lock.phone": {"$in": list(phones)}}
        cursor = transaction.store["contacts"].find(
            query, {"lock.phone": 1}, session=transaction.session, hint="live_phone"
        )
        live |= {(organization_id, document["lock"]["phone"]) async for document in cursor}
    return live


def _select(
    transaction: ShardTransaction,
    rooms: _Rooms,
    candidates: Sequence[Document],
    claim_id: str,
    now: datetime,
    order: ClaimOrder,
) -> _Selection:
    surroundings = transaction.surroundings
    selection = _Selection()
    expires_at = now + timedelta(seconds=order.lock_seconds)
    for contact in candidates:
        if surroundings.is_closed(contact) or not surroundings.allowed_numbers(contact):
            selection.moves.append(Move(contact, ContactStatus.SKIPPED))
        elif not surroundings.may_dial(contact) or not surroundings.window_is_open(contact, now, ahead=WINDOW_AHEAD):
            continue
        elif (lock := _lock_for(transaction, contact, claim_id, expires_at)) is None:
            selection.moves.append(Move(contact, ContactStatus.ERROR))
        elif (contact["organization_id"], lock["phone"]) in rooms.live:
            selection.moves.append(Move(contact, ContactStatus.PENDING, due_at=now + PHONE_BUSY))
        elif _take(rooms, contact, lock):
            selection.chosen.append(contact)
            selection.locks.append(lock)
        else:
            selection.left.append(contact["_id"])
    return selection


def _lock_for(transaction: ShardTransaction, contact: Document, claim_id: str, expires_at: datetime) -> Document | None:
    """The claim on one contact: which number, from which number, by which agent. None: nobody to speak or to show."""
    surroundings = transaction.surroundings
    agent_id = surroundings.first_set(contact, "agent_id")
    caller_number = surroundings.caller_number(contact)
    if caller_number is None or (agent_id is None and contact.get("agent_config") is None):
        return None
    organization = surroundings.organizations.get(contact["organization_id"]) or {}
    return {
        "claim": claim_id,
        "attempt": str(uuid.uuid5(uuid.UUID(contact["_id"]), claim_id)),
        "attempt_number": contact["attempts_made"] + 1,
        "phone": next_number(contact, surroundings.allowed_numbers(contact)),
        "caller_number": caller_number,
        "exclusive": caller_number in organization.get("exclusive_caller_numbers", ()),
        "agent_id": agent_id,
        "agent_version": surroundings.first_set(contact, "agent_version"),
        "expires_at": expires_at,
    }


def next_number(contact: Document, allowed: Sequence[str]) -> str:
    """The number whose turn it is: in order, the next on each retry, wrapping around, listed ones losing theirs."""
    numbers: list[str] = contact["phone_numbers"]
    turn = contact["attempts_made"] % len(numbers)
    return next(phone for phone in (*numbers[turn:], *numbers[:turn]) if phone in allowed)


def _take(rooms: _Rooms, contact: Document, lock: Document) -> bool:
    """Take one slot of every budget above the contact; False, and nothing taken, if one is full."""
    organization_id, campaign_id = contact["organization_id"], contact["campaign_id"]
    number = number_budget(organization_id, lock["caller_number"])
    free = rooms.shard > 0 and rooms.organizations[organization_id] > 0
    free = free and rooms.campaigns.get(campaign_id, 1) > 0
    if not free or (lock["exclusive"] and rooms.numbers[number] < 1):
        return False
    rooms.shard -= 1
    rooms.organizations[organization_id] -= 1
    if campaign_id in rooms.campaigns:
        rooms.campaigns[campaign_id] -= 1
    if lock["exclusive"]:
        rooms.numbers[number] -= 1
    rooms.live.add((organization_id, lock["phone"]))
    return True


async def _lock(transaction: ShardTransaction, selection: _Selection) -> None:
    """Write the locks: all of them, or the transaction is given up."""
    if not selection.chosen:
        return
    ids = [contact["_id"] for contact in selection.chosen]
    lock = {
        "$arrayElemAt": [{"$literal": selection.locks}, {"$indexOfArray": [{"$literal": ids}, "$_id"]}],
    }
    result = await transaction.store["contacts"].update_many(
        {"_id": {"$in": ids}, "status": ContactStatus.PENDING, "delete_requested": {"$ne": True}},
        [{"$set": {"status": ContactStatus.LOCKED, "lock": lock}}],
        session=transaction.session,
    )
    if result.matched_count != len(ids):
        raise GuardFailed(f"{result.matched_count} of {len(ids)} candidates were still waiting")
    for contact, claimed in zip(selection.chosen, selection.locks, strict=True):
        transaction.ledger.claimed(contact, claimed)


def _job(contact: Document, lock: Document) -> DialJob:
    return DialJob(
        attempt_id=lock["attempt"],
        claim_id=lock["claim"],
        organization_id=contact["organization_id"],
        shard=contact["shard"],
        campaign_id=contact["campaign_id"],
        contact_id=contact["_id"],
        not_after=lock["expires_at"],
    )
