"""Imports of CSV files: begun by a request, done by contact-ingest, looked at while they go on."""

import asyncio
import csv
import io
import uuid
from collections.abc import AsyncIterator, Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from multiprocessing import get_context

from shared.domain.campaign_log import ENGINE, Actor
from shared.domain.csv_check import Checked, Refusal, check_file
from shared.domain.ids import is_default_campaign
from shared.domain.jobs import SHOWN_REFUSED, ImportOrder, Job, JobKind, JobState, RefusedRow, new_job
from shared.domain.page import NumberedPage, Page
from shared.domain.spreadsheets import harmless
from shared.domain.stored_files import MAX_FILE_BYTES, file_key
from shared.engine.contacts import contact_target
from shared.engine.engine import Engine
from shared.errors import Kind, NotFound
from shared.events import CampaignChanged, JobWaiting
from shared.store.catalog import files as stored_files
from shared.store.jobs import jobs as stored

__all__ = [
    "ImportOrder",
    "ImportReport",
    "Job",
    "JobState",
    "begin_import",
    "cancel_import",
    "check_csv",
    "file_key_of",
    "get_import",
    "import_bytes",
    "last_import",
    "list_imports",
    "numbered_imports",
    "refused_csv",
]

_ROWS_A_PIECE = 1000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """An import as it stands, and the first rows that it has refused."""

    job: Job
    refused: Sequence[RefusedRow]


async def begin_import(
    engine: Engine,
    organization_id: str,
    reference: str,
    order: ImportOrder,
    now: datetime,
    *,
    job_id: str | None = None,
    by: Actor = ENGINE,
) -> Job:
    """The job that imports an uploaded file into a campaign, or under `default` into no campaign.

    With `job_id` (a UUID) safe to repeat. `by` is named in the log. Raises `NotFound` (campaign, file: nothing
    is stored under its key) or `WrongState` (the campaign is over).
    """
    target = await contact_target(engine, organization_id, reference)
    await engine.files.contents.stat(organization_id, order.file_key)
    await stored_files.use_file(engine.store, organization_id, order.file_key, target.campaign_id)
    job = new_job(JobKind.IMPORT, organization_id, target.shard, target.campaign_id, now, job_id=job_id, order=order)
    accepted = await stored.accept_job(engine.store, job, now, by)
    tell_of(engine, accepted)
    return accepted


async def import_bytes(
    engine: Engine,
    organization_id: str,
    reference: str,
    chunks: AsyncIterator[bytes],
    order: ImportOrder,
    now: datetime,
    *,
    most_bytes: int = MAX_FILE_BYTES,
    job_id: str | None = None,
    by: Actor = ENGINE,
) -> Job:
    """`begin_import` of a file that comes with the request; the key in `order` is not looked at.

    Raises `TooLarge` too; nothing is kept then.
    """
    await contact_target(engine, organization_id, reference)
    key = file_key(organization_id, str(uuid.uuid4()), order.file_name)
    await stored_files.register_file(engine.store, key, name=order.file_name, content_type="text/csv", now=now)
    await engine.files.contents.put(organization_id, str(key), chunks, most_bytes)
    order = replace(order, file_key=str(key))
    return await begin_import(engine, organization_id, reference, order, now, job_id=job_id, by=by)


async def file_key_of(engine: Engine, organization_id: str, file_id: str) -> tuple[str, str]:
    """The key and the name of an uploaded file. Raises `NotFound`."""
    file = await stored_files.find_file_by_id(engine.store, organization_id, file_id)
    return file.key, file.name


async def get_import(engine: Engine, organization_id: str, import_id: str) -> ImportReport:
    """An import as it stands, with the first 1,000 rows that it has refused. Raises `NotFound`."""
    job = await stored.get_job(engine.store, organization_id, import_id)
    if job.kind is not JobKind.IMPORT:
        raise NotFound(Kind.IMPORT, import_id)
    refused = stored.refused_rows(engine.store, organization_id, import_id, SHOWN_REFUSED)
    return ImportReport(job, [row async for row in refused])


async def cancel_import(
    engine: Engine, organization_id: str, import_id: str, now: datetime, *, by: Actor = ENGINE
) -> Job:
    """An import that is ended before its next thousand rows; what was stored stays. Safe to repeat.

    `by` is named in the log. Raises `NotFound`, `Conflict` (it has ended otherwise) or `Unavailable` (ask again).
    """
    job = await stored.cancel_import(engine.store, organization_id, import_id, by, now)
    _tell_campaign(engine, job)
    return job


async def list_imports(
    engine: Engine, organization_id: str, reference: str | None, *, cursor: str | None, limit: int
) -> Page[Job]:
    """The organization's imports, or one campaign's, newest first. Raises `NotFound`, `InvalidCursor`."""
    campaign_id = await _campaign_id(engine, organization_id, reference)
    return await stored.list_imports(engine.store, organization_id, campaign_id, cursor=cursor, limit=limit)


async def numbered_imports(
    engine: Engine, organization_id: str, reference: str | None, *, offset: int, limit: int
) -> NumberedPage[Job]:
    """The imports as `list_imports` has them, from the `offset`-th on, and how many there are."""
    campaign_id = await _campaign_id(engine, organization_id, reference)
    return await stored.numbered_imports(engine.store, organization_id, campaign_id, offset=offset, limit=limit)


async def last_import(engine: Engine, organization_id: str, campaign_id: str) -> Job | None:
    """The newest job that brings contacts into a campaign, a redial among them: its state, time and failure."""
    return await stored.last_job_of(engine.store, organization_id, campaign_id)


async def refused_csv(engine: Engine, organization_id: str, import_id: str) -> AsyncIterator[str]:
    """All rows that an import has refused, as CSV with a header and CRLF. Memory does not grow with them.

    What a spreadsheet would take for a formula has an apostrophe before it. `get_import` says whether there is one.
    """
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(("row", "field", "reason"))
    rows = 0
    async for row in stored.refused_rows(engine.store, organization_id, import_id):
        lines.writerow((row.row, harmless(row.field or ""), harmless(row.reason)))
        rows += 1
        if rows % _ROWS_A_PIECE == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


async def check_csv(data: bytes, required: Collection[str] = ()) -> Checked | Refusal:
    """`check_file` of a list at hand, in a process of its own, so that the requests of others go on."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_checkers(), check_file, data, tuple(required))


def tell_of(engine: Engine, job: Job) -> None:
    """Say that a job has work, and that its campaign is importing."""
    engine.hints.give(JobWaiting(organization_id=job.organization_id, job_id=job.id))
    _tell_campaign(engine, job)


def _tell_campaign(engine: Engine, job: Job) -> None:
    if not is_default_campaign(job.campaign_id):
        changed = CampaignChanged(organization_id=job.organization_id, shard=job.shard, campaign_id=job.campaign_id)
        engine.hints.give(changed)


async def _campaign_id(engine: Engine, organization_id: str, reference: str | None) -> str | None:
    if reference is None:
        return None
    return (await contact_target(engine, organization_id, reference, deleted=True)).campaign_id


@cache
def _checkers() -> ProcessPoolExecutor:
    # Not forked: a fork would have the connections of this process.
    return ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))
