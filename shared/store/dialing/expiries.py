"""Contacts that expire: a row for each in a collection of their own, so that no index on `contacts` is needed.

A row says when to look at its contact. A row too many costs one look; a missing one would leave its contact waiting,
though never called. So an upload that changes a contact writes the row before and after the contact: whatever a sweep
believed between the two, the row is there.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from pymongo import DeleteOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact import ACTIVE, ContactStatus
from shared.store.client import Document, Store, translates
from shared.store.dialing.moves import Move, apply_moves
from shared.store.dialing.shard_transaction import Ownership, ShardTransaction
from shared.store.dialing.shard_work import BATCH, Swept

# A contact that is being called when its time comes is looked at again after this; it ends when its call does.
LOOK_AGAIN: Final = timedelta(seconds=10)


@translates
async def note_expiries(
    store: Store, shard: int, expiries: Mapping[str, datetime | None], session: AsyncClientSession | None = None
) -> None:
    """Have these contacts of a shard, by id, looked at when their `expires_at` comes, if they have one.

    Safe to repeat.
    """
    rows = [
        UpdateOne({"_id": contact_id}, {"$set": {"shard": shard}, "$min": {"at": at}}, upsert=True)
        for contact_id, at in expiries.items()
        if at is not None
    ]
    if rows:
        await store["expiries"].bulk_write(rows, ordered=False, session=session)


async def end_expired(store: Store, owner: Ownership, now: datetime) -> Swept:
    """Skip waiting contacts whose `expires_at` has come, whatever their campaign's state; at most 500 are looked at."""
    due = {"shard": owner.shard, "at": {"$lte": now}}
    rows = await store["expiries"].find(due).sort("at", 1).limit(BATCH).to_list()
    if not rows:
        return Swept()

    async def run(session: AsyncClientSession) -> Swept:
        transaction = ShardTransaction.begin(store, session, owner)
        contacts = await transaction.read_contacts([row["_id"] for row in rows])
        moves = [Move(contact, ContactStatus.PENDING) for contact in contacts.values() if _waits_expired(contact, now)]
        await apply_moves(store, session, transaction.ledger, transaction.context, moves, now)
        looked_at = [_after_look(row, contacts.get(row["_id"]), now) for row in rows]
        await store["expiries"].bulk_write(looked_at, ordered=False, session=session)
        await transaction.ledger.write(store, session)
        return Swept.by(transaction.ledger, len(rows))

    return await store.in_transaction(run)


def _waits_expired(contact: Document, now: datetime) -> bool:
    expires_at = contact.get("expires_at")
    return contact["status"] == ContactStatus.PENDING and expires_at is not None and expires_at <= now


def _after_look(row: Document, contact: Document | None, now: datetime) -> UpdateOne | DeleteOne:
    """When the row's contact is to be looked at again; never, unless it may still expire."""
    as_read = {"_id": row["_id"], "at": row["at"]}
    expires_at = contact.get("expires_at") if contact else None
    if contact is None or expires_at is None:
        return DeleteOne(as_read)
    if expires_at > now:
        return UpdateOne(as_read, {"$set": {"at": expires_at}})
    return UpdateOne(as_read, {"$set": {"at": now + LOOK_AGAIN}}) if contact["status"] in ACTIVE else DeleteOne(as_read)
