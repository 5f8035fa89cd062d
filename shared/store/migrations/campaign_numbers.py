"""Version 4: campaigns have a number in their organization, in order of creation."""

from typing import Final

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.store.client import Document, Store, translates
from shared.store.migrations.step import BATCH, Migration

_OLD: Final[Document] = {"number": {"$exists": False}}
_IN_ORDER: Final = [("created_at", 1), ("_id", 1)]


@translates
async def _count(store: Store) -> int:
    return await store["campaigns"].count_documents(_OLD)


async def _change_some(store: Store) -> int:
    found = await _first(store)
    if found is None:
        return 0
    organization_id: str = found["organization_id"]

    async def work(session: AsyncClientSession) -> int:
        """Numbers and the organization's highest one are written together: of two runs at once one waits."""
        old = {**_OLD, "organization_id": organization_id}
        campaigns = await store["campaigns"].find(old, {"_id": 1}, session=session).sort(_IN_ORDER).to_list(BATCH)
        if not campaigns:
            # Another run has numbered them meanwhile: look again.
            return 1
        before = await store["organizations"].find_one_and_update(
            {"_id": organization_id}, {"$inc": {"campaign_number": len(campaigns)}}, session=session
        )
        highest: int = (before or {}).get("campaign_number", 0)
        numbered = [
            UpdateOne({"_id": campaign["_id"], **_OLD}, {"$set": {"number": highest + place}})
            for place, campaign in enumerate(campaigns, 1)
        ]
        await store["campaigns"].bulk_write(numbered, session=session)
        return len(campaigns)

    return await store.in_transaction(work)


@translates
async def _first(store: Store) -> Document | None:
    return await store["campaigns"].find_one(_OLD, {"organization_id": 1})


CAMPAIGN_NUMBERS: Final = Migration(
    4, "campaigns have a number in their organization, in order of creation", False, _count, _change_some
)
