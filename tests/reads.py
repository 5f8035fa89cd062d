"""How many documents the server reads to answer: what an index leads to, and no more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.store.client import Store


@asynccontextmanager
async def documents_read(store: Store, collection: str, field: str) -> AsyncIterator[list[int]]:
    """The documents read for each question about a collection in the block that an index with a field was used for.

    They are there once the block has ended.
    """
    read: list[int] = []
    await store.db.command("profile", 2)
    try:
        yield read
    finally:
        await store.db.command("profile", 0)
    asked = {
        "ns": f"{store.db.name}.{collection}",
        "docsExamined": {"$exists": True},
        "planSummary": {"$regex": f" {field}: "},
    }
    read += [one["docsExamined"] async for one in store["system.profile"].find(asked).sort("ts", 1)]
    await store.db.drop_collection("system.profile")
