"""Things of an organization get a number in it, in order of creation: one way for all collections that have one."""

from typing import Final

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.store.client import Document, Store, translates
from shared.store.migrations.step import BATCH, Migration

_IN_ORDER: Final = [("created_at", 1), ("_id", 1)]


def numbering(version: int, title: str, *, collection: str, field: str, highest: str) -> Migration:
    """The migration to `version` that gives a `field` to what has none; the organization keeps the `highest`."""
    old: Document = {field: {"$exists": False}}

    @translates
    async def count(store: Store) -> int:
        return await store[collection].count_documents(old)

    @translates
    async def first(store: Store) -> Document | None:
        return await store[collection].find_one(old, {"organization_id": 1})

    async def change_some(store: Store) -> int:
        found = await first(store)
        if found is None:
            return 0
        organization_id: str = found["organization_id"]

        async def work(session: AsyncClientSession) -> int:
            """Numbers and the organization's highest one are written together: of two runs at once one waits."""
            of_organization = {**old, "organization_id": organization_id}
            some = (
                await store[collection]
                .find(of_organization, {"_id": 1}, session=session)
                .sort(_IN_ORDER)
                .to_list(BATCH)
            )
            if not some:
                # Another run has numbered them meanwhile: look again.
                return 1
            before = await store["organizations"].find_one_and_update(
                {"_id": organization_id}, {"$inc": {highest: len(some)}}, session=session
            )
            last: int = (before or {}).get(highest, 0)
            numbered = [
                UpdateOne({"_id": each["_id"], **old}, {"$set": {field: last + place}})
                for place, each in enumerate(some, 1)
            ]
            await store[collection].bulk_write(numbered, session=session)
            return len(some)

        return await store.in_transaction(work)

    return Migration(version, title, False, count, change_some)
