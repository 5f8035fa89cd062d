"""Contacts of a campaign by how they stand, oldest first: finer than by status."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pymongo import ASCENDING

from shared.domain.contact import ACTIVE, ContactStatus
from shared.domain.contact_record import Contact
from shared.domain.counts import CampaignCounts
from shared.domain.reasons import EndReason
from shared.store.client import Document, Store, translates
from shared.store.contacts.queries import Begin, Way, begin_of_page, way_to, with_attempts
from shared.store.contacts.rows import NOT_DELETED
from shared.store.documents.contacts import contact_of
from shared.store.reports.counters import campaign_counts

_OLDEST_FIRST: Final = [("created_at", ASCENDING), ("seq", ASCENDING)]


@dataclass(frozen=True, slots=True)
class StandingAs:
    """Contacts of one status, and of those the ones that ended so, or not so, or were called before, or never."""

    status: ContactStatus
    because: Collection[EndReason] | None = None
    not_because: Collection[EndReason] = ()
    called: bool | None = None

    def query(self) -> Document:
        """The conditions."""
        where: Document = {"status": self.status.value}
        if self.because is not None:
            where["ended_because"] = {"$in": [reason.value for reason in self.because]}
        elif self.not_because:
            where["ended_because"] = {"$nin": [reason.value for reason in self.not_because]}
        if self.called is not None:
            where["attempts_made"] = {"$gt": 0} if self.called else {"$not": {"$gt": 0}}
        return where


@translates
async def contacts_standing(
    store: Store,
    organization_id: str,
    campaign_id: str,
    which: Sequence[StandingAs],
    *,
    offset: int,
    limit: int,
    now: datetime,
) -> list[Contact]:
    """The contacts (campaign in its stored form) that stand in one of these ways, all of them where none is named.

    From the `offset`-th on, without those asked to be deleted.
    """
    where: Document = {"campaign_id": campaign_id, "organization_id": organization_id, **NOT_DELETED}
    if which:
        where["$or"] = [one.query() for one in which]
    way = await _way_to(store, organization_id, campaign_id, which)
    wanted = limit if way.at_most is None else min(limit, way.at_most - offset)
    if wanted <= 0:
        # A limit of 0 would be none.
        return []
    # Without the hint a status with few contacts is sorted in memory, and one with many as well.
    begin = Begin(offset) if which else await begin_of_page(store, campaign_id, offset)
    where |= {**way.where, **begin.where}
    found = store["contacts"].find(where, hint=way.index).sort(_OLDEST_FIRST).skip(begin.skip).limit(wanted)
    return await with_attempts(store, organization_id, [contact_of(contact) async for contact in found], now)


async def _way_to(store: Store, organization_id: str, campaign_id: str, which: Sequence[StandingAs]) -> Way:
    """The index, and how many there are at most by the counters: a list is walked no further than that."""
    statuses = {one.status for one in which}
    if not statuses:
        return Way("listing")
    if len(statuses) == 1 and statuses <= ACTIVE:
        return await way_to(store, organization_id, campaign_id, *statuses)
    counts = await campaign_counts(store, campaign_id)
    return Way("listing", sum(_at_most(one, counts) for one in which))


def _at_most(one: StandingAs, counts: CampaignCounts) -> int:
    """No fewer than the contacts that stand so."""
    of_status: int = counts.active if one.status in ACTIVE else getattr(counts, one.status.value)
    if one.because is not None:
        return min(of_status, sum(counts.ended.get(reason.value, 0) for reason in one.because))
    return min(of_status, counts.called) if one.called else of_status


@translates
async def contacts_by_id(
    store: Store, organization_id: str, campaign_id: str, ids: Sequence[str], now: datetime
) -> list[Contact]:
    """The campaign's contacts of these ids, in this order; those that are not there are left out."""
    mine = {"campaign_id": campaign_id, "organization_id": organization_id}
    where: Document = {"_id": {"$in": list(ids)}, **mine, **NOT_DELETED}
    found = [contact_of(contact) async for contact in store["contacts"].find(where)]
    by_id = {contact.id: contact for contact in await with_attempts(store, organization_id, found, now)}
    return [by_id[contact_id] for contact_id in dict.fromkeys(ids) if contact_id in by_id]
