"""A chunk of an import: contacts, refused rows, counts and the job's new position in one transaction.

Contacts that are there already are changed in it too, and asked for again: a worker that was frozen and wakes changes
nothing, for the job has moved on. It collides with calls of those contacts, and is tried again then.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact import ContactStatus
from shared.domain.contact_input import ContactRow, folded
from shared.domain.csv_contacts import ReadRows
from shared.domain.ids import contact_id_in
from shared.domain.jobs import Job, Position
from shared.store.catalog.do_not_call import stopped_numbers
from shared.store.catalog.organizations import touch
from shared.store.client import Document, Store
from shared.store.contacts.counting_in import count_in, register_source, turn_of
from shared.store.contacts.matching import ContactsOf, Known, look_up_rows
from shared.store.contacts.renames import file_alias
from shared.store.contacts.rows import change, new_contact
from shared.store.contacts.told_skipped import tell_of_skipped
from shared.store.contacts.upload_remarks import call_again
from shared.store.dialing.expiries import note_expiries
from shared.store.jobs.job_rows import store_refused
from shared.store.jobs.jobs import move_job, require_open


@dataclass(frozen=True, slots=True)
class ImportChunk:
    """The next rows of an import, read from `job.position` up to `to`; with `last` no rows follow."""

    job: Job
    read: ReadRows
    to: Position
    last: bool


@dataclass(slots=True)
class _Sorted:
    """Rows by what they mean in the database of this moment: changes by contact id, and new contacts by their ids."""

    existing: dict[str, ContactRow] = field(default_factory=dict)
    new: dict[str, ContactRow] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


async def store_chunk(store: Store, chunk: ImportChunk, source: str, worker: str, now: datetime) -> int:
    """Store the chunk and move the job; how many contacts were stored or changed.

    `source` names the counter document that this process adds to. Raises `JobMoved` (look at the job again),
    `NotFound` or `WrongState` (its campaign is gone or over: the job has failed), `Unavailable`.
    """
    job = chunk.job
    scope = ContactsOf(job.organization_id, job.shard, job.campaign_id)
    await register_source(store, scope, source)
    work = functools.partial(_store, store, scope, chunk, source, worker, now)
    return await store.in_transaction(work, in_turn=turn_of(scope, source))


async def _store(
    store: Store,
    scope: ContactsOf,
    chunk: ImportChunk,
    source: str,
    worker: str,
    now: datetime,
    session: AsyncClientSession,
) -> int:
    job, read = chunk.job, chunk.read
    known = await look_up_rows(store, scope, read.rows, session)
    rows = _sorted_out(job, scope, read.rows, known)
    numbers = {number for row in rows.new.values() for number in row.phone_numbers}
    stopped = await stopped_numbers(store, job.organization_id, numbers, session)
    documents = [_document(scope, contact_id, row, stopped, now) for contact_id, row in rows.new.items()]
    skipped = sum(document["status"] == ContactStatus.SKIPPED for document in documents)
    counts = [
        ("inserted", sum(len(row.indexes) for row in rows.new.values())),
        ("updated", sum(len(row.indexes) for row in rows.existing.values())),
        ("refused", read.refused),
        ("passed_over", read.passed_over),
        ("skipped", skipped),
    ]
    await move_job(store, session, job, chunk.to, counts, worker, now, last=chunk.last)
    await require_open(store, session, job, now)
    if documents:
        await store["contacts"].insert_many(documents, session=session)
        await tell_of_skipped(store, session, job.organization_id, documents, now)
        for derived, contact_id in rows.aliases.items():
            await file_alias(store, known, derived, contact_id, session)
    if rows.existing:
        await _change(store, scope, rows.existing, now, session)
    expiries = {contact_id: row.fields.get("expires_at") for contact_id, row in (rows.new | rows.existing).items()}
    await note_expiries(store, scope.shard, expiries, session)
    await store_refused(store, session, job, read.problems)
    if documents or rows.existing:
        changed = [row.fields for row in rows.existing.values()]
        await count_in(store, scope, source, documents=documents, changed=changed, session=session)
    if rows.existing or chunk.last:
        await touch(store, job.organization_id, session)
    return len(rows.new) + len(rows.existing)


def _sorted_out(job: Job, scope: ContactsOf, rows: Sequence[ContactRow], known: Known) -> _Sorted:
    result = _Sorted()
    for row in rows:
        if row.external_id is None:
            result.new[contact_id_in(job.id, row.index)] = row
            continue
        contact, derived = known.by_external_id(row.external_id), scope.derived_id(row.external_id)
        if contact is not None:
            earlier = result.existing.get(contact["_id"])
            result.existing[contact["_id"]] = row if earlier is None else folded(earlier, row)
            continue
        contact_id = derived
        if not known.is_free(derived):
            contact_id = contact_id_in(job.id, row.index)
            result.aliases[derived] = contact_id
        result.new[contact_id] = row
    return result


def _document(scope: ContactsOf, contact_id: str, row: ContactRow, stopped: set[str], now: datetime) -> Document:
    status = ContactStatus.SKIPPED if stopped.issuperset(row.phone_numbers) else ContactStatus.PENDING
    return new_contact(scope, row, contact_id, status=status, now=now)


async def _change(
    store: Store, scope: ContactsOf, existing: Mapping[str, ContactRow], now: datetime, session: AsyncClientSession
) -> None:
    changes = [change(contact_id, row, now) for contact_id, row in existing.items()]
    await store["contacts"].bulk_write(changes, ordered=False, session=session)
    await call_again(store, scope.organization_id, existing, now, session)
