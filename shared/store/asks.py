"""Wishes: what is asked of contacts, and carried out by the scheduler alone.

A wish stands on the contact as `asked {id, kind, at, of}`, and in `asks` as a row under the contact's id, so that the
scheduler finds it without an index on `contacts`. Both are written in one transaction, and removed in the one that
carries the wish out. `of` is the contact's last attempt when it was asked: once there is another, the wish is void.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact import FINAL, ContactStatus, Tier
from shared.domain.reasons import FOR_GOOD, EndReason
from shared.store.client import Document, Store
from shared.store.contact_documents import NOT_DELETED
from shared.store.moves import Move, apply_moves
from shared.store.organizations import touch
from shared.store.shard_transaction import Ownership, ShardTransaction
from shared.store.shard_work import BATCH, Swept

# Contacts that one request asks to call again; more take another request.
MAX_RESET: Final = 10_000
_AT_ONCE: Final = 1000
# Statuses in which a contact has ended and may be asked to be called again: one that was answered may not.
MAY_BE_RESET: Final = frozenset(FINAL - {ContactStatus.COMPLETED})


class Wish(StrEnum):
    """What is asked of a contact."""

    AGAIN = "again"  # call it again, though it has ended; its limits and delays count from then on


async def ask_again(store: Store, contacts: Collection[Document], now: datetime) -> int:
    """Ask that ended contacts be called again; how many of them still stood as read.

    They must be of one organization, at most 1,000. Safe to repeat.
    """
    by_id = {contact["_id"]: contact for contact in contacts}

    async def work(session: AsyncClientSession) -> int:
        query = {
            "_id": {"$in": list(by_id)},
            "status": {"$in": sorted(MAY_BE_RESET)},
            "ended_because": {"$nin": sorted(FOR_GOOD)},
            "asked": {"$exists": False},
            **NOT_DELETED,
        }
        found = store["contacts"].find(query, {"_id": 1}, session=session)
        ids = [contact["_id"] async for contact in found]
        if not ids:
            return 0
        asked = {"id": str(uuid.uuid4()), "kind": Wish.AGAIN, "at": {"$literal": now}, "of": "$last_attempt"}
        await store["contacts"].update_many({"_id": {"$in": ids}}, [{"$set": {"asked": asked}}], session=session)
        rows = [
            ReplaceOne({"_id": contact_id}, {"_id": contact_id, "shard": by_id[contact_id]["shard"]}, upsert=True)
            for contact_id in ids
        ]
        await store["asks"].bulk_write(rows, session=session)
        return len(ids)

    return await store.in_transaction(work) if by_id else 0


async def reset_contacts(
    store: Store,
    organization_id: str,
    campaign_id: str,
    *,
    status: ContactStatus,
    because: EndReason | None,
    now: datetime,
) -> tuple[int, bool]:
    """Ask that the campaign's (stored form) contacts that ended so be called again.

    How many were asked for, at most `MAX_RESET`, and whether there may be more: then ask again. Contacts that were
    answered or opted out are never among them.
    """
    ended = {"$nin": sorted(FOR_GOOD)} if because is None else because.value
    query = {
        "campaign_id": campaign_id,
        "organization_id": organization_id,
        "status": status.value,
        "ended_because": ended,
        "asked": {"$exists": False},
        **NOT_DELETED,
    }
    found = store["contacts"].find(query, {"shard": 1}, hint="listing").limit(MAX_RESET + 1)
    contacts = await found.to_list()
    asked = 0
    for start in range(0, min(len(contacts), MAX_RESET), _AT_ONCE):
        asked += await ask_again(store, contacts[start : start + _AT_ONCE], now)
    if asked:
        await touch(store, organization_id)
    return asked, len(contacts) > MAX_RESET


async def carry_out(store: Store, owner: Ownership, now: datetime) -> Swept:
    """Carry out some wishes of the shard; those that are void are dropped."""
    rows = await store["asks"].find({"shard": owner.shard}).limit(BATCH).to_list()
    if not rows:
        return Swept()
    ids = [row["_id"] for row in rows]

    async def run(session: AsyncClientSession) -> Swept:
        transaction = ShardTransaction.begin(store, session, owner)
        contacts = await transaction.read_contacts(ids)
        moves = [_again(contact, now) for contact in contacts.values() if _holds(contact)]
        await apply_moves(store, session, transaction.ledger, transaction.surroundings, moves)
        carried_out = {move.contact["_id"] for move in moves}
        await _drop(store, session, [contact_id for contact_id in ids if contact_id not in carried_out])
        await transaction.ledger.write(store, session)
        return Swept(len(ids), transaction.ledger.held_changes(), transaction.ledger.due)

    return await store.in_transaction(run)


def _holds(contact: Document) -> bool:
    """Whether a wish still is what its contact needs: it has not been called, or told something final, since."""
    asked = contact.get("asked")
    return (
        asked is not None
        and asked["kind"] == Wish.AGAIN
        and asked["of"] == contact.get("last_attempt")
        and contact["status"] in MAY_BE_RESET
        and contact.get("ended_because") not in FOR_GOOD
    )


def _again(contact: Document, now: datetime) -> Move:
    """The contact waits as if it were new, but for its history: attempts so far count for no limit any more."""
    scheduled_at, tier = contact.get("scheduled_at"), Tier.RETRY
    if not contact["attempts_made"]:
        tier = Tier.FRESH if scheduled_at is None else Tier.SCHEDULED
    return Move(
        contact,
        ContactStatus.PENDING,
        due_at=max(now, scheduled_at) if tier is Tier.SCHEDULED and scheduled_at else now,
        tier=tier,
        outcomes={},
        uncounted=contact["attempts_made"],
        invalid_numbers=[],
    )


async def _drop(store: Store, session: AsyncClientSession, contact_ids: Sequence[str]) -> None:
    if contact_ids:
        these = {"_id": {"$in": list(contact_ids)}}
        await store["contacts"].update_many(these, {"$unset": {"asked": ""}}, session=session)
        await store["asks"].delete_many(these, session=session)
