"""Version 6: a contact whose deletion was asked for has a row in `deletions`, which leads the scheduler to it."""

from collections.abc import Mapping
from typing import Any, Final

from pymongo import UpdateOne

from shared.store.client import Document, Store, translates
from shared.store.migrations.step import BATCH, Migration, drop_index

_LISTED: Final[Document] = {"from": "deletions", "localField": "_id", "foreignField": "_id", "as": "row"}
# There is no index that leads to them any more: one walk over the contacts, which an upgrade can afford.
_WITHOUT_ROW: Final[list[Mapping[str, Any]]] = [
    {"$match": {"delete_requested": True}},
    {"$lookup": _LISTED},
    {"$match": {"row": []}},
]

_OLD_INDEX: Final = "tombstones"


@translates
async def _count(store: Store) -> int:
    found = await store["contacts"].aggregate([*_WITHOUT_ROW, {"$count": "contacts"}])
    counted = await found.to_list()
    return int(counted[0]["contacts"]) if counted else 0


@translates
async def _change_some(store: Store) -> int:
    fields = {"shard": 1, "campaign_id": 1}
    found = await store["contacts"].aggregate([*_WITHOUT_ROW, {"$limit": BATCH}, {"$project": fields}])
    rows = [
        UpdateOne(
            {"_id": contact["_id"]},
            {"$setOnInsert": {"shard": contact["shard"], "campaign_id": contact["campaign_id"]}},
            upsert=True,
        )
        async for contact in found
    ]
    if not rows:
        await drop_index(store, "contacts", _OLD_INDEX)
    else:
        # A row too many, of a contact that was removed meanwhile, costs the scheduler one look.
        await store["deletions"].bulk_write(rows, ordered=False)
    return len(rows)


DELETIONS: Final = Migration(6, "contacts that are to be removed have a row in deletions", False, _count, _change_some)
