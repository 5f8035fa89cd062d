"""Contacts that wait, and until when: the scheduler's reads of the `ready` index.

One query with the queues (shared/domain/queue_order.py) and the open zones in an `$in` each, sorted by due time, is a
merge over the index, flat in the size of the campaign; beyond 200 ranges the server would sort instead, so zones are
asked in groups. Sorted by queue as well it would be a blocking sort (docs/benchmarks.md).
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

from shared.domain.contact import ContactStatus, WaitingContact
from shared.domain.queue_order import QueueOrder, last_queue_of, priority_in, rank
from shared.store.client import Document, Store, translates

RANGES_PER_QUERY = 200
# Due contacts in one answer about many campaigns.
SAMPLED: Final = 100
# After so many answers that name hardly anything but campaigns with somebody due, the others are not asked about.
ENOUGH_ANSWERS: Final = 10
SPARSE: Final = 5
INDEX: Final = "ready"
Queues = Collection[int]
Zones = Collection[str | None]


@translates
async def read_ready(
    store: Store,
    campaign_id: str,
    queues: Queues,
    zones: Zones,
    now: datetime,
    limit: int,
    *,
    order: QueueOrder = QueueOrder.FRESH_FIRST,
) -> list[WaitingContact]:
    """The contacts of these queues that are due at `now` in these zones, at most `limit`, in the order of their calls.

    The limit takes those due the longest, whatever their queue: where it is reached, ask for one queue at a time.
    """
    waiting: list[WaitingContact] = []
    for query in _queries(campaign_id, queues, zones):
        due = query | {"due_at": {"$lte": now}}
        cursor = store["contacts"].find(due, {"tier": 1, "due_at": 1, "seq": 1}, hint=INDEX)
        documents = await cursor.sort([("due_at", 1), ("seq", 1)]).limit(limit).to_list()
        waiting += [WaitingContact(rank(d["tier"], order), d["due_at"], d["seq"], d["_id"]) for d in documents]
    longest = sorted(waiting, key=lambda contact: (contact.due_at, contact.seq))[:limit]
    return sorted(longest)


@translates
async def next_due(store: Store, campaign_id: str, queues: Queues, zones: Zones, after: datetime) -> datetime | None:
    """When the next contact of these queues in these zones becomes due, later than `after`; None if none waits."""
    earliest: datetime | None = None
    for query in _queries(campaign_id, queues, zones):
        later = query | {"due_at": {"$gt": after}}
        cursor = store["contacts"].find(later, {"due_at": 1}, hint=INDEX)
        for document in await cursor.sort([("due_at", 1), ("seq", 1)]).limit(1).to_list():
            due_at: datetime = document["due_at"]
            earliest = due_at if earliest is None else min(earliest, due_at)
    return earliest


@translates
async def anyone_waits(store: Store, campaign_id: str, queues: Queues, zones: Zones) -> bool:
    """Whether any contact of these queues waits in one of these zones, due or not."""
    for query in _queries(campaign_id, queues, zones):
        if await store["contacts"].find_one(query, {"_id": 1}, hint=INDEX):
            return True
    return False


@translates
async def campaigns_with_due(
    store: Store,
    campaign_ids: Collection[str],
    queues: Queues | None,
    zones: Zones,
    until: datetime,
) -> set[str]:
    """The campaigns among these in which a contact of these queues (None: of any) in these zones is due by `until`.

    The server skips over contacts that are not: the cost grows with the campaigns. Where nearly all have one, the rest
    of them are taken to have one, too, for each takes a question then.
    """
    found: set[str] = set()
    query: Document = {"status": ContactStatus.PENDING, "timezone": {"$in": list(zones)}, "due_at": {"$lte": until}}
    if queues is not None:
        query["tier"] = {"$in": sorted(queues)}
    ordered = sorted(campaign_ids)
    first, answers = 0, 0
    while first < len(ordered):
        if answers >= ENOUGH_ANSWERS and first < SPARSE * answers:
            return found.union(ordered[first:])
        those = {"campaign_id": {"$in": ordered[first:]}} | query
        cursor = store["contacts"].find(those, {"campaign_id": 1, "_id": 0}, hint=INDEX)
        documents = await cursor.sort("campaign_id", 1).limit(SAMPLED).to_list()
        found.update(document["campaign_id"] for document in documents)
        if len(documents) < SAMPLED:
            break
        first, answers = bisect_right(ordered, documents[-1]["campaign_id"]), answers + 1
    return found


@translates
async def next_priority(store: Store, campaign_id: str, below: int | None, zones: Zones, now: datetime) -> int | None:
    """The highest priority under `below` (None: of all) of a contact that is due at `now` in one of these zones.

    The server skips over the queues in which none is due: the cost grows with them, not with the contacts.
    """
    due: Document = {"due_at": {"$lte": now}, "timezone": {"$in": list(zones)}}
    return await _first_priority(store, campaign_id, below, due)


@translates
async def waiting_priorities(store: Store, campaign_id: str, at_most: int) -> list[int]:
    """The highest priorities of a campaign's waiting contacts, due or not; one question for each."""
    priorities: list[int] = []
    while len(priorities) < at_most:
        below = priorities[-1] if priorities else None
        priority = await _first_priority(store, campaign_id, below, {})
        if priority is None:
            break
        priorities.append(priority)
    return priorities


async def _first_priority(store: Store, campaign_id: str, below: int | None, where: Document) -> int | None:
    query: Document = {"campaign_id": campaign_id, "status": ContactStatus.PENDING, **where}
    if below is not None:
        query["tier"] = {"$gt": last_queue_of(below)}
    cursor = store["contacts"].find(query, {"tier": 1}, hint=INDEX).sort({"campaign_id": 1, "tier": 1}).limit(1)
    found = await cursor.to_list()
    return priority_in(found[0]["tier"]) if found else None


def _queries(campaign_id: str, queues: Queues, zones: Zones) -> Iterator[Document]:
    numbers, ordered = sorted(queues), sorted(zones, key=lambda zone: zone or "")
    for first in range(0, len(numbers), RANGES_PER_QUERY):
        some = numbers[first : first + RANGES_PER_QUERY]
        at_once = RANGES_PER_QUERY // len(some)
        for start in range(0, len(ordered), at_once):
            yield {
                "campaign_id": campaign_id,
                "tier": {"$in": some},
                "status": ContactStatus.PENDING,
                "timezone": {"$in": ordered[start : start + at_once]},
            }
