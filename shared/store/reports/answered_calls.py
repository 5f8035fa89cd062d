"""How calls from caller numbers have ended, read from the attempts: dialing writes nothing for it. Reads only."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Final

from shared.domain.answered_calls import MOST_COUNTED, CallsByNumber, EndedCalls
from shared.store.client import Document, Store, translates

# An organization's attempts by time (shared/store/indexes.py).
_INDEX: Final = "listing"


@translates
async def ended_calls_by_number(
    store: Store, organization_id: str, numbers: Collection[str], since: datetime
) -> CallsByNumber:
    """The organization's ended calls from these numbers (E.164) that began at `since` or later, by outcome.

    All of a window are counted, none twice: an attempt is one document, however often its ending is reported. Where
    more than MOST_COUNTED calls of the organization began since then, the window begins with the newest MOST_COUNTED
    of them, and `since` of the answer is later. Two questions, which read at most so many attempts, and keys of twice
    as many.
    """
    begun: Document = {"organization_id": organization_id, "created_at": {"$gte": since}}
    last = await _first_counted(store, begun)
    if last is not None:
        since, begun = last, {**begun, "created_at": {"$gte": last}}
    stages: list[Document] = [
        {"$match": {**begun, "caller_number": {"$in": sorted(numbers)}}},
        {"$group": {"_id": {"number": "$caller_number", "outcome": "$outcome"}, "calls": {"$sum": 1}}},
    ]
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    async for group in await store["attempts"].aggregate(stages, hint=_INDEX):
        found[group["_id"]["number"]][group["_id"]["outcome"]] = group["calls"]
    return CallsByNumber(since, {number: EndedCalls(outcomes) for number, outcomes in found.items()})


async def _first_counted(store: Store, begun: Document) -> datetime | None:
    """When the earliest of the newest MOST_COUNTED began; None where there are no more than that. Reads keys alone."""
    fields: Document = {"_id": 0, "created_at": 1, "call_number": 1}
    newest_first = store["attempts"].find(begun, fields, hint=_INDEX).sort([("created_at", -1), ("call_number", -1)])
    rows = await newest_first.skip(MOST_COUNTED - 1).limit(2).to_list()
    return rows[0]["created_at"] if len(rows) > 1 else None
