"""One question for all that a scheduler must find in MongoDB when no message has told of it, for all its shards.

It is asked once a second by every scheduler, also while nothing happens anywhere; a question for each kind would cost
both sides ten times as much.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.domain.contact import ContactStatus
from shared.store.client import Document, Store, translates
from shared.store.dialing.executors import NOT_FORGOTTEN, Heartbeat, heartbeat_of
from shared.store.dialing.shards import GLOBAL

# Stamps of concurrent writes may become visible out of order; looking this far back catches the late ones.
OVERLAP: Final = timedelta(seconds=5)


class Work(StrEnum):
    """A kind of work that waits in a shard."""

    EXPIRED = "expired"  # claims nobody started in time
    RESULTS = "results"  # endings in the second sink
    DELETIONS = "deletions"  # contacts whose deletion was asked for
    EXPIRIES = "expiries"  # contacts to be looked at because they may have expired
    ASKS = "asks"  # what was asked of contacts
    FACTS = "facts"  # facts of other services that are not numbered yet
    UNTOLD = "untold"  # facts that are numbered and not relayed yet


@dataclass(frozen=True, slots=True)
class Found:
    """Shards by the work that waits in them, and with their shards the organizations that were changed and the
    campaigns that were given contacts. `heartbeats`: the latest of every executor of the last day. `global_limit`, and
    when the server was `asked_at` (its time): None where there is no limit yet."""

    work: Mapping[Work, Collection[int]]
    organizations: Mapping[str, int]
    campaigns: Mapping[str, int]
    global_limit: int | None
    heartbeats: Sequence[Heartbeat]
    asked_at: datetime | None


@translates
async def look(store: Store, shards: Collection[int], now: datetime, since: datetime) -> Found:
    """What waits in these shards at `now`, and what was stamped since shortly before `since` (server time)."""
    mine: Document = {"shard": {"$in": list(shards)}}
    changed: Document = mine | {"changed_at": {"$gte": since - OVERLAP}}
    expired: Document = mine | {"status": ContactStatus.LOCKED, "lock.expires_at": {"$lt": now}}
    pipeline: list[Document] = [
        {"$match": {"_id": {"$in": list(shards)}, "facts": {"$gt": 0}}},
        {"$project": {"shard": "$_id", "last": "$facts"}},
        _and("global_budget", {"_id": GLOBAL}, {"$project": {"_id": 0, "limit": 1, "now": "$$NOW"}}),
        _and("executors", NOT_FORGOTTEN, {"$project": {"_id": 0, "heartbeat": "$$ROOT"}}),
        _and("relays", {"_id": {"$in": list(shards)}}, {"$project": {"shard": "$_id", "relayed": 1}}),
        _and_shards("contacts", expired, Work.EXPIRED),
        _and_shards("results", mine, Work.RESULTS),
        _and_shards("deletions", mine, Work.DELETIONS),
        _and_shards("expiries", mine | {"at": {"$lte": now}}, Work.EXPIRIES),
        _and_shards("asks", mine, Work.ASKS),
        _and_shards("facts_in", mine, Work.FACTS),
        _and("organizations", changed, {"$project": {"_id": 0, "organization": "$_id", "shard": 1}}),
        _and("counters_in", changed, {"$project": {"_id": 0, "campaign": "$campaign_id", "shard": 1}}),
    ]
    work: dict[Work, set[int]] = defaultdict(set)
    organizations: dict[str, int] = {}
    campaigns: dict[str, int] = {}
    last: dict[int, int] = {}
    relayed: dict[int, int] = {}
    global_limit: int | None = None
    asked_at: datetime | None = None
    heartbeats: list[Heartbeat] = []
    async for row in await store["shards"].aggregate(pipeline):
        match row:
            case {"work": kind, "shard": shard}:
                work[Work(kind)].add(shard)
            case {"organization": organization_id, "shard": shard}:
                organizations[organization_id] = shard
            case {"campaign": campaign_id, "shard": shard}:
                campaigns[campaign_id] = shard
            case {"limit": limit, "now": now}:
                global_limit, asked_at = limit, now
            case {"heartbeat": stored}:
                heartbeats.append(heartbeat_of(stored))
            case {"last": number, "shard": shard}:
                last[shard] = number
            case {"relayed": number, "shard": shard}:
                relayed[shard] = number
    work[Work.UNTOLD] = {shard for shard, number in last.items() if number > relayed.get(shard, 0)}
    return Found(work, organizations, campaigns, global_limit, heartbeats, asked_at)


def _and(collection: str, query: Document, *stages: Document) -> Document:
    return {"$unionWith": {"coll": collection, "pipeline": [{"$match": query}, *stages]}}


def _and_shards(collection: str, query: Document, work: Work) -> Document:
    """The shards in which documents match, each once."""
    return _and(
        collection,
        query,
        {"$group": {"_id": "$shard"}},
        {"$project": {"_id": 0, "shard": "$_id", "work": {"$literal": work.value}}},
    )
