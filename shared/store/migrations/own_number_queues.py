"""Version 10: contacts with a caller number of their own stand in queues of their own, in the place of an index.

One way through all contacts, which come with the few fields that count, so that no request lasts; killed, it begins
anew. A queue of the old form and of the new one tells the same tier, so what was changed already stays as it is.
"""

from collections.abc import AsyncIterator
from typing import Final

from pymongo import UpdateOne

from shared.domain.contact import Tier
from shared.domain.queue_order import DEFAULT_CONTACT_PRIORITY, queue_of, tier_in
from shared.store.client import Document, Store, translates
from shared.store.migrations.step import BATCH, Migration, drop_index

_OLD_INDEX: Final = "own_number"
_FIELDS: Final = ("campaign_id", "tier", "priority", "agent_number")


@translates
async def _count(store: Store) -> int:
    return sum([1 async for contact in _contacts(store) if _queue(contact) != contact.get("tier")])


@translates
async def _change_some(store: Store) -> int:
    changed = 0
    campaigns: set[str] = set()
    updates: list[UpdateOne] = []
    async for contact in _contacts(store):
        if contact.get("agent_number") is not None:
            # Also of those that do not change: with a priority of 1 the number is the same in both forms.
            campaigns.add(contact["campaign_id"])
        old, new = contact.get("tier"), _queue(contact)
        if new != old:
            updates.append(UpdateOne({"_id": contact["_id"], "tier": old}, {"$set": {"tier": new}}))
            changed += 1
        if len(updates) == BATCH:
            await store["contacts"].bulk_write(updates, ordered=False)
            updates = []
    if updates:
        await store["contacts"].bulk_write(updates, ordered=False)
    marks = sorted(campaigns)
    for first in range(0, len(marks), BATCH):
        having = {"campaign_id": {"$in": marks[first : first + BATCH]}}
        await store["counters_in"].update_many(having, {"$set": {"own_numbers": True}})
    if not changed:
        await drop_index(store, "contacts", _OLD_INDEX)
    return changed


async def _contacts(store: Store) -> AsyncIterator[Document]:
    async for contact in store["contacts"].find({}, dict.fromkeys(_FIELDS, 1)):
        yield contact


def _queue(contact: Document) -> int:
    priority = contact.get("priority") or DEFAULT_CONTACT_PRIORITY
    tier = tier_in(contact.get("tier", Tier.FRESH))
    return queue_of(priority, tier, own_number=contact.get("agent_number") is not None)


OWN_NUMBER_QUEUES: Final = Migration(
    10, "contacts with a caller number of their own stand in queues of their own", False, _count, _change_some
)
