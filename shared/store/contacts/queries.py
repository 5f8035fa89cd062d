"""Contacts as customers add, read, change and delete them. Their dialing state belongs to the scheduler."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pymongo import ASCENDING

from shared.domain.contact import ACTIVE, ContactStatus
from shared.domain.contact_input import ContactRow, RowWarning, is_uuid
from shared.domain.phone import spellings
from shared.domain.reasons import EndReason
from shared.errors import Clash, Conflict, Kind, NotFound
from shared.store.catalog.organizations import touch
from shared.store.client import Document, Store, translates
from shared.store.contacts.ingest_batches import IngestBatch
from shared.store.contacts.matching import ContactsOf, look_up
from shared.store.contacts.rows import NOT_DELETED
from shared.store.contacts.upsert import Upsert, UpsertResult, joined
from shared.store.documents.completing import complete
from shared.store.documents.contacts import AttemptDocument, contact_of
from shared.store.reports.counters import campaign_counts

MAX_ROWS_IN_ONE_TRANSACTION: Final = 1000
MAX_COUNTED: Final = 1000
_OLDEST_FIRST: Final = [("created_at", ASCENDING), ("seq", ASCENDING)]


@translates
async def upsert_contacts(
    store: Store,
    *,
    organization_id: str,
    shard: int,
    campaign_id: str,
    rows: Sequence[ContactRow],
    source: str,
    now: datetime,
    warnings: Sequence[RowWarning] = (),
    batch: IngestBatch | None = None,
) -> UpsertResult:
    """Change the contacts that exist and insert the others; `campaign_id` in its stored form.

    Each 1,000 rows are inserted in one transaction with their counters: all of them or none. A larger
    request is several such steps; when a later one fails, the earlier ones stay, and sending the request
    again is right (contacts without an external_id would be added again). `warnings` are those of
    `prepare_contacts` and come back with the result's own. `source` is `api-<0..15>` or `ingest-<0..15>`.

    With `batch` (at most 1,000 rows) its result is stored in the same transaction, and a batch that was
    stored before changes nothing.

    Raises `NotFound` (no such campaign), `WrongState` (it is closed), `Conflict` (the batch's id belongs to another
    message), `TemporaryError` and `Unavailable` (try again).
    """
    if batch is not None and len(rows) > MAX_ROWS_IN_ONE_TRANSACTION:
        raise ValueError(f"a batch has at most {MAX_ROWS_IN_ONE_TRANSACTION} rows, not {len(rows)}")
    scope = ContactsOf(organization_id, shard, campaign_id)
    results: list[UpsertResult] = []
    for start in range(0, max(len(rows), 1), MAX_ROWS_IN_ONE_TRANSACTION):
        part = rows[start : start + MAX_ROWS_IN_ONE_TRANSACTION]
        kept, remarked = (tuple(warnings), rows) if start == 0 else ((), ())
        results.append(await Upsert(store, scope, part, source, now, batch, kept, remarked).run())
    result = results[0] if len(results) == 1 else joined(results)
    if result.updated and not result.repeated:
        await touch(store, organization_id)
    return result


@dataclass(frozen=True, slots=True)
class ContactPage:
    """Some contacts, how many there are in all, and the stored attempts of these, by contact id."""

    contacts: list[Document]
    total: int
    attempts: dict[str, list[Document]]


@translates
async def list_contacts(
    store: Store,
    organization_id: str,
    campaign_id: str,
    *,
    status: ContactStatus | None,
    limit: int,
    offset: int,
) -> ContactPage:
    """Contacts of a campaign (stored form), oldest first, without those asked to be deleted.

    `total` costs the same for every size of campaign: a page that is not full tells it, otherwise it
    comes from the counters (a contact that moves in this very moment may be missed or counted twice).
    Only for `locked` and `in_progress` documents are counted, in an index that holds nothing else.
    """
    where: Document = {"campaign_id": campaign_id, "organization_id": organization_id, **NOT_DELETED}
    if status is not None:
        where["status"] = status.value
    found = store["contacts"].find(where).sort(_OLDEST_FIRST).skip(offset).limit(limit)
    contacts = [contact_of(contact) async for contact in found]
    if len(contacts) < limit and (contacts or not offset):
        total = offset + len(contacts)
    else:
        total = await _total(store, campaign_id, status)
    return ContactPage(contacts, total, await attempts_of(store, contacts))


@translates
async def get_contact(
    store: Store, organization_id: str, campaign_id: str, id_or_external_id: str
) -> tuple[Document, list[Document]]:
    """A contact of the campaign (stored form) by its id, else its external_id, and its stored attempts.

    Raises `NotFound`, also for one that was asked to be deleted.
    """
    contact_id = await _resolved(store, organization_id, campaign_id, id_or_external_id)
    stored = await store["contacts"].find_one({"_id": contact_id, **NOT_DELETED})
    if stored is None:
        raise NotFound(Kind.CONTACT, id_or_external_id)
    contact = contact_of(stored)
    attempts = await attempts_of(store, [contact])
    return contact, attempts.get(contact_id, [])


@translates
async def request_deletion(
    store: Store, organization_id: str, campaign_id: str, id_or_external_id: str, *, now: datetime
) -> str:
    """Ask that a contact be deleted: from now on it is gone for everybody. Its id.

    The scheduler removes the document. Raises `NotFound`, and `Conflict` while the contact is being
    called (locked or in progress).
    """
    contact_id = await _resolved(store, organization_id, campaign_id, id_or_external_id)
    resting = {"_id": contact_id, "status": {"$nin": sorted(ACTIVE)}, **NOT_DELETED}
    marked = await store["contacts"].update_one(resting, {"$set": {"delete_requested": True, "updated_at": now}})
    if marked.modified_count:
        await touch(store, organization_id)
        return contact_id
    if await store["contacts"].find_one({"_id": contact_id, **NOT_DELETED}, {"_id": 1}) is None:
        raise NotFound(Kind.CONTACT, id_or_external_id)
    raise Conflict(Clash.CONTACT_BEING_CALLED, id_or_external_id)


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


async def attempts_of(store: Store, contacts: Sequence[Document]) -> dict[str, list[Document]]:
    """The stored attempts of these contacts, by contact id."""
    by_contact: dict[str, list[Document]] = {}
    # Also of those that count no attempt: the only one of a contact may be known from a late report alone.
    ids = [contact["_id"] for contact in contacts]
    if ids:
        async for attempt in store["attempts"].find({"contact_id": {"$in": ids}}):
            by_contact.setdefault(attempt["contact_id"], []).append(complete(AttemptDocument, attempt))
    return by_contact


async def _total(store: Store, campaign_id: str, status: ContactStatus | None) -> int:
    contacts = store["contacts"]
    if status in ACTIVE:
        active = {"campaign_id": campaign_id, "status": status.value}
        return await contacts.count_documents(active, hint=status.value)
    counts = await campaign_counts(store, campaign_id)
    # Tombstones are still in the counters; there are few at a time, because the scheduler removes them.
    where: Document = {"campaign_id": campaign_id, "delete_requested": True}
    if status is None:
        return counts.total - await contacts.count_documents(where, hint="tombstones")
    in_status: int = getattr(counts, status.value)
    return in_status - await contacts.count_documents({**where, "status": status.value}, hint="tombstones")


async def _resolved(store: Store, organization_id: str, campaign_id: str, id_or_external_id: str) -> str:
    # Only the campaign matters for finding; the shard is for those who insert.
    scope = ContactsOf(organization_id, 0, campaign_id)
    try:
        id_or_external_id.encode()
    except UnicodeEncodeError as error:
        raise NotFound(Kind.CONTACT, id_or_external_id) from error
    ids = [id_or_external_id.lower()] if is_uuid(id_or_external_id) else []
    known = await look_up(store, scope, ids=ids, external_ids=[id_or_external_id])
    contact = known.by_id(ids[0] if ids else None) or known.by_external_id(id_or_external_id)
    if contact is None:
        raise NotFound(Kind.CONTACT, id_or_external_id)
    contact_id: str = contact["_id"]
    return contact_id
