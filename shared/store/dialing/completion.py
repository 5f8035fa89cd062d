"""COMPLETION: the run of a campaign in which nothing is left to do is completed, in one scheduler transaction.

The transaction writes the campaign, and every document in which its contacts are counted in: whoever gives it work at
the same time writes one of them too, or the campaign itself (an import, a new source of contacts, a move), so one of
the two sees what the other has done. The loser is tried again and decides anew.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.campaign import Course, Intent
from shared.domain.campaign_log import LogEvent
from shared.domain.completion import WorkLeft, completed, is_completed, may_complete
from shared.store.catalog.courses import COURSE_FIELDS, course_of, stored_run
from shared.store.catalog.facts import read_fact_types
from shared.store.client import Document, Store, translates
from shared.store.dialing.ledger import Ledger
from shared.store.dialing.moves import GuardFailed
from shared.store.dialing.run_facts import tell_of_run
from shared.store.dialing.shard_transaction import Ownership
from shared.store.documents.catalog import FOR_PEOPLE, CampaignDocument
from shared.store.documents.completing import complete
from shared.store.documents.dialing import CountersDocument, CountersInDocument

_FIELDS: Final = (*COURSE_FIELDS, "auto_complete", "started_at")


@dataclass(frozen=True, slots=True)
class Remaining:
    """A campaign's course and the work left in it, as they were read."""

    course: Course
    auto_complete: bool
    left: WorkLeft
    started_at: datetime | None

    def is_completed(self, now: datetime) -> bool:
        """Whether the campaign's run is completed at `now`."""
        return is_completed(self.course, self.auto_complete, self.left, now)

    def is_settled(self, now: datetime) -> bool:
        """Whether the campaign need not be looked at again before it is changed, given a contact, or ends."""
        may = may_complete(self.course, now) or (self.course.intent is Intent.SCHEDULED and not self.course.is_opened)
        return not may or not (self.left.ever or self.course.has_ended(now))


@translates
async def read_remaining(
    store: Store, shard: int, campaign_ids: Collection[str], session: AsyncClientSession | None = None
) -> dict[str, Remaining]:
    """What is left in these campaigns of a shard, at most 500; those that are gone are absent."""
    ids = list(campaign_ids)
    # What the scheduler took is read first, as for reports: no count can come out too small.
    counters = store["counters"].find({"_id": {"$in": ids}}, {"pending": 1, "active": 1}, session=session)
    contacts: Counter[str] = Counter()
    async for stored in counters:
        counter = complete(CountersDocument, stored, {"pending", "active"})
        contacts[counter["_id"]] += counter["pending"] + counter["active"]
    ever: Counter[str] = Counter()
    async for stored in store["counters_in"].find({"campaign_id": {"$in": ids}}, session=session):
        source = complete(CountersInDocument, stored)
        contacts[source["campaign_id"]] += source["added"]
        ever[source["campaign_id"]] += source["added"] + source["added_skipped"]
    wishes = await _with_wishes(store, shard, [each for each in ids if contacts[each] <= 0], session)
    found = store["campaigns"].find({"_id": {"$in": ids}}, dict.fromkeys(_FIELDS, 1), session=session)
    return {
        campaign["_id"]: Remaining(
            course_of(campaign),
            campaign["auto_complete"],
            WorkLeft(contacts[campaign["_id"]], campaign["_id"] in wishes, ever[campaign["_id"]] > 0),
            campaign["started_at"],
        )
        for campaign in [complete(CampaignDocument, each, _FIELDS) async for each in found]
    }


async def _with_wishes(
    store: Store, shard: int, campaign_ids: Collection[str], session: AsyncClientSession | None
) -> set[str]:
    """The campaigns among these for whose contacts something is asked that is not carried out yet."""
    if not campaign_ids:
        return set()
    # A row of an older version does not say its campaign: it may be anybody's.
    query: Document = {"shard": shard, "campaign_id": {"$in": [*campaign_ids, None]}}
    asked = {row.get("campaign_id") async for row in store["asks"].find(query, {"campaign_id": 1}, session=session)}
    return set(campaign_ids) if None in asked else {str(campaign_id) for campaign_id in asked}


async def complete_campaign(store: Store, owner: Ownership, campaign_id: str, now: datetime) -> bool:
    """Complete the campaign's run if nothing is left to do in it, or it has ended; whether that was so.

    Safe to repeat: a run is completed once. Raises `OwnershipLost` (stop owning the shard) or `Unavailable`.
    """

    async def run(session: AsyncClientSession) -> bool:
        remaining = (await read_remaining(store, owner.shard, [campaign_id], session)).get(campaign_id)
        if remaining is None or not remaining.is_completed(now):
            return False
        ledger = Ledger(owner.shard, owner.epoch)
        await _write(store, session, campaign_id, remaining, now, ledger)
        await ledger.write(store, session)
        return True

    return await store.in_transaction(run)


async def _write(
    store: Store, session: AsyncClientSession, campaign_id: str, remaining: Remaining, now: datetime, ledger: Ledger
) -> None:
    course = remaining.course
    after = completed(course, now).run
    assert after is not None
    # One that was never called in starts in this write.
    changes: Mapping[str, object] = {
        "run": stored_run(after),
        "started_at": remaining.started_at or now,
        "completed_at": now,
        "last_completed_at": now,
    }
    written = await store["campaigns"].find_one_and_update(
        {"_id": campaign_id, "intent": course.intent, "generation": course.generation},
        {"$set": changes, "$inc": {"fact_seq": 1}},
        projection=dict.fromkeys(FOR_PEOPLE, 0),
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    if written is None:
        raise GuardFailed(f"campaign {campaign_id} was moved")
    campaign = complete(CampaignDocument, written)
    wanted = await read_fact_types(store, session, campaign["organization_id"])
    for event in ([] if course.is_opened else [LogEvent.STARTED]) + [LogEvent.COMPLETED]:
        tell_of_run(ledger, wanted, campaign, event, now)
    # Really changed, each of them: a write that changes nothing collides with nobody.
    await store["counters_in"].update_many({"campaign_id": campaign_id}, {"$inc": {"completions": 1}}, session=session)
