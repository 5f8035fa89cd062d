"""Who owns a shard, and the global limit that shards share by grants.

`shards/{s} {epoch, held, grant, want, resting}` and `global_budget {limit, free}` obey sum(grant) + free = limit
after every transaction (I7). Only schedulers write them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.store.client import Document, Store, translates
from shared.topics import SHARDS

GLOBAL: Final = "global"


@dataclass(frozen=True, slots=True)
class ShardState:
    """One shard as stored. `want` maps organizations with work due to what they could use; `resting` of what is
    held belongs to the others."""

    shard: int
    epoch: int
    held: int
    grant: int
    want: Mapping[str, Mapping[str, Any]]
    resting: int


@translates
async def ensure_shards(store: Store) -> None:
    """Create the shards and the global budget where they are missing. Safe to call again, by anybody."""
    for shard in range(SHARDS):
        await store["shards"].update_one(
            {"_id": shard}, {"$setOnInsert": {"epoch": 0, "held": 0, "grant": 0, "want": {}}}, upsert=True
        )
    await store["global_budget"].update_one({"_id": GLOBAL}, {"$setOnInsert": {"limit": 0, "free": 0}}, upsert=True)


@translates
async def take_over(store: Store, shard: int) -> int:
    """Become the shard's owner: its new epoch. Every write of an older owner fails from now on."""
    document = await store["shards"].find_one_and_update(
        {"_id": shard},
        {"$inc": {"epoch": 1}, "$setOnInsert": {"held": 0, "grant": 0, "want": {}}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    return int(document["epoch"]) if document else 0


@translates
async def read_shards(store: Store) -> list[ShardState]:
    """All shards, by number."""
    documents = await store["shards"].find({}).sort("_id", 1).to_list()
    return [
        ShardState(d["_id"], d["epoch"], d["held"], d["grant"], d.get("want") or {}, d.get("resting", 0))
        for d in documents
    ]


@translates
async def read_global(store: Store) -> tuple[int, int]:
    """The global limit and what of it no shard has been granted; `free` is negative while a lowered limit settles."""
    document = await store["global_budget"].find_one({"_id": GLOBAL})
    return (int(document["limit"]), int(document["free"])) if document else (0, 0)


@translates
async def publish_want(
    store: Store, shard: int, epoch: int, want: Mapping[str, Mapping[str, Any]], resting: int
) -> bool:
    """Say what this shard's organizations could use. False: a newer owner is at work."""
    said = {"want": dict(want), "resting": resting}
    result = await store["shards"].update_one({"_id": shard, "epoch": epoch}, {"$set": said})
    return result.matched_count == 1


@translates
async def set_global_limit(store: Store, limit: int) -> bool:
    """Make the global limit `limit`; grants stay, so `free` may go below zero until owners give back.

    False when somebody else changed it meanwhile: read it again next time.
    """
    old, _ = await read_global(store)
    if old == limit:
        return True
    result = await store["global_budget"].update_one(
        {"_id": GLOBAL, "limit": old}, {"$set": {"limit": limit}, "$inc": {"free": limit - old}}
    )
    return result.matched_count == 1


async def move_grant(store: Store, shard: int, epoch: int, delta: int) -> bool:
    """Take `delta` from the free part (negative: give back), in one transaction.

    False, and nothing is changed, when there is not that much free, when the shard would keep less than
    it holds, or when a newer owner is at work.
    """

    async def work(session: AsyncClientSession) -> bool:
        free: Document = {"_id": GLOBAL, "free": {"$gte": delta}} if delta > 0 else {"_id": GLOBAL}
        guard: Document = {"_id": shard, "epoch": epoch}
        if delta < 0:
            guard["$expr"] = {"$gte": [{"$add": ["$grant", delta]}, "$held"]}
        taken = await store["shards"].update_one(guard, {"$inc": {"grant": delta}}, session=session)
        if taken.matched_count == 0:
            return False
        given = await store["global_budget"].update_one(free, {"$inc": {"free": -delta}}, session=session)
        if given.matched_count == 0:
            await session.abort_transaction()
            return False
        return True

    return True if delta == 0 else await store.in_transaction(work)
