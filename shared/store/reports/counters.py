"""A campaign's numbers, read from counters: the cost is the same for ten contacts and for ten million.

Those who add contacts count in `counters_in`, the scheduler counts in `counters`; see shared/store/dialing/ledger.py.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from shared.domain.counts import CampaignCounts
from shared.domain.reasons import EndReason
from shared.store.client import Store, translates


@translates
async def campaign_counts(store: Store, campaign_id: str) -> CampaignCounts:
    """The campaign's counts; all 0 when it has no contacts."""
    # What the scheduler took is read first: a contact can only be taken after it was counted as added, so
    # in this order no number can come out negative.
    moved: Mapping[str, Any] = await store["counters"].find_one({"_id": campaign_id}) or {}
    added = added_skipped = 0
    async for source in store["counters_in"].find({"campaign_id": campaign_id}):
        added += source.get("added", 0)
        added_skipped += source.get("added_skipped", 0)
    return CampaignCounts(
        pending=added + moved.get("pending", 0),
        active=moved.get("active", 0),
        completed=moved.get("completed", 0),
        exhausted=moved.get("exhausted", 0),
        error=moved.get("error", 0),
        skipped=added_skipped + moved.get("skipped", 0),
        attempts=moved.get("attempts", 0),
        attempts_removed=moved.get("attempts_removed", 0),
        ended=_ended(moved.get("ended", {}), added_skipped),
    )


def _ended(moved: Mapping[str, int], added_skipped: int) -> dict[str, int]:
    """Contacts by why they ended; those skipped as they were added stood on the do-not-call list."""
    ended = Counter(moved)
    ended[EndReason.DO_NOT_CALL.value] += added_skipped
    return {because: count for because, count in sorted(ended.items()) if count > 0}


# Campaigns of one configuration that are looked at for such a count.
MAX_CAMPAIGNS: Final = 1000


@translates
async def ended_in_campaigns_of(store: Store, organization_id: str, configuration_id: str) -> dict[str, int]:
    """Contacts by why they ended, in the newest campaigns (at most 1,000) of a configuration."""
    query = {"organization_id": organization_id, "configuration_id": configuration_id}
    found = store["campaigns"].find(query, {"_id": 1}).sort("created_at", -1).limit(MAX_CAMPAIGNS)
    ids = [campaign["_id"] async for campaign in found]
    ended: Counter[str] = Counter()
    async for counter in store["counters"].find({"_id": {"$in": ids}}, {"ended": 1}):
        ended.update(counter.get("ended", {}))
    return {because: count for because, count in sorted(ended.items()) if count > 0}
