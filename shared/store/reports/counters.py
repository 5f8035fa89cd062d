"""A campaign's numbers, read from counters: the cost is the same for ten contacts and for ten million.

Those who add contacts count in `counters_in`, the scheduler counts in `counters`; see shared/store/dialing/ledger.py.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from shared.domain.counts import CallsOfRun, CampaignCounts, Minute
from shared.domain.reasons import EndReason
from shared.store.catalog.courses import NOT_DELETED
from shared.store.client import Store, translates
from shared.store.documents.completing import complete
from shared.store.documents.dialing import CountersDocument, CountersInDocument


@translates
async def campaign_counts(store: Store, campaign_id: str) -> CampaignCounts:
    """The campaign's counts; all 0 when it has no contacts."""
    # What the scheduler took is read first: a contact can only be taken after it was counted as added, so
    # in this order no number can come out negative.
    moved = complete(CountersDocument, await store["counters"].find_one({"_id": campaign_id}) or {})
    added = added_skipped = no_phone = 0
    async for stored in store["counters_in"].find({"campaign_id": campaign_id}):
        source = complete(CountersInDocument, stored)
        added += source["added"]
        added_skipped += source["added_skipped"]
        no_phone += source["added_no_phone"]
    return CampaignCounts(
        pending=added + moved["pending"],
        active=moved["active"],
        completed=moved["completed"],
        exhausted=moved["exhausted"],
        error=moved["error"],
        skipped=added_skipped + moved["skipped"],
        attempts=moved["attempts"],
        attempts_removed=moved["attempts_removed"],
        ended=_ended(moved["ended"], added_skipped, no_phone),
        called=moved["called"],
        answered=moved["answered"],
        opted_out=moved["opted_out"],
        retrying=moved["retrying"],
        called_back=moved["called_back"],
        outcomes={outcome: count for outcome, count in sorted(moved["outcomes"].items()) if count > 0},
        talk_seconds=moved["talk_milliseconds"] / 1000,
        run=CallsOfRun(**moved["run"]) if moved["run"] is not None else None,
        minute=Minute(**moved["minute"]) if moved["minute"] is not None else None,
    )


def _ended(moved: Mapping[str, int], added_skipped: int, no_phone: int) -> dict[str, int]:
    """Contacts by why they ended; those skipped as they were added had no number, or one on the do-not-call list."""
    ended = Counter(moved)
    ended[EndReason.DO_NOT_CALL.value] += added_skipped - no_phone
    ended[EndReason.NO_PHONE.value] += no_phone
    return {because: count for because, count in sorted(ended.items()) if count > 0}


# Campaigns of one configuration that are looked at for such a count.
MAX_CAMPAIGNS: Final = 1000


@translates
async def ended_in_campaigns_of(store: Store, organization_id: str, configuration_id: str) -> dict[str, int]:
    """Contacts by why they ended, in the newest campaigns (at most 1,000) of a configuration."""
    query = {"organization_id": organization_id, "configuration_id": configuration_id, **NOT_DELETED}
    found = store["campaigns"].find(query, {"_id": 1}).sort("created_at", -1).limit(MAX_CAMPAIGNS)
    ids = [campaign["_id"] async for campaign in found]
    ended: Counter[str] = Counter()
    async for counter in store["counters"].find({"_id": {"$in": ids}}, {"ended": 1}):
        ended.update(complete(CountersDocument, counter, {"ended"})["ended"])
    return {because: count for because, count in sorted(ended.items()) if count > 0}
