"""Facts on their way out: numbered by the shard's owner, kept until Kafka has them, then removed.

A fact's number is counted up in FENCE, the write of the shard that every scheduler transaction ends with, so numbers
have no gaps and come in the order in which the transactions were committed. What campaign-api and contact-ingest have
written waits in `facts_in` until it is adopted: by a sweep, and first of all by a transaction that writes a fact of the
same campaign itself.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern

from shared.store.catalog.facts import SUBJECTS
from shared.store.client import Document, Store, translates
from shared.store.documents.completing import complete
from shared.store.documents.facts import FactInDocument, RelayDocument

# Facts in one document: 500 of them take less than a megabyte.
IN_ONE: Final = 500
# Facts that one transaction adopts.
ADOPTED: Final = 2000
# The newest facts that are kept though Kafka has them: more than a batch, so that a relay that was replaced, and wakes
# up, finds no gap before what is not safe yet.
KEPT: Final = 10_000
_FACT_FIELDS: Final = ("organization_id", "type", "at", "facts", *SUBJECTS)
# Numbers of one shard; 35 years of a thousand facts a second.
_NUMBERS: Final = 1 << 40


def place_of(shard: int, number: int) -> int:
    """The id of the document that begins with a shard's `number`-th fact."""
    return shard * _NUMBERS + number


async def take_waiting(store: Store, session: AsyncClientSession, query: Mapping[str, Any]) -> list[Document]:
    """Take facts that match out of `facts_in`, at most `ADOPTED`, in the order in which they are to be told.

    Those of campaigns' own courses are taken first, so none of these stays behind.
    """
    found = store["facts_in"].find(query, session=session)
    waiting = await found.sort([("fact_seq", DESCENDING), ("at", ASCENDING)]).limit(ADOPTED).to_list()
    if not waiting:
        return []
    await store["facts_in"].delete_many({"_id": {"$in": [each["_id"] for each in waiting]}}, session=session)
    ordered = in_order([complete(FactInDocument, each) for each in waiting])
    return [{name: each[name] for name in _FACT_FIELDS if each[name] or name == "at"} for each in ordered]


def in_order(waiting: Sequence[Document]) -> list[Document]:
    """Facts by their time, but those of one campaign's own course by its `fact_seq`: clocks differ."""
    times: dict[str, datetime] = {}
    latest: dict[str | None, datetime] = {}
    own = sorted((each for each in waiting if each["fact_seq"] is not None), key=lambda each: each["fact_seq"])
    for each in own:
        campaign_id = each["campaign_id"]
        times[each["_id"]] = latest[campaign_id] = max(each["at"], latest.get(campaign_id, each["at"]))
    others = [each for each in waiting if each["fact_seq"] is None]
    return sorted((*own, *others), key=lambda each: times.get(each["_id"], each["at"]))


async def waiting_of_campaigns(
    store: Store, session: AsyncClientSession, shard: int, facts: Collection[Document]
) -> list[Document]:
    """What waits of the campaigns that these facts tell of; it is told before them."""
    campaigns = {fact["campaign_id"] for fact in facts if "campaign_id" in fact}
    if not campaigns:
        return []
    return await take_waiting(store, session, {"campaign_id": {"$in": sorted(campaigns)}, "shard": shard})


async def keep_facts(
    store: Store, session: AsyncClientSession, shard: int, last: int, facts: Sequence[Document]
) -> None:
    """Keep the facts of a transaction for the relay; the last of them has the number `last`."""
    first = last - len(facts) + 1
    documents = [
        {"_id": place_of(shard, first + start), "shard": shard, "n": first + start, "facts": list(part)}
        for start in range(0, len(facts), IN_ONE)
        for part in [facts[start : start + IN_ONE]]
    ]
    await store["facts"].insert_many(documents, session=session)


@translates
async def read_relayed(store: Store, shard: int) -> int:
    """The number up to which the shard's facts are safe in Kafka."""
    stored = await store["relays"].find_one({"_id": shard})
    return int(complete(RelayDocument, stored or {})["relayed"])


@translates
async def next_facts(store: Store, shard: int, after: int, at_most: int) -> list[Document]:
    """The shard's facts after a number, in order, each with its `n`; `at_most` of them, and the rest of a document.

    Such alone as a majority has: what is told must not be rolled back.
    """
    query = {"_id": {"$gt": place_of(shard, after), "$lte": place_of(shard, after + at_most)}}
    kept = store["facts"].with_options(read_concern=ReadConcern("majority"))
    documents = await kept.find(query).sort("_id", ASCENDING).to_list()
    return [{**fact, "n": found["n"] + place} for found in documents for place, fact in enumerate(found["facts"])]


@translates
async def note_relayed(store: Store, shard: int, relayed: int) -> None:
    """Note that Kafka has all facts of the shard up to this number; it never grows less. Old ones are removed.

    No epoch guards it: whoever publishes has read that all before are safe, so an owner that was replaced can only
    tell what is so.
    """
    await store["relays"].update_one({"_id": shard}, {"$max": {"relayed": relayed}}, upsert=True)


@translates
async def remove_relayed(store: Store, shard: int, relayed: int) -> None:
    """Remove the facts of the shard that Kafka has, but for about the newest `KEPT`."""
    old = {"_id": {"$gt": place_of(shard, 0), "$lt": place_of(shard, relayed - KEPT - IN_ONE)}}
    await store["facts"].delete_many(old)
