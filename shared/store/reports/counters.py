"""A campaign's numbers, read from counters: the cost is the same for ten contacts and for ten million.

Those who add contacts count in `counters_in`, the scheduler counts in `counters`; see shared/store/dialing/ledger.py.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Any, Final

from shared.domain.counts import CallsOfRun, CampaignCounts, Minute
from shared.domain.reasons import EndReason
from shared.store.catalog.courses import NOT_DELETED
from shared.store.client import Store, translates
from shared.store.documents.completing import complete
from shared.store.documents.dialing import CountersDocument, CountersInDocument

_ADDED: Final = ("added", "added_skipped", "added_no_phone")


@translates
async def campaign_counts(store: Store, campaign_id: str) -> CampaignCounts:
    """The campaign's counts; all 0 when it has no contacts."""
    return (await counts_of(store, [campaign_id]))[campaign_id]


@translates
async def counts_of(store: Store, campaign_ids: Collection[str]) -> dict[str, CampaignCounts]:
    """The counts of some campaigns, by id, in two questions."""
    # What the scheduler took is read first: a contact can only be taken after it was counted as added, so
    # in this order no number can come out negative.
    among = {"$in": list(campaign_ids)}
    moved = {stored["_id"]: stored async for stored in store["counters"].find({"_id": among})}
    added: dict[str, Counter[str]] = defaultdict(Counter)
    async for stored in store["counters_in"].find({"campaign_id": among}):
        source = complete(CountersInDocument, stored)
        added[stored["campaign_id"]].update({name: source[name] for name in _ADDED})
    return {
        campaign_id: _counts(complete(CountersDocument, moved.get(campaign_id, {})), added[campaign_id])
        for campaign_id in campaign_ids
    }


def _counts(moved: Mapping[str, Any], added: Mapping[str, int]) -> CampaignCounts:
    return CampaignCounts(
        pending=added["added"] + moved["pending"],
        active=moved["active"],
        completed=moved["completed"],
        exhausted=moved["exhausted"],
        error=moved["error"],
        skipped=added["added_skipped"] + moved["skipped"],
        attempts=moved["attempts"],
        attempts_removed=moved["attempts_removed"],
        ended=_ended(moved["ended"], added["added_skipped"], added["added_no_phone"]),
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
