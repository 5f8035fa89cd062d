"""The result of every contact batch from Kafka; written by contact-ingest, read by campaign-api.

A batch that is `done` is never applied again; the digest of its message tells it from another one under the same id,
which is refused. A batch that was `refused` has stored nothing: the customer can create the campaign that was missing
and send, or replay, it again. One is `accepted` while it changes contacts outside of a transaction, so that no other
message can do so under its id.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from shared.domain.contact_input import RowProblem, RowWarning
from shared.domain.ids import batch_key
from shared.domain.page import NumberedPage, Page
from shared.domain.row_remarks import Remark, RemarkCode
from shared.errors import Clash, Conflict, Kind, NotFound
from shared.store.client import Document, Store, translates
from shared.store.documents.completing import complete
from shared.store.documents.contacts import IngestBatchDocument
from shared.store.paging import newest_first, numbered


class BatchStatus(StrEnum):
    """The state of a batch."""

    ACCEPTED = "accepted"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A row of a batch that was not stored, or a remark on one that was. `index` counts from 0.

    `reason` is a sentence, or empty where there is a `remark`; older versions have stored remarks as sentences.
    """

    index: int
    external_id: str | None
    field: str | None
    reason: str
    remark: Remark | None = None

    @classmethod
    def from_document(cls, row: Mapping[str, Any]) -> "BatchRow":
        """The row as it is stored."""
        said = row.get("remark")
        remark = None if said is None else Remark(RemarkCode(said["code"]), said["facts"])
        return cls(row["index"], row.get("external_id"), row.get("field"), row["reason"], remark)

    @classmethod
    def of_problem(cls, problem: RowProblem) -> "BatchRow":
        """A row that cannot be used."""
        return cls(problem.index, problem.external_id, problem.field or None, problem.message)

    @classmethod
    def of_warning(cls, warning: RowWarning) -> "BatchRow":
        """A remark on a row that was used."""
        return cls(warning.index, warning.external_id, None, "", warning.remark)


@dataclass(frozen=True, slots=True)
class IngestBatch:
    """A batch as it arrived, before its rows are stored. `campaign_id` in the API's form: UUID or `default`.

    `digest` is the SHA-256 of the message's value, hexadecimal.
    """

    batch_id: str
    campaign_id: str
    received: int
    failed: tuple[BatchRow, ...]
    created_at: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch. `digest` is None where an older version, which kept none, has stored it."""

    batch_id: str
    campaign_id: str
    status: BatchStatus
    received: int
    inserted: int
    updated: int
    failed: tuple[BatchRow, ...]
    warnings: tuple[BatchRow, ...]
    reason: str | None
    created_at: datetime
    finished_at: datetime | None
    digest: str | None

    @classmethod
    def without_rows(
        cls, batch: IngestBatch, status: BatchStatus, *, reason: str | None = None, finished_at: datetime | None = None
    ) -> "BatchResult":
        """The state of a batch of which no row is stored."""
        return cls(
            batch_id=batch.batch_id,
            campaign_id=batch.campaign_id,
            status=status,
            received=batch.received,
            inserted=0,
            updated=0,
            failed=(),
            warnings=(),
            reason=reason,
            created_at=batch.created_at,
            finished_at=finished_at,
            digest=batch.digest,
        )

    def is_repeated_by(self, batch: IngestBatch) -> bool:
        """Whether `batch` is the message that this result came of, so that nothing is left to do.

        Raises `Conflict` when the id belongs to other bytes. A refused batch has taken nothing, its id neither.
        """
        if self.status == BatchStatus.REFUSED:
            return False
        if self.digest is not None and self.digest != batch.digest:
            raise Conflict(Clash.BATCH_ID_REUSED, self.batch_id)
        return self.status == BatchStatus.DONE

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "BatchResult":
        """The result as it is stored."""
        document = complete(IngestBatchDocument, stored)
        return cls(
            batch_id=document["batch_id"],
            campaign_id=document["campaign_id"],
            status=BatchStatus(document["status"]),
            received=document["received"],
            inserted=document["inserted"],
            updated=document["updated"],
            failed=tuple(BatchRow.from_document(row) for row in document["failed"]),
            warnings=tuple(BatchRow.from_document(row) for row in document["warnings"]),
            reason=document["reason"],
            created_at=document["created_at"],
            finished_at=document["finished_at"],
            digest=document["digest"],
        )


@translates
async def get_ingest_batch(store: Store, organization_id: str, batch_id: str) -> BatchResult:
    """The result of one batch. Raises `NotFound`."""
    result = await find_ingest_batch(store, organization_id, batch_id)
    if result is None:
        raise NotFound(Kind.INGEST_BATCH, batch_id)
    return result


@translates
async def list_ingest_batches(
    store: Store, organization_id: str, *, cursor: str | None, limit: int
) -> Page[BatchResult]:
    """Batches of the organization, newest first. Raises `InvalidCursor`."""
    mine = {"organization_id": organization_id}
    page = await newest_first(store["ingest_batches"], mine, cursor=cursor, limit=limit, parts_of=_reported_rows)
    return Page([BatchResult.from_document(row) for row in page.rows], page.next_cursor)


@translates
async def numbered_ingest_batches(
    store: Store, organization_id: str, *, offset: int, limit: int
) -> NumberedPage[BatchResult]:
    """Batches of the organization, newest first, from the `offset`-th on, and how many there are."""
    page = await numbered(store["ingest_batches"], {"organization_id": organization_id}, offset=offset, limit=limit)
    return NumberedPage([BatchResult.from_document(row) for row in page.rows], page.total)


async def find_ingest_batch(
    store: Store, organization_id: str, batch_id: str, session: AsyncClientSession | None = None
) -> BatchResult | None:
    """The result, if this batch was seen before."""
    document = await store["ingest_batches"].find_one({"_id": batch_key(organization_id, batch_id)}, session=session)
    return BatchResult.from_document(document) if document is not None else None


async def accept_ingest_batch(store: Store, organization_id: str, batch: IngestBatch) -> bool:
    """Whether the id now belongs to this message, before it changes anything; False: it is done. Safe to repeat.

    The unique key decides between two messages that come under one id at once: one of them gets a `Conflict`.
    """
    return await _put_unless_taken(store, organization_id, batch, BatchResult.without_rows(batch, BatchStatus.ACCEPTED))


async def put_ingest_batch(
    store: Store, organization_id: str, result: BatchResult, session: AsyncClientSession
) -> None:
    """Write the result in the transaction that stores its rows, in place of an earlier refusal."""
    key = batch_key(organization_id, result.batch_id)
    await store["ingest_batches"].replace_one(
        {"_id": key}, _document(key, organization_id, result), upsert=True, session=session
    )


@translates
async def refuse_ingest_batch(
    store: Store, organization_id: str, batch: IngestBatch, *, reason: str, now: datetime
) -> bool:
    """Whether the whole batch is now refused; False: it was done before, and stays done. Safe to repeat.

    Raises `Conflict` when the id belongs to another message.
    """
    refused = BatchResult.without_rows(batch, BatchStatus.REFUSED, reason=reason, finished_at=now)
    return await _put_unless_taken(store, organization_id, batch, refused)


async def _put_unless_taken(store: Store, organization_id: str, batch: IngestBatch, result: BatchResult) -> bool:
    """Write a state of the batch without rows; False when it is done. Raises `Conflict` when another has its id."""
    key = batch_key(organization_id, batch.batch_id)
    accepted = {"status": BatchStatus.ACCEPTED.value, "digest": {"$in": [batch.digest, None]}}
    ours_to_take = {"_id": key, "$or": [{"status": BatchStatus.REFUSED.value}, accepted]}
    document = _document(key, organization_id, result)
    while True:
        try:
            await store["ingest_batches"].replace_one(ours_to_take, document, upsert=True)
        except DuplicateKeyError:
            # The filter did not match, so the upsert tried to insert: somebody has the id.
            stored = await find_ingest_batch(store, organization_id, batch.batch_id)
            if stored is not None and stored.is_repeated_by(batch):
                return False
        else:
            return True


def _reported_rows(batch: Mapping[str, Any]) -> int:
    return len(batch.get("failed") or ()) + len(batch.get("warnings") or ())


def _document(key: str, organization_id: str, result: BatchResult) -> Document:
    fields = asdict(result)
    rows = {name: [_row(row) for row in fields[name]] for name in ("failed", "warnings")}
    return {"_id": key, "organization_id": organization_id, **fields, **rows, "status": result.status.value}


def _row(fields: Document) -> Document:
    return {name: value for name, value in fields.items() if name != "remark" or value is not None}
