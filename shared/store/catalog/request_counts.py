"""What each gateway has counted of requests in windows that still count; MongoDB forgets it when its time is over."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pymongo import UpdateOne

from shared.store.client import Store, translates

COUNTS = "request_counts"


@translates
async def exchange_counts(
    store: Store, process: str, own: Mapping[str, tuple[int, float]], changed: Mapping[str, int]
) -> dict[str, int]:
    """Write down this process's counts that have changed; what all others have counted in its windows.

    Totals are written, so that a repeated write changes nothing. `own`: by window, the count and when it is forgotten,
    in seconds since 1970; `process` has no dots.
    """
    if changed:
        writes = [
            UpdateOne(
                {"_id": key},
                {
                    "$set": {f"by.{process}": count},
                    "$max": {"ends_at": datetime.fromtimestamp(own[key][1], UTC)},
                },
                upsert=True,
            )
            for key, count in changed.items()
        ]
        await store[COUNTS].bulk_write(writes, ordered=False)
    if not own:
        return {}
    found = store[COUNTS].find({"_id": {"$in": list(own)}})
    return {
        document["_id"]: sum(count for name, count in document["by"].items() if name != process)
        async for document in found
    }


@translates
async def limits_of_organizations(store: Store) -> dict[str, str]:
    """The request limits of those organizations that have some of their own."""
    limited = store["organizations"].find({"request_limits": {"$type": "string"}}, {"request_limits": True})
    return {document["_id"]: document["request_limits"] async for document in limited}
