"""Some of the contacts that wait in a campaign, of every queue and many timezones, at one cost for every size."""

from collections.abc import Sequence
from typing import Final

from shared.domain.contact import ContactStatus, Tier
from shared.domain.queue_order import DEFAULT_CONTACT_PRIORITY, queues_at
from shared.store.client import Document, Store, translates
from shared.store.dialing.ready import waiting_priorities
from shared.store.dialing.shard_catalog import Enrolled
from shared.store.documents.contacts import contact_of

# Into how many groups of timezones each queue is parted; with several priorities their queues are the groups.
ZONE_GROUPS: Final = 20
MAX_PRIORITIES: Final = 20
BATCH: Final = 1000
# Fields that no rule looks at, and that may be large.
LEFT_OUT: Final[Document] = {"data": 0, "initial_context": 0, "agent_config": 0}


@translates
async def sample_waiting(
    store: Store, campaign_id: str, enrolled: Enrolled, pending: int, at_most: int
) -> list[Document]:
    """Of a campaign's `pending` contacts about `at_most`, all of them where there are no more.

    Of many, those due the longest of each queue and group of timezones in which one waits.
    """
    if pending <= 0:
        return []
    priorities = await _priorities(store, campaign_id) if enrolled.prioritized else [DEFAULT_CONTACT_PRIORITY]
    zones = sorted(enrolled.zones, key=lambda zone: zone or "")
    groups = [zones[first::ZONE_GROUPS] for first in range(min(ZONE_GROUPS, len(zones)))]
    if len(priorities) > 1:
        groups = [zones]
    queries: list[Document] = [
        {
            "campaign_id": campaign_id,
            "tier": queue,
            "timezone": {"$in": group},
            "status": ContactStatus.PENDING,
        }
        for priority in priorities
        for queue in queues_at(priority, Tier, enrolled.whose)
        for group in groups
    ]
    fields = {"tier": 1, "timezone": 1}
    firsts = [contact_of(first, frozenset(fields)) for first in await _longest_due(store, queries, 1, fields)]
    somebody = {(first["tier"], first["timezone"]) for first in firsts}
    taken = [q for q in queries if any(q["tier"] == tier and zone in q["timezone"]["$in"] for tier, zone in somebody)]
    each = at_most if pending <= at_most else max(1, at_most // max(1, len(taken)))
    return [contact_of(contact) for contact in await _longest_due(store, taken, each, LEFT_OUT)]


async def _priorities(store: Store, campaign_id: str) -> list[int]:
    """The priorities that are looked at: of many, the highest, which are called first."""
    return await waiting_priorities(store, campaign_id, MAX_PRIORITIES)


async def _longest_due(store: Store, queries: Sequence[Document], each: int, fields: Document) -> list[Document]:
    """The contacts due the longest of each query, `each` of them; in one request, however many queries."""
    pipelines: list[list[Document]] = [
        [{"$match": query}, {"$sort": {"due_at": 1, "seq": 1}}, {"$limit": each}, {"$project": fields}]
        for query in queries
    ]
    if not pipelines:
        return []
    others = [{"$unionWith": {"coll": "contacts", "pipeline": pipeline}} for pipeline in pipelines[1:]]
    found = await store["contacts"].aggregate([*pipelines[0], *others], hint="ready", batchSize=BATCH)
    return await found.to_list()
