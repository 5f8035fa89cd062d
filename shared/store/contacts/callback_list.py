"""Callbacks of one campaign or of all of an organization, soonest first, page by page.

They are read from the index of waiting contacts, which is kept for the scheduler: one question for as many campaigns as
it can merge, and one for each priority where there are any, so the cost grows with campaigns and priorities and not
with contacts. Contacts that were reset wait in the same queues and are left out here: of them so many are passed over,
and then the page ends.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.domain.callbacks import CallbackType, type_of
from shared.domain.contact import ContactStatus, Tier
from shared.domain.contact_record import Contact
from shared.domain.ids import default_campaign_id, of_callback
from shared.domain.page import NumberedPage, Page
from shared.domain.queue_order import DEFAULT_CONTACT_PRIORITY, queues_at, tier_in
from shared.errors import InvalidCursor, Kind, NotFound
from shared.store.catalog.courses import IS_OVER
from shared.store.client import Document, Store, translates
from shared.store.contacts.queries import with_attempts
from shared.store.contacts.rows import NOT_DELETED
from shared.store.dialing.ready import RANGES_PER_QUERY, waiting_priorities
from shared.store.dialing.shard_catalog import Enrolled, read_enrolled
from shared.store.dialing.wished import tries_of
from shared.store.documents.completing import complete
from shared.store.documents.contacts import contact_of
from shared.store.documents.dialing import CountersDocument
from shared.store.paging import decode_cursor, encode_cursor

# Waiting contacts that one page looks at before it ends, full or not, and how many at once.
MAX_LOOKED_AT: Final = 10_000
_AT_ONCE: Final = 1000
# An organization's campaigns that are looked through, and of each the priorities with contacts that wait, the highest.
MAX_CAMPAIGNS: Final = 10_000
MAX_PRIORITIES: Final = 1000
_TIERS: Final[Mapping[CallbackType | None, Collection[Tier]]] = {
    None: (Tier.RETRY, Tier.REQUESTED),
    CallbackType.RETRY: (Tier.RETRY,),
    CallbackType.REQUESTED: (Tier.REQUESTED,),
}
_FIELDS: Final = ("due_at", "seq", "tier", "attempts_made", "uncounted", "retries_skipped", "outcomes")
_PLACE: Final = re.compile(r"(\d{1,9}):(.{1,100})")

# Where a contact stands in the list: due time, place in its request, id.
Place = tuple[datetime, int, str]


@dataclass(frozen=True, slots=True)
class CallbackFilter:
    """The callbacks that are meant: `due_after` and those due then too, `due_before` and not those due then (UTC)."""

    type: CallbackType | None = None
    due_after: datetime | None = None
    due_before: datetime | None = None


@translates
async def get_callback(store: Store, organization_id: str, reference: str, now: datetime) -> Contact:
    """The contact that waits for the callback of this id. Raises `NotFound`, also when that waiting is over."""
    meant = of_callback(reference)
    where = {"_id": meant[0] if meant is not None else reference, "organization_id": organization_id, **NOT_DELETED}
    stored = await store["contacts"].find_one(where)
    if stored is not None:
        [contact] = await with_attempts(store, organization_id, [contact_of(stored)], now)
        if contact.callback is not None and contact.callback.id == reference.lower():
            return contact
    raise NotFound(Kind.CALLBACK, reference)


@translates
async def list_callbacks(
    store: Store,
    organization_id: str,
    campaign_id: str | None,
    which: CallbackFilter,
    *,
    cursor: str | None,
    limit: int,
    now: datetime,
) -> Page[Contact]:
    """Contacts that wait for a callback, of a campaign (stored form) or (None) of all, soonest first.

    A page may have fewer than `limit`, or none, and be followed by others all the same. Raises `InvalidCursor`.
    """
    after = _decoded(cursor) if cursor is not None else None
    campaigns = [campaign_id] if campaign_id is not None else await _campaigns(store, organization_id)
    areas = await _areas(store, campaigns, _TIERS[which.type])
    found: list[Document] = []
    looked_at, more = 0, bool(areas)
    while more and len(found) <= limit and looked_at < MAX_LOOKED_AT:
        at_once = limit + 1 if not looked_at else _AT_ONCE
        rows = await _next_rows(store, areas, after, which, at_once)
        more, looked_at = len(rows) == at_once, looked_at + len(rows)
        after = _place(rows[-1]) if rows else after
        found += [row for row in rows if type_of(tier_in(row["tier"]), tries_of(row)) is not None]
    if len(found) > limit:
        after, more = _place(found[limit - 1]), True
    contacts = await _contacts(store, organization_id, [row["_id"] for row in found[:limit]], now)
    wanted = [contact for contact in contacts if contact.callback is not None]
    return Page(wanted, _encoded(after) if more and after is not None else None)


@translates
async def numbered_callbacks(
    store: Store,
    organization_id: str,
    campaign_id: str | None,
    which: CallbackFilter,
    *,
    offset: int,
    limit: int,
    now: datetime,
) -> NumberedPage[Contact]:
    """The callbacks as `list_callbacks` has them, from the `offset`-th on; the first 10,000 count."""
    campaigns = [campaign_id] if campaign_id is not None else await _campaigns(store, organization_id)
    areas = await _areas(store, campaigns, _TIERS[which.type])
    rows = await _next_rows(store, areas, None, which, MAX_LOOKED_AT)
    ids = [row["_id"] for row in rows if type_of(tier_in(row["tier"]), tries_of(row)) is not None]
    contacts = await _contacts(store, organization_id, ids[offset : offset + limit], now)
    return NumberedPage([contact for contact in contacts if contact.callback is not None], len(ids))


async def _campaigns(store: Store, organization_id: str) -> list[str]:
    """The organization's newest campaigns in which contacts may wait, and its contacts of no campaign."""
    query = {"organization_id": organization_id, "$nor": [IS_OVER]}
    found = store["campaigns"].find(query, {"_id": 1}).sort([("created_at", -1), ("_id", -1)]).limit(MAX_CAMPAIGNS)
    return [default_campaign_id(organization_id), *[campaign["_id"] async for campaign in found]]


async def _areas(store: Store, campaigns: Sequence[str], tiers: Collection[Tier]) -> list[Document]:
    """Queries that together match the waiting contacts of these tiers, each of as many ranges as the server merges."""
    enrolled = await read_enrolled(store, campaigns)
    called: set[str] = set()
    async for stored in store["counters"].find({"_id": {"$in": list(enrolled)}}, {"attempts": 1}):
        if complete(CountersDocument, stored, {"attempts"})["attempts"]:
            called.add(stored["_id"])
    plain: dict[str, Enrolled] = {}
    areas: list[Document] = []
    for campaign_id, has in enrolled.items():
        if has.prioritized:
            priorities = await waiting_priorities(store, campaign_id, MAX_PRIORITIES)
            its = [queue for priority in priorities for queue in queues_at(priority, tiers, has.whose)]
            areas += _parted([campaign_id], its, has) if its else []
        elif campaign_id in called:
            plain[campaign_id] = has
    zones = frozenset[str | None]().union(*(has.zones for has in plain.values()))
    together = Enrolled(zones, own_numbers=any(has.own_numbers for has in plain.values()))
    queues = queues_at(DEFAULT_CONTACT_PRIORITY, tiers, together.whose)
    return [*areas, *(_parted(list(plain), queues, together) if plain and queues else ())]


def _parted(campaigns: Sequence[str], queues: Sequence[int], has: Enrolled) -> Iterator[Document]:
    zones = sorted(has.zones, key=lambda zone: zone or "")
    for some_zones in _parts(zones, RANGES_PER_QUERY):
        for some_queues in _parts(queues, RANGES_PER_QUERY // len(some_zones)):
            for some in _parts(campaigns, RANGES_PER_QUERY // (len(some_zones) * len(some_queues))):
                yield {
                    "campaign_id": {"$in": list(some)},
                    "tier": {"$in": list(some_queues)},
                    "timezone": {"$in": list(some_zones)},
                    "status": ContactStatus.PENDING,
                }


def _parts(items: Sequence[object], size: int) -> Iterator[Sequence[object]]:
    for first in range(0, len(items), max(1, size)):
        yield items[first : first + max(1, size)]


async def _next_rows(
    store: Store, areas: Sequence[Document], after: Place | None, which: CallbackFilter, limit: int
) -> list[Document]:
    """The first contacts after a place, in order, at most `limit`."""
    rows = [row for area in areas for row in await _first_rows(store, area, after, which, limit)]
    return sorted(rows, key=_place)[:limit]


async def _first_rows(
    store: Store, area: Document, after: Place | None, which: CallbackFilter, limit: int
) -> list[Document]:
    """The first contacts of an area after a place. The index knows due time and place in the request, and no ids."""
    bounds: Document = {"$gte": which.due_after} if which.due_after is not None else {}
    if which.due_before is not None:
        bounds["$lt"] = which.due_before
    if after is None:
        return await _in_index_order(store, area, {"due_at": bounds} if bounds else {}, limit)
    due_at, seq, contact_id = after
    rows = await _read(store, {**area, "due_at": due_at, "seq": seq, "_id": {"$gt": contact_id}}, ("_id",), limit)
    for later in ({"due_at": due_at, "seq": {"$gt": seq}}, {"due_at": {**bounds, "$gt": due_at}}):
        if len(rows) < limit:
            rows += await _in_index_order(store, area, later, limit)
    return rows


async def _in_index_order(store: Store, area: Document, where: Document, limit: int) -> list[Document]:
    """The first contacts, complete but for their order among those of one due time and place."""
    rows = await _read(store, {**area, **where}, ("due_at", "seq"), limit)
    if len(rows) < limit:
        return rows
    # Of the last of these there may be others, which would come before it.
    last = {"due_at": rows[-1]["due_at"], "seq": rows[-1]["seq"]}
    others = [row for row in rows if (row["due_at"], row["seq"]) != (last["due_at"], last["seq"])]
    return [*others, *await _read(store, {**area, **last}, ("_id",), limit)]


async def _read(store: Store, query: Document, order: Sequence[str], limit: int) -> list[Document]:
    found = store["contacts"].find(query, dict.fromkeys(_FIELDS, 1), hint="ready")
    rows = await found.sort([(name, 1) for name in order]).limit(limit).to_list()
    return [contact_of(row, frozenset(_FIELDS)) for row in rows]


async def _contacts(store: Store, organization_id: str, ids: Sequence[str], now: datetime) -> list[Contact]:
    """These contacts in this order; those that have moved on meanwhile are left out, or shown as they are now."""
    if not ids:
        return []
    query = {"_id": {"$in": list(ids)}, "organization_id": organization_id, **NOT_DELETED}
    stored = {contact["_id"]: contact_of(contact) async for contact in store["contacts"].find(query)}
    return await with_attempts(store, organization_id, [stored[one] for one in ids if one in stored], now)


def _place(row: Document) -> Place:
    return row["due_at"], row["seq"], row["_id"]


def _encoded(place: Place) -> str:
    return encode_cursor(place[0], f"{place[1]}:{place[2]}")


def _decoded(cursor: str) -> Place:
    due_at, rest = decode_cursor(cursor)
    found = _PLACE.fullmatch(rest)
    if found is None:
        raise InvalidCursor(cursor)
    return due_at, int(found[1]), found[2]
