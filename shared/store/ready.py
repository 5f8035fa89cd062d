"""Who waits, and until when: the scheduler's reads of the `ready` index.

One query per campaign and tier with the open zones in an `$in` sorted by due time is a merge over the
index, flat in the size of the campaign; beyond 200 zones the server would sort instead, so zones are
asked in groups. Several tiers in one query would be a blocking sort (docs/benchmarks.md).
"""

from collections.abc import Collection, Iterator
from datetime import datetime

from shared.domain.contact import ContactStatus, Tier, Waiting
from shared.store.client import Document, Store, translates

ZONES_PER_QUERY = 200
Zones = Collection[str | None]


@translates
async def read_ready(
    store: Store, campaign_id: str, tier: Tier, rank: int, zones: Zones, now: datetime, limit: int
) -> list[Waiting]:
    """The contacts of one tier that are due at `now` in these zones, oldest due first, at most `limit`."""
    waiting: list[Waiting] = []
    for group in _groups(zones):
        query = _query(campaign_id, tier, group) | {"due_at": {"$lte": now}}
        cursor = store["contacts"].find(query, {"due_at": 1, "seq": 1}, hint="ready")
        documents = await cursor.sort([("due_at", 1), ("seq", 1)]).limit(limit).to_list()
        waiting += [Waiting(rank, d["due_at"], d["seq"], d["_id"]) for d in documents]
    waiting.sort()
    return waiting[:limit]


@translates
async def next_due(store: Store, campaign_id: str, tier: Tier, zones: Zones, after: datetime) -> datetime | None:
    """When the next contact of this tier in these zones becomes due, later than `after`; None if none waits."""
    earliest: datetime | None = None
    for group in _groups(zones):
        query = _query(campaign_id, tier, group) | {"due_at": {"$gt": after}}
        cursor = store["contacts"].find(query, {"due_at": 1}, hint="ready")
        for document in await cursor.sort([("due_at", 1), ("seq", 1)]).limit(1).to_list():
            due_at: datetime = document["due_at"]
            earliest = due_at if earliest is None else min(earliest, due_at)
    return earliest


@translates
async def anyone_waits(store: Store, campaign_id: str, tier: Tier, zones: Zones) -> bool:
    """Whether any contact of this tier waits in one of these zones, due or not."""
    for group in _groups(zones):
        if await store["contacts"].find_one(_query(campaign_id, tier, group), {"_id": 1}, hint="ready"):
            return True
    return False


@translates
async def waiting_with_numbers(store: Store, organization_id: str, phones: Collection[str]) -> list[str]:
    """Waiting contacts of an organization with one of these numbers. Scans its waiting contacts: for sweeps only."""
    campaigns = store["campaigns"].find({"organization_id": organization_id, "status": {"$ne": "closed"}}, {"_id": 1})
    ids = [document["_id"] async for document in campaigns] + [f"default:{organization_id}"]
    query = {
        "campaign_id": {"$in": ids},
        "status": ContactStatus.PENDING,
        "phone_numbers": {"$in": list(phones)},
    }
    return [d["_id"] async for d in store["contacts"].find(query, {"_id": 1}, hint="ready")]


def _query(campaign_id: str, tier: Tier, zones: list[str | None]) -> Document:
    return {
        "campaign_id": campaign_id,
        "tier": int(tier),
        "status": ContactStatus.PENDING,
        "timezone": {"$in": zones},
    }


def _groups(zones: Zones) -> Iterator[list[str | None]]:
    ordered = sorted(zones, key=lambda zone: zone or "")
    for start in range(0, len(ordered), ZONES_PER_QUERY):
        yield ordered[start : start + ZONES_PER_QUERY]
