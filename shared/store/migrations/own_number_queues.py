"""Version 10: contacts with a caller number of their own stand in queues of their own, in the place of an index."""

from typing import Final

from shared.domain.contact import Tier
from shared.domain.queue_order import DEFAULT_CONTACT_PRIORITY, QUEUES, REQUESTED_PRIORITY, TIERS
from shared.store.client import Document, Store, translates
from shared.store.migrations.step import BATCH, Migration, drop_index

_OLD_INDEX: Final = "own_number"
_HAS_ONE: Final[Document] = {"$eq": [{"$type": "$agent_number"}, "string"]}
# Queues of the old form and of the new one give the same tier. A remainder has its dividend's sign.
_STORED: Final[Document] = {"$ifNull": ["$tier", int(Tier.FRESH)]}
_TIER: Final[Document] = {"$mod": [{"$add": [{"$mod": [_STORED, TIERS]}, TIERS]}, TIERS]}
_COUNTED: Final[Document] = {
    "$add": [
        {"$ifNull": ["$priority", DEFAULT_CONTACT_PRIORITY]},
        {"$cond": [{"$eq": [_TIER, int(Tier.REQUESTED)]}, REQUESTED_PRIORITY, 0]},
    ]
}
_QUEUE: Final[Document] = {
    "$toInt": {
        "$subtract": [{"$add": [_TIER, {"$cond": [_HAS_ONE, TIERS, 0]}]}, {"$multiply": [QUEUES, _COUNTED]}],
    }
}
# Those of no priority and without a number of their own are as they were.
_OLD: Final[Document] = {
    "$or": [{"tier": {"$lt": 0}}, {"agent_number": {"$type": "string"}}],
    "$expr": {"$ne": ["$tier", _QUEUE]},
}


@translates
async def _count(store: Store) -> int:
    return await store["contacts"].count_documents(_OLD)


@translates
async def _change_some(store: Store) -> int:
    await _mark_campaigns(store)
    # There is no index that leads to them: one walk over the contacts, which an upgrade can afford.
    changed = 0
    found = store["contacts"].find(_OLD, {"_id": 1})
    while some := await found.to_list(BATCH):
        ids = [contact["_id"] for contact in some]
        await store["contacts"].update_many({"_id": {"$in": ids}}, [{"$set": {"tier": _QUEUE}}])
        changed += len(ids)
    if not changed:
        await drop_index(store, "contacts", _OLD_INDEX)
    return changed


async def _mark_campaigns(store: Store) -> None:
    """Note which campaigns have such contacts. Not by those that change: a priority of 1 is the same in both forms."""
    having: list[Document] = [{"$match": {"agent_number": {"$type": "string"}}}, {"$group": {"_id": "$campaign_id"}}]
    async for campaign in await store["contacts"].aggregate(having):
        await store["counters_in"].update_many({"campaign_id": campaign["_id"]}, {"$set": {"own_numbers": True}})


OWN_NUMBER_QUEUES: Final = Migration(
    10, "contacts with a caller number of their own stand in queues of their own", False, _count, _change_some
)
