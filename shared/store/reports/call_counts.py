"""How many calls have ended: from counters where one has the answer, else as far as may be looked at."""

from typing import Final

from shared.domain.calls import MAX_LOOKED_AT, CallFilter, CallOrder
from shared.store.client import Document, Store
from shared.store.documents.completing import complete
from shared.store.documents.dialing import CountersDocument
from shared.store.reports.call_queries import AttemptQuery, Place, restrictions, up_to

_COUNTED: Final = frozenset({"attempts", "outcomes"})


async def counted_calls(
    store: Store, organization_id: str, which: CallFilter, question: AttemptQuery, end: Place | None
) -> tuple[int, int | None]:
    """How many calls that have ended match, and how many were looked at where that were not all.

    `end`: where looking ends, for a question that no index serves.
    """
    given = restrictions(which)
    if given <= {"campaign_id", "outcomes"} and which.campaign_id is not None:
        return await _of_campaign(store, which.campaign_id, which), None
    if not given:
        return await _of_organization(store, organization_id), None
    where = question.where(*up_to(end, CallOrder.NEWEST))
    count = await store["attempts"].count_documents(where, hint=question.index, limit=MAX_LOOKED_AT + 1)
    if count > MAX_LOOKED_AT:
        return MAX_LOOKED_AT, MAX_LOOKED_AT
    return count, MAX_LOOKED_AT if end is not None else None


async def _of_campaign(store: Store, campaign_id: str, which: CallFilter) -> int:
    counters = await store["counters"].find_one({"_id": campaign_id}, dict.fromkeys(_COUNTED, 1)) or {}
    counts = complete(CountersDocument, counters, _COUNTED)
    if which.outcomes:
        return sum(int(counts["outcomes"].get(outcome, 0)) for outcome in set(which.outcomes))
    return int(counts["attempts"])


async def _of_organization(store: Store, organization_id: str) -> int:
    organization = await store["organizations"].find_one({"_id": organization_id}, {"shard": 1})
    if organization is None:
        return 0
    mine: Document = {"organization_id": organization_id}
    summed = [
        {"$match": {"shard": organization["shard"], **mine}},
        {"$group": {"_id": None, "attempts": {"$sum": "$attempts"}}},
    ]
    sums = await (await store["counters"].aggregate(summed, hint="shard_1")).to_list()
    # Those whose contact had been deleted when the report came are in no campaign.
    others = await store["attempts"].count_documents({"campaign_id": None, **mine}, limit=MAX_LOOKED_AT)
    return (int(sums[0]["attempts"]) if sums else 0) + others
