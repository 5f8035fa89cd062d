"""Campaigns that a refusal names, because they use what was to go."""

from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.errors import NamedCampaign
from shared.store.client import Document, Store

# Campaigns that a refusal names; there may be thousands.
MAX_NAMED: Final = 5


async def named_campaigns(store: Store, query: Document, session: AsyncClientSession) -> list[NamedCampaign]:
    """The campaigns that match, the first few in order of creation."""
    found = store["campaigns"].find(query, {"name": 1}, session=session).sort("created_at", 1).limit(MAX_NAMED)
    return [NamedCampaign(campaign["_id"], campaign["name"]) async for campaign in found]
