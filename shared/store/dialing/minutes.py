"""The calls of campaigns' last minute, in their counters: for people, never for a decision.

Written outside of transactions by the loop that owns the shard, between two of them. An owner that was superseded may
write once more; the next second's write is right again.
"""

from collections.abc import Mapping

from pymongo import UpdateOne

from shared.domain.counts import Minute
from shared.store.client import Store, translates


@translates
async def write_minutes(store: Store, minutes: Mapping[str, Minute]) -> None:
    """Write what campaigns, by id, have done in the last minute."""
    updates = [
        UpdateOne(
            {"_id": campaign_id},
            {"$set": {"minute": {"at": minute.at, "claimed": minute.claimed, "ended": minute.ended}}},
        )
        for campaign_id, minute in minutes.items()
    ]
    if updates:
        await store["counters"].bulk_write(updates, ordered=False)
