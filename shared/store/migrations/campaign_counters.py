"""Version 5: counters know more of a campaign's contacts and attempts, also of those that were there before.

One way through contacts and attempts for all campaigns, since attempts have no index by campaign; killed, it begins
anew. Counters that have been filled are left as they are.
"""

from collections import Counter, defaultdict
from itertools import islice
from typing import Final

from pymongo import UpdateOne

from shared.domain.campaign import FIRST_GENERATION
from shared.domain.contact import ACTIVE
from shared.store.client import Document, Store, translates
from shared.store.documents.completing import complete
from shared.store.documents.contacts import AttemptDocument, contact_of
from shared.store.documents.tallies import counted_as, of_attempt
from shared.store.migrations.step import BATCH, Migration

_OLD: Final[Document] = {"called": {"$exists": False}}
_OF_CONTACTS: Final = ("campaign_id", "status", "attempts_made", "tier", "outcomes", "ended_because", "for_good")
_OF_ATTEMPTS: Final = ("campaign_id", "outcome", "duration_seconds", "attempt_number")


@translates
async def _count(store: Store) -> int:
    return await store["counters"].count_documents(_OLD)


@translates
async def _change_some(store: Store) -> int:
    old = [counter["_id"] async for counter in store["counters"].find(_OLD, {"_id": 1})]
    if not old:
        return 0
    sums = await _counted(store, set(old))
    updates = (UpdateOne({"_id": campaign_id, **_OLD}, {"$set": _filled(sums[campaign_id])}) for campaign_id in old)
    while some := list(islice(updates, BATCH)):
        await store["counters"].bulk_write(some, ordered=False)
    return len(old)


async def _counted(store: Store, campaign_ids: set[str]) -> defaultdict[str, Counter[str]]:
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    async for found in store["contacts"].find({}, dict.fromkeys(_OF_CONTACTS, 1)):
        contact = contact_of(found, frozenset(_OF_CONTACTS))
        if contact["campaign_id"] in campaign_ids:
            sums[contact["campaign_id"]].update(counted_as(contact))
            # Of the first generation all of them: no campaign had another one.
            sums[contact["campaign_id"]]["run.calls"] += contact["status"] in ACTIVE
    async for found in store["attempts"].find({}, dict.fromkeys(_OF_ATTEMPTS, 1)):
        attempt = complete(AttemptDocument, found, frozenset(_OF_ATTEMPTS))
        if attempt["campaign_id"] in campaign_ids:
            sums[attempt["campaign_id"]].update(of_attempt(attempt))
            sums[attempt["campaign_id"]]["run.calls"] += attempt["attempt_number"] is not None
    return sums


def _filled(sums: Counter[str]) -> Document:
    calls = sums.pop("run.calls", 0)
    return {"called": 0, **sums, "run": {"generation": FIRST_GENERATION, "calls": calls}}


CAMPAIGN_COUNTERS: Final = Migration(
    5, "counters know more of campaigns' contacts and attempts", False, _count, _change_some
)
