"""Version 7: attempts say when they began, and have a number in their organization, in that order.

One way through all attempts, which the server puts in order; killed, it begins anew and leaves numbers that were given
as they are.
"""

from collections.abc import Sequence
from typing import Final

from pymongo import UpdateOne

from shared.domain.call_numbers import next_numbers
from shared.store.client import Document, Store, translates
from shared.store.migrations.step import BATCH, Migration

_OLD: Final[Document] = {"call_number": {"$exists": False}}
_IN_ORDER: Final[Sequence[Document]] = (
    {"$project": {"organization_id": 1, "call_number": 1, "began": {"$ifNull": ["$started_at", "$ended_at"]}}},
    {"$sort": {"organization_id": 1, "began": 1, "_id": 1}},
)


@translates
async def _count(store: Store) -> int:
    return await store["attempts"].count_documents(_OLD)


@translates
async def _change_some(store: Store) -> int:
    if await store["attempts"].find_one(_OLD, {"_id": 1}) is None:
        return 0
    changed, last, organization_id = 0, 0, None
    updates: list[UpdateOne] = []
    async for attempt in await store["attempts"].aggregate(list(_IN_ORDER), allowDiskUse=True):
        if attempt["organization_id"] != organization_id:
            organization_id, last = attempt["organization_id"], 0
        given = attempt.get("call_number")
        last = next_numbers(last, 1, attempt["began"])[0] if given is None else max(last, given)
        if given is None:
            values = {"call_number": last, "created_at": attempt["began"]}
            updates.append(UpdateOne({"_id": attempt["_id"], **_OLD}, {"$set": values}))
            changed += 1
        if len(updates) == BATCH:
            await store["attempts"].bulk_write(updates, ordered=False)
            updates = []
    if updates:
        await store["attempts"].bulk_write(updates, ordered=False)
    return changed


CALL_NUMBERS: Final = Migration(
    7, "attempts have a number in their organization, in the order in which they began", False, _count, _change_some
)
