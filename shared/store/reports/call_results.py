"""What agents have posted of calls, joined to them by the attempt's id."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from shared.store.client import Document, Store

COLLECTION: Final = "call_results"
# What filters look at.
LOOKED_AT: Final[Document] = {"disposition": 1, "sentiment": 1, "tags": 1}


async def results_of(
    store: Store, organization_id: str, attempt_ids: Collection[str], fields: Document | None = None
) -> dict[str, Mapping[str, Any]]:
    """The results of an organization's attempts, by attempt id; those of which nothing was posted are absent."""
    if not attempt_ids:
        return {}
    query = {"_id": {"$in": list(attempt_ids)}, "organization_id": organization_id}
    found = store[COLLECTION].find(query, {"organization_id": 0, "contact_id": 0} if fields is None else fields)
    return {result.pop("_id"): result async for result in found}
