"""Contacts as customers read them, with their attempts and how they stand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pymongo import ASCENDING

from shared.domain.contact import ACTIVE, ContactStatus
from shared.domain.contact_record import Contact
from shared.domain.ids import shard_of
from shared.domain.page import NumberedPage, Page
from shared.domain.phone import spellings
from shared.domain.reasons import EndReason
from shared.errors import InvalidCursor, Kind, NotFound
from shared.store.client import Document, Store, translates
from shared.store.contacts.matching import resolve
from shared.store.contacts.records import contact_from
from shared.store.contacts.rows import NOT_DELETED
from shared.store.dialing.deletions import count_deletions
from shared.store.documents.completing import complete
from shared.store.documents.contacts import AttemptDocument, contact_of
from shared.store.paging import decode_cursor, encode_cursor
from shared.store.reports.agent_results import results_of
from shared.store.reports.counters import campaign_counts
from shared.store.reports.situation import as_seen

MAX_COUNTED: Final = 1000
# So many waiting contacts are sorted in less time than a walk past a large campaign's others may take.
FEW_WAITING: Final = 5_000
# From there on a page's begin is looked for in the index.
DEEP: Final = 1_000
# Contacts that share one place, of several requests in one millisecond, as far as they are told apart.
TIES: Final = 100
TO_REMOVE: Final = 1_000
# Of a contact's place in its request.
MAX_SEQ_DIGITS: Final = 18
_OLDEST_FIRST: Final = [("created_at", ASCENDING), ("seq", ASCENDING)]


@dataclass(frozen=True, slots=True)
class Way:
    """How contacts are found: by which index, and how many there are at most (None: that is not counted).

    `where` is what the index needs to know beside what is asked for anyway.
    """

    index: str
    at_most: int | None = None
    where: Document = field(default_factory=dict)


@translates
async def list_contacts(
    store: Store,
    organization_id: str,
    campaign_id: str,
    *,
    status: ContactStatus | None,
    limit: int,
    offset: int,
    now: datetime,
) -> NumberedPage[Contact]:
    """Contacts of a campaign (stored form), oldest first, without those asked to be deleted.

    `total` costs the same for every size of campaign: a page that is not full tells it, otherwise it
    comes from the counters (a contact that moves in this very moment may be missed or counted twice).
    Only for `locked` and `in_progress` documents are counted, in an index that holds nothing else.

    The same index finds these; of any other status the list is walked as far as its counter says that there are any.
    """
    where: Document = {"campaign_id": campaign_id, "organization_id": organization_id, **NOT_DELETED}
    if status is not None:
        where["status"] = status.value
    way = await way_to(store, organization_id, campaign_id, status)
    wanted = limit if way.at_most is None else min(limit, way.at_most - offset)
    contacts: list[Document] = []
    # A limit of 0 would be none.
    if wanted > 0:
        begin = await begin_of_page(store, campaign_id, offset) if status is None else Begin(offset)
        found = store["contacts"].find({**where, **way.where, **begin.where}, hint=way.index).sort(_OLDEST_FIRST)
        contacts = [contact_of(contact) async for contact in found.skip(begin.skip).limit(wanted)]
    if len(contacts) < limit and (contacts or not offset):
        total = offset + len(contacts)
    else:
        total = await _total(store, organization_id, campaign_id, status)
    return NumberedPage(await with_attempts(store, organization_id, contacts, now), total)


@translates
async def contacts_with_phone(
    store: Store,
    organization_id: str,
    campaign_id: str,
    phone_number: str,
    *,
    status: ContactStatus | None,
    limit: int,
    offset: int,
    now: datetime,
) -> NumberedPage[Contact]:
    """The contacts that `list_contacts` has and that have this phone (E.164), in whatever spelling, oldest first.

    Few have one phone; of more than 1,000 in a campaign some 1,000 are listed and counted.
    """
    where: Document = {
        "organization_id": organization_id,
        "phone_numbers": {"$in": list(spellings(phone_number))},
        "campaign_id": campaign_id,
        **NOT_DELETED,
    }
    if status is not None:
        where["status"] = status.value
    found = await store["contacts"].find(where, hint="phones").limit(MAX_COUNTED).to_list()
    contacts = sorted(map(contact_of, found), key=_place_of)
    shown = contacts[offset : offset + limit]
    return NumberedPage(await with_attempts(store, organization_id, shown, now), len(contacts))


@translates
async def contacts_after(
    store: Store,
    organization_id: str,
    campaign_id: str,
    *,
    status: ContactStatus | None,
    cursor: str | None,
    limit: int,
    now: datetime,
) -> Page[Contact]:
    """The contacts that `list_contacts` has, after `cursor` (None: the first). Raises `InvalidCursor`.

    A page has more than `limit` where contacts of several requests share the millisecond and the place of its last.
    """
    where: Document = {"campaign_id": campaign_id, "organization_id": organization_id, **NOT_DELETED}
    if status is not None:
        where["status"] = status.value
    if cursor is not None:
        created_at, seq = _place(cursor)
        where["$or"] = [{"created_at": {"$gt": created_at}}, {"created_at": created_at, "seq": {"$gt": seq}}]
        where["created_at"] = {"$gte": created_at}
    way = await way_to(store, organization_id, campaign_id, status)
    where |= way.where
    rows: list[Document] = []
    next_cursor = None
    if way.at_most == 0:
        return Page([], None)
    async with store["contacts"].find(where, hint=way.index).sort(_OLDEST_FIRST).batch_size(limit + 1) as found:
        async for stored in found:
            contact = contact_of(stored)
            last = (rows[-1]["created_at"], rows[-1]["seq"]) if len(rows) >= limit else None
            if last is not None and (contact["created_at"], contact["seq"]) != last:
                next_cursor = encode_cursor(last[0], str(last[1]))
                break
            rows.append(contact)
    return Page(await with_attempts(store, organization_id, rows, now), next_cursor)


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a page of a list begins: after `skip` of the contacts that match `where`."""

    skip: int
    where: Document = field(default_factory=dict)


async def begin_of_page(store: Store, campaign_id: str, offset: int) -> Begin:
    """Where the list of all contacts of a campaign goes on at `offset`.

    The way there is made in the index alone, for a contact costs ten times what its key does. Contacts that are to be
    removed stand in the index and not in the list: as many are skipped again.
    """
    if offset < DEEP:
        return Begin(offset)
    keys = store["contacts"].find({"campaign_id": campaign_id}, {"_id": 0, "created_at": 1, "seq": 1}, hint="listing")
    around = await keys.sort(_OLDEST_FIRST).skip(offset - TIES).limit(TIES + 1).to_list()
    if len(around) <= TIES or not all("seq" in key for key in around):
        # It begins behind the last, or among contacts of an early release.
        return Begin(offset)
    *before, first = (_place_of(key) for key in around)
    ties = before.count(first)
    to_remove = await _places_to_remove(store, campaign_id, TO_REMOVE + 1)
    if ties == TIES or len(to_remove) > TO_REMOVE:
        # Of so many that share a place, or are to be removed, each is looked at.
        return Begin(offset)
    return Begin(ties + sum(place < first for place in to_remove), _from(first))


async def _places_to_remove(store: Store, campaign_id: str, at_most: int) -> list[tuple[datetime, int]]:
    """The places in the list of contacts of a campaign that are to be removed."""
    rows = await store["deletions"].find({"campaign_id": campaign_id}, {"_id": 1}).limit(at_most).to_list()
    if not rows:
        return []
    found = store["contacts"].find({"_id": {"$in": [row["_id"] for row in rows]}}, {"created_at": 1, "seq": 1})
    return [_place_of(contact) async for contact in found if "seq" in contact]


def _place_of(contact: Document) -> tuple[datetime, int]:
    return contact["created_at"], contact["seq"]


def _from(place: tuple[datetime, int]) -> Document:
    created_at, seq = place
    later: Document = {"$or": [{"created_at": {"$gt": created_at}}, {"created_at": created_at, "seq": {"$gte": seq}}]}
    return {"created_at": {"$gte": created_at}, **later}


def _place(cursor: str) -> tuple[datetime, int]:
    created_at, seq = decode_cursor(cursor)
    if not (seq.isascii() and seq.isdigit() and len(seq) <= MAX_SEQ_DIGITS):
        raise InvalidCursor(cursor)
    return created_at, int(seq)


@translates
async def get_contact(
    store: Store, organization_id: str, campaign_id: str, id_or_external_id: str, now: datetime
) -> Contact:
    """A contact of the campaign (stored form) by its id, else its external_id.

    Raises `NotFound`, also for one that was asked to be deleted.
    """
    contact_id = await resolve(store, organization_id, campaign_id, id_or_external_id)
    stored = await store["contacts"].find_one({"_id": contact_id, **NOT_DELETED})
    if stored is None:
        raise NotFound(Kind.CONTACT, id_or_external_id)
    return (await with_attempts(store, organization_id, [contact_of(stored)], now))[0]


@translates
async def count_skipped_with(store: Store, organization_id: str, phone_number: str) -> int:
    """Contacts with this phone, in any spelling, that were skipped for the do-not-call list; at most 1,000."""
    query: Document = {
        "organization_id": organization_id,
        "phone_numbers": {"$in": list(spellings(phone_number))},
        "status": ContactStatus.SKIPPED.value,
        "ended_because": EndReason.DO_NOT_CALL.value,
        **NOT_DELETED,
    }
    return await store["contacts"].count_documents(query, hint="phones", limit=MAX_COUNTED)


async def with_attempts(
    store: Store, organization_id: str, contacts: Sequence[Document], now: datetime
) -> list[Contact]:
    """These stored contacts of one organization with their attempts, in this order, as they are shown."""
    attempts = await _attempts_of(store, contacts)
    seen = await as_seen(store, organization_id, contacts, now)
    ended = [attempt["_id"] for some in attempts.values() for attempt in some]
    running = [contact["lock"]["attempt"] for contact in contacts if contact["lock"] is not None]
    results = await results_of(store, [*ended, *running])
    return [
        contact_from(each.document, attempts.get(contact_id, []), each.standing, each.policy, results)
        for contact_id, each in seen.items()
    ]


async def _attempts_of(store: Store, contacts: Sequence[Document]) -> dict[str, list[Document]]:
    """The stored attempts of these contacts, by contact id."""
    by_contact: dict[str, list[Document]] = {}
    # Also of those that count no attempt: the only one of a contact may be known from a late report alone.
    ids = [contact["_id"] for contact in contacts]
    if ids:
        async for attempt in store["attempts"].find({"contact_id": {"$in": ids}}):
            by_contact.setdefault(attempt["contact_id"], []).append(complete(AttemptDocument, attempt))
    return by_contact


async def way_to(store: Store, organization_id: str, campaign_id: str, status: ContactStatus | None) -> Way:
    """How the contacts of a status, or all of them, are found."""
    if status is None:
        return Way("listing")
    if status in ACTIVE:
        return Way("active", where=_in_its_shard(organization_id))
    counted: int = getattr(await campaign_counts(store, campaign_id), status.value)
    few_wait = status is ContactStatus.PENDING and counted <= FEW_WAITING
    return Way("ready" if few_wait else "listing", counted)


def _in_its_shard(organization_id: str) -> Document:
    """What leads to contacts of one status in the `active` index; without a shard all that are in it are read."""
    return {"shard": shard_of(organization_id)}


async def _total(store: Store, organization_id: str, campaign_id: str, status: ContactStatus | None) -> int:
    contacts = store["contacts"]
    if status in ACTIVE:
        active = {**_in_its_shard(organization_id), "campaign_id": campaign_id, "status": status.value}
        return await contacts.count_documents(active, hint="active")
    counts = await campaign_counts(store, campaign_id)
    # Those that are to be removed are still in the counters; there are few at a time, for the scheduler removes them.
    counted = counts.total if status is None else getattr(counts, status.value)
    return int(counted) - await count_deletions(store, campaign_id, status)
