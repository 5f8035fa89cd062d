"""Contacts that are to be removed: a row for each in a collection of its own, so that `contacts` needs no index.

The API writes the row with the mark on the contact, in one transaction; the scheduler removes both in another.
"""

from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact import ACTIVE, ContactStatus
from shared.store.client import Document, Store, translates
from shared.store.dialing.moves import Move, apply_moves
from shared.store.dialing.shard_transaction import Ownership, ShardTransaction
from shared.store.dialing.shard_work import BATCH, Swept


async def note_deletion(store: Store, session: AsyncClientSession, contact: Document) -> None:
    """Have a contact (`_id`, `shard`, `campaign_id`) removed by the scheduler of its shard. Safe to repeat."""
    fields = {"shard": contact["shard"], "campaign_id": contact["campaign_id"]}
    await store["deletions"].update_one({"_id": contact["_id"]}, {"$setOnInsert": fields}, upsert=True, session=session)


@translates
async def count_deletions(store: Store, campaign_id: str, status: ContactStatus | None) -> int:
    """How many contacts of a campaign, in this status or in any, are to be removed and are still counted."""
    rows: Document = {"campaign_id": campaign_id}
    if status is None:
        return await store["deletions"].count_documents(rows)
    contacts: Document = {
        "from": "contacts",
        "localField": "_id",
        "foreignField": "_id",
        "pipeline": [{"$match": {"status": status.value}}, {"$project": {"_id": 1}}],
        "as": "contact",
    }
    found = await store["deletions"].aggregate(
        [{"$match": rows}, {"$lookup": contacts}, {"$match": {"contact": {"$ne": []}}}, {"$count": "contacts"}]
    )
    counted = await found.to_list()
    return int(counted[0]["contacts"]) if counted else 0


async def remove_deleted(store: Store, owner: Ownership, now: datetime) -> Swept:
    """Remove waiting and ended contacts whose deletion was asked for, with their counts; at most 500.

    One that is being called is removed when its call ends.
    """
    rows = await store["deletions"].find({"shard": owner.shard}, {"_id": 1}).limit(BATCH).to_list()
    if not rows:
        return Swept()
    ids = [row["_id"] for row in rows]

    async def run(session: AsyncClientSession) -> Swept:
        transaction = ShardTransaction.begin(store, session, owner)
        contacts = await transaction.read_contacts(ids)
        moves = [
            Move(contact, ContactStatus.SKIPPED) for contact in contacts.values() if contact["status"] not in ACTIVE
        ]
        await apply_moves(store, session, transaction.ledger, transaction.context, moves, now)
        gone = [contact_id for contact_id in ids if contact_id not in contacts]
        if gone:
            await store["deletions"].delete_many({"_id": {"$in": gone}}, session=session)
        await transaction.ledger.write(store, session)
        return Swept.by(transaction.ledger, len(moves))

    return await store.in_transaction(run)
