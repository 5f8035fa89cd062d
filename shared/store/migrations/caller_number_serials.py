"""Version 7: caller numbers have a serial in their organization, in order of creation."""

from typing import Final

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.store.client import Document, Store, translates
from shared.store.migrations.step import BATCH, Migration

_OLD: Final[Document] = {"serial": {"$exists": False}}
_IN_ORDER: Final = [("created_at", 1), ("_id", 1)]


@translates
async def _count(store: Store) -> int:
    return await store["caller_numbers"].count_documents(_OLD)


async def _change_some(store: Store) -> int:
    found = await _first(store)
    if found is None:
        return 0
    organization_id: str = found["organization_id"]

    async def work(session: AsyncClientSession) -> int:
        """Serials and the organization's highest one are written together: of two runs at once one waits."""
        old = {**_OLD, "organization_id": organization_id}
        numbers = await store["caller_numbers"].find(old, {"_id": 1}, session=session).sort(_IN_ORDER).to_list(BATCH)
        if not numbers:
            # Another run has numbered them meanwhile: look again.
            return 1
        before = await store["organizations"].find_one_and_update(
            {"_id": organization_id}, {"$inc": {"caller_number_serial": len(numbers)}}, session=session
        )
        highest: int = (before or {}).get("caller_number_serial", 0)
        given = [
            UpdateOne({"_id": number["_id"], **_OLD}, {"$set": {"serial": highest + place}})
            for place, number in enumerate(numbers, 1)
        ]
        await store["caller_numbers"].bulk_write(given, session=session)
        return len(numbers)

    return await store.in_transaction(work)


@translates
async def _first(store: Store) -> Document | None:
    return await store["caller_numbers"].find_one(_OLD, {"organization_id": 1})


CALLER_NUMBER_SERIALS: Final = Migration(
    7, "caller numbers have a serial in their organization, in order of creation", False, _count, _change_some
)
