"""Version 2: entries of the do-not-call list that came through the native API say so by its name of today."""

from typing import Final

from shared.store.client import Document, Store, translates
from shared.store.documents.catalog import NATIVE
from shared.store.migrations.step import BATCH, Migration

_OLD: Final[Document] = {"source": "api"}


@translates
async def _count(store: Store) -> int:
    return await store["do_not_call"].count_documents(_OLD)


@translates
async def _change_some(store: Store) -> int:
    entries = store["do_not_call"].find(_OLD, {"_id": 1}).limit(BATCH)
    ids = [entry["_id"] async for entry in entries]
    if ids:
        await store["do_not_call"].update_many({"_id": {"$in": ids}, **_OLD}, {"$set": {"source": NATIVE}})
    return len(ids)


DO_NOT_CALL_SOURCES: Final = Migration(
    2, "do-not-call entries name their source as the native API does", True, _count, _change_some
)
