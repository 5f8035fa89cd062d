"""Storing one request's contacts: existing ones are changed, new ones inserted in one transaction.

Changes of existing contacts are plain writes before the transaction: inside it they would collide with
the scheduler's. They are repeated when the transaction is, with the same effect.
"""

import functools
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.domain.campaign import CampaignUse, shown_state
from shared.domain.contact import ContactStatus
from shared.domain.contact_input import ContactRow, RowWarning, counted_once, folded
from shared.domain.ids import contact_id_in, is_default_campaign
from shared.domain.row_remarks import Fact, Remark, RemarkCode
from shared.domain.shared_phones import PhoneHolder, shared_phone_warnings
from shared.domain.upload import RowFailure, UpsertResult
from shared.errors import Kind, NotFound, TemporaryError, WrongState
from shared.store.catalog.courses import COURSE_FIELDS, NOT_DELETED, course_of
from shared.store.catalog.do_not_call import stopped_numbers
from shared.store.catalog.organizations import touch
from shared.store.client import Document, Store, translates
from shared.store.contacts.counting_in import count_in, needs_noting, register_source, turn_of
from shared.store.contacts.duplicates import contacts_with_phones
from shared.store.contacts.ingest_batches import (
    BatchResult,
    BatchRow,
    BatchStatus,
    IngestBatch,
    accept_ingest_batch,
    find_ingest_batch,
    put_ingest_batch,
)
from shared.store.contacts.matching import ContactsOf, Known, look_up_new, look_up_rows
from shared.store.contacts.renames import file_alias, rename_contacts
from shared.store.contacts.rows import change, new_contact
from shared.store.contacts.told_skipped import tell_of_skipped
from shared.store.contacts.upload_remarks import call_again, read_rules, remarks_on_settings
from shared.store.dialing.expiries import note_expiries
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete

# Each round begins because another request has stored some of the same contacts since we looked.
MAX_ROUNDS: Final = 20
MAX_ROWS_IN_ONE_TRANSACTION: Final = 1000
DUPLICATE_KEY: Final = 11000


class _LookAgain(Exception):
    """Rows of the request that another writer has stored since they were looked up."""


@dataclass(slots=True)
class _Round:
    """One try of a request: what its rows mean in the database of this moment."""

    existing: dict[str, ContactRow] = field(default_factory=dict)  # by contact id
    added: dict[str | int, ContactRow] = field(default_factory=dict)  # by external_id, or by place without one
    zones: dict[str, str | None] = field(default_factory=dict)  # stored timezones, by contact id
    holders: list[PhoneHolder] = field(default_factory=list)  # contacts stored already that have the rows' phones
    failed: list[RowFailure] = field(default_factory=list)
    warnings: list[RowWarning] = field(default_factory=list)

    def fail(self, row: ContactRow, field_name: str, reason: str) -> None:
        self.failed.extend(RowFailure(index, row.external_id, field_name, reason) for index in row.indexes)

    def add(self, contact_id: str | None, row: ContactRow) -> None:
        """File the row; one that turns out to be the contact of an earlier row becomes one with it."""
        if contact_id is not None:
            self.existing[contact_id] = self._with_earlier(self.existing.get(contact_id), row)
        else:
            key = row.external_id if row.external_id is not None else row.index
            self.added[key] = self._with_earlier(self.added.get(key), row)

    def _with_earlier(self, earlier: ContactRow | None, row: ContactRow) -> ContactRow:
        if earlier is None:
            return row
        self.warnings.append(counted_once(earlier, row))
        return folded(earlier, row)

    @property
    def new(self) -> list[ContactRow]:
        return list(self.added.values())

    def warn(self, row: ContactRow, remark: Remark) -> None:
        self.warnings.append(RowWarning(row.index, row.external_id, remark))


@dataclass(frozen=True, slots=True)
class Upsert:
    """One request of at most 1,000 rows. `source` names the counter document that this process adds to.

    `work_id`: contacts without an external_id are found again by it and their places when the request is repeated.
    `remarked` are the rows of which it is said what their settings lack: all of a larger request in its first part.
    """

    store: Store
    scope: ContactsOf
    rows: Sequence[ContactRow]
    source: str
    now: datetime
    batch: IngestBatch | None
    warnings: tuple[RowWarning, ...]
    remarked: Sequence[ContactRow]
    work_id: str | None = None

    async def run(self) -> UpsertResult:
        """Store the rows. Raises `WrongState` (closed), `NotFound` (campaign), `Conflict` (batch id), `Unavailable`."""
        for _ in range(MAX_ROUNDS):
            repeated = await self._stored_before()
            if repeated is not None:
                return repeated
            await self._require_open_campaign()
            await register_source(self.store, self.scope, self.source)
            made = [contact_id for row in self.rows if (contact_id := self._made_as(row)) is not None]
            known = await look_up_rows(self.store, self.scope, self.rows, also=made)
            round_ = self._sorted_out(known)
            if round_.existing and not await self._is_ours():
                continue
            await self._change_existing(round_)
            await self._remark(round_)
            # Before the transaction: what only warns must not make it longer.
            phones = {number for row in self.rows for number in row.phone_numbers}
            round_.holders = await contacts_with_phones(self.store, self.scope, phones)
            try:
                return await self.store.in_transaction(
                    functools.partial(self._insert_new, round_, known), in_turn=turn_of(self.scope, self.source)
                )
            except (_LookAgain, DuplicateKeyError):
                continue
            except BulkWriteError as error:
                if any(detail["code"] != DUPLICATE_KEY for detail in error.details["writeErrors"]):
                    raise
        raise TemporaryError("Other requests keep storing the same contacts")

    def _sorted_out(self, known: Known) -> _Round:
        result = _Round()
        for row in self.rows:
            by_id, by_external_id = known.by_id(row.id), known.by_external_id(row.external_id)
            if by_id is not None and by_external_id is not None and by_id["_id"] != by_external_id["_id"]:
                result.fail(row, "external_id", "id and external_id name two different contacts; send one of them")
                continue
            contact = by_id or by_external_id or known.by_id(self._made_as(row))
            if row.id is not None and by_id is None:
                result.warn(row, Remark(RemarkCode.ID_UNKNOWN, {"id": row.id, "found": int(contact is not None)}))
            if contact is not None:
                result.zones[contact["_id"]] = contact["timezone"]
            result.add(contact["_id"] if contact is not None else None, row)
        return result

    def _made_as(self, row: ContactRow) -> str | None:
        """The id under which an earlier try of the request has made the row's contact, if it has."""
        if self.work_id is None or row.external_id is not None:
            return None
        return contact_id_in(self.work_id, row.index)

    async def _stored_before(self, session: AsyncClientSession | None = None) -> UpsertResult | None:
        if self.batch is None:
            return None
        found = await find_ingest_batch(self.store, self.scope.organization_id, self.batch.batch_id, session)
        return _repeated(found) if found is not None and found.is_repeated_by(self.batch) else None

    async def _is_ours(self) -> bool:
        """Whether rows may be changed outside of the transaction, which alone would decide too late whose the id is."""
        return self.batch is None or await accept_ingest_batch(self.store, self.scope.organization_id, self.batch)

    async def _require_open_campaign(self, session: AsyncClientSession | None = None) -> None:
        if is_default_campaign(self.scope.campaign_id):
            return
        campaign = await self.store["campaigns"].find_one(
            {"_id": self.scope.campaign_id, "organization_id": self.scope.organization_id, **NOT_DELETED},
            dict.fromkeys(COURSE_FIELDS, 1),
            session=session,
        )
        if campaign is None:
            raise NotFound(Kind.CAMPAIGN, self.scope.campaign_id)
        course = course_of(complete(CampaignDocument, campaign, COURSE_FIELDS))
        if course.is_over:
            state = shown_state(course, self.now).state
            raise WrongState(Kind.CAMPAIGN, self.scope.campaign_id, state, CampaignUse.ADD_CONTACTS)

    async def _change_existing(self, round_: _Round) -> None:
        if not round_.existing:
            return
        refused = await rename_contacts(
            self.store, self.scope, {contact_id: row.external_id for contact_id, row in round_.existing.items()}
        )
        for contact_id in refused:
            row = round_.existing.pop(contact_id)
            round_.fail(row, "external_id", "another contact of the campaign has this external_id")
        changed = [row.fields for row in round_.existing.values()]
        if needs_noting(changed):
            # Before the contacts, so that the scheduler never meets a zone or a priority it has not heard of.
            await count_in(self.store, self.scope, self.source, changed=changed)
        expiries = {contact_id: row.fields.get("expires_at") for contact_id, row in round_.existing.items()}
        await note_expiries(self.store, self.scope.shard, expiries)
        if round_.existing:
            changes = [change(contact_id, row, self.now) for contact_id, row in round_.existing.items()]
            await self.store["contacts"].bulk_write(changes, ordered=False)
        await note_expiries(self.store, self.scope.shard, expiries)

    async def _remark(self, round_: _Round) -> None:
        """Say which rows will not be called as things stand, and have those called again that can be now."""
        organization_id = self.scope.organization_id
        if self.remarked:
            rules = await read_rules(self.store, organization_id, self.scope.campaign_id)
            round_.warnings += remarks_on_settings(rules, self.remarked, self.now)
        if round_.existing:
            round_.warnings += await call_again(self.store, organization_id, round_.existing, self.now)

    async def _insert_new(self, round_: _Round, before: Known, session: AsyncClientSession) -> UpsertResult:
        repeated = await self._stored_before(session)
        if repeated is not None:
            return repeated
        await self._require_open_campaign(session)
        known = await look_up_new(self.store, self.scope, round_.new, before, session)
        if any(known.by_external_id(row.external_id) for row in round_.new):
            raise _LookAgain
        stopped = await self._do_not_call([*round_.new, *round_.existing.values()], session)
        documents = [self._document(row, known, stopped) for row in round_.new]
        result = self._result(round_, [document["_id"] for document in documents], stopped)
        if documents:
            await self.store["contacts"].insert_many(documents, session=session)
            await tell_of_skipped(self.store, session, self.scope.organization_id, documents, self.now)
            await self._file_aliases(documents, known, session)
            expiries = {document["_id"]: document["expires_at"] for document in documents}
            await note_expiries(self.store, self.scope.shard, expiries, session)
        if self.batch is not None:
            stored = _batch_result(self.batch, result, self.now)
            await put_ingest_batch(self.store, self.scope.organization_id, stored, session)
        if documents:
            # Last, because it is the document that processes which count under one source share.
            await count_in(self.store, self.scope, self.source, documents=documents, session=session)
        return result

    def _document(self, row: ContactRow, known: Known, stopped: set[str]) -> Document:
        derived = self.scope.derived_id(row.external_id) if row.external_id is not None else None
        free = derived if derived is not None and known.is_free(derived) else None
        contact_id = free or self._made_as(row) or str(uuid.uuid4())
        status = ContactStatus.SKIPPED if stopped.issuperset(row.phone_numbers) else ContactStatus.PENDING
        return new_contact(self.scope, row, contact_id, status=status, now=self.now)

    async def _file_aliases(self, documents: Sequence[Document], known: Known, session: AsyncClientSession) -> None:
        for document in documents:
            if document["external_id"] is not None:
                derived = self.scope.derived_id(document["external_id"])
                if derived != document["_id"]:
                    await file_alias(self.store, known, derived, document["_id"], session)

    async def _do_not_call(self, rows: Sequence[ContactRow], session: AsyncClientSession) -> set[str]:
        numbers = {number for row in rows for number in row.phone_numbers}
        return await stopped_numbers(self.store, self.scope.organization_id, numbers, session)

    def _result(self, round_: _Round, new_ids: Sequence[str], stopped: set[str]) -> UpsertResult:
        ids: dict[int, str | None] = {index: None for row in self.rows for index in row.indexes}
        applied = [*zip(new_ids, round_.new, strict=True), *round_.existing.items()]
        warnings = [*self.warnings, *round_.warnings]
        for contact_id, row in applied:
            ids.update(dict.fromkeys(row.indexes, contact_id))
            warnings.extend(_stopped_warning(row, stopped, is_new=contact_id not in round_.existing))
            if is_default_campaign(self.scope.campaign_id):
                warnings.extend(_timezone_warning(row, round_.zones.get(contact_id)))
        warnings.extend(shared_phone_warnings(applied, round_.holders))
        return _assembled(len(round_.new), len(round_.existing), round_.failed, warnings, ids)


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
    work_id: str | None = None,
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
        results.append(await Upsert(store, scope, part, source, now, batch, kept, remarked, work_id).run())
    result = results[0] if len(results) == 1 else _joined(results)
    if result.updated and not result.repeated:
        await touch(store, organization_id)
    return result


def _joined(results: Sequence[UpsertResult]) -> UpsertResult:
    """The results of several parts of one request as one."""
    ids: dict[int, str | None] = {}
    for result in results:
        ids.update(result.ids_by_index)
    return _assembled(
        sum(result.inserted for result in results),
        sum(result.updated for result in results),
        [failure for result in results for failure in result.failed],
        [warning for result in results for warning in result.warnings],
        ids,
    )


def _assembled(
    inserted: int,
    updated: int,
    failed: Iterable[RowFailure],
    warnings: Iterable[RowWarning],
    ids: Mapping[int, str | None],
) -> UpsertResult:
    return UpsertResult(
        inserted=inserted,
        updated=updated,
        failed=tuple(sorted(failed, key=lambda failure: failure.index)),
        warnings=tuple(sorted(warnings, key=lambda warning: warning.index)),
        contact_ids=tuple(ids[index] for index in sorted(ids)),
        ids_by_index=ids,
    )


def _stopped_warning(row: ContactRow, stopped: set[str], *, is_new: bool) -> list[RowWarning]:
    listed = [number for number in row.phone_numbers if number in stopped]
    if not listed:
        return []
    whole = len(listed) == len(row.phone_numbers)
    facts: dict[str, Fact] = {"numbers": listed, "whole": int(whole), "skipped": int(whole and is_new)}
    return [RowWarning(row.index, row.external_id, Remark(RemarkCode.LISTED, facts))]


def _timezone_warning(row: ContactRow, stored: str | None) -> list[RowWarning]:
    """An update that leaves the timezone out keeps the stored one, so this cannot be seen in the request alone."""
    known = row.fields.get("timezone", stored)
    return [] if known is not None else [RowWarning(row.index, row.external_id, Remark(RemarkCode.NO_TIMEZONE, {}))]


def _batch_result(batch: IngestBatch, result: UpsertResult, now: datetime) -> BatchResult:
    failures = [BatchRow(row.index, row.external_id, row.field, row.reason) for row in result.failed]
    return BatchResult(
        batch_id=batch.batch_id,
        campaign_id=batch.campaign_id,
        status=BatchStatus.DONE,
        received=batch.received,
        inserted=result.inserted,
        updated=result.updated,
        failed=tuple(sorted([*batch.failed, *failures], key=lambda row: row.index)),
        warnings=tuple(BatchRow.of_warning(warning) for warning in result.warnings),
        reason=None,
        created_at=batch.created_at,
        finished_at=now,
        digest=batch.digest,
    )


def _repeated(stored: BatchResult) -> UpsertResult:
    return UpsertResult(
        inserted=stored.inserted,
        updated=stored.updated,
        failed=tuple(RowFailure(row.index, row.external_id, row.field, row.reason) for row in stored.failed),
        warnings=(),
        contact_ids=(),
        repeated=True,
    )
