"""Jobs: accepted by campaign-api, moved by contact-ingest, where state and position are the ones that were read.

A campaign counts the jobs that bring it contacts (`imports`): one more where a job is accepted, one fewer in the
transaction of its last chunk, of its failure or of its cancellation. Until then the campaign does not complete.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from shared.domain.campaign import CampaignUse, import_failed, shown_state
from shared.domain.campaign_log import ENGINE, Actor
from shared.domain.ids import is_default_campaign
from shared.domain.jobs import (
    TOLD_AGAIN_AFTER,
    Failed,
    Job,
    JobFailure,
    JobKind,
    JobState,
    Position,
    Reading,
    RefusedRow,
)
from shared.domain.page import NumberedPage, Page
from shared.errors import Clash, Conflict, Kind, NotFound, TemporaryError, WrongState
from shared.store.catalog.courses import COURSE_FIELDS, NOT_DELETED, course_of, stored_course
from shared.store.catalog.organizations import touch
from shared.store.client import Document, Store, translates
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete
from shared.store.documents.jobs import JobRowDocument
from shared.store.jobs.job_news import log_acceptance, tell_of_end
from shared.store.jobs.job_records import job_from, stored_job, stored_reading
from shared.store.jobs.job_rows import ROWS
from shared.store.paging import newest_first, numbered

JOBS: Final = "jobs"
MOST_TOLD: Final = 100


class JobMoved(TemporaryError):
    """Another worker has moved the job, or it has ended: look at it again."""


async def accept_job(store: Store, job: Job, now: datetime, by: Actor = ENGINE) -> Job:
    """Store a new job and count it in its campaign; one that was stored under its id before comes back as it stands.

    Raises `NotFound` (campaign) or `WrongState` (it is over).
    """

    async def work(session: AsyncClientSession) -> Job:
        await accept_in(store, session, job, now, by)
        return job

    try:
        return await store.in_transaction(work)
    except DuplicateKeyError:
        return await find_job(store, job.id)


async def accept_in(store: Store, session: AsyncClientSession, job: Job, now: datetime, by: Actor = ENGINE) -> None:
    """`accept_job` in the caller's transaction. Raises `DuplicateKeyError` for an id that is taken."""
    await store[JOBS].insert_one(stored_job(job), session=session)
    await require_open(store, session, job, now)
    await _count_import(store, session, job, 1)
    await log_acceptance(store, session, job, by, now)
    await touch(store, job.organization_id, session)


async def require_open(store: Store, session: AsyncClientSession, job: Job, now: datetime) -> None:
    """Raise `NotFound` or `WrongState` where the job's campaign takes no contacts."""
    if is_default_campaign(job.campaign_id):
        return
    mine = {"_id": job.campaign_id, "organization_id": job.organization_id, **NOT_DELETED}
    campaign = await store["campaigns"].find_one(mine, dict.fromkeys(COURSE_FIELDS, 1), session=session)
    if campaign is None:
        raise NotFound(Kind.CAMPAIGN, job.campaign_id)
    course = course_of(complete(CampaignDocument, campaign, COURSE_FIELDS))
    if course.is_over:
        state = shown_state(course, now).state
        raise WrongState(Kind.CAMPAIGN, job.campaign_id, state, CampaignUse.ADD_CONTACTS)


@translates
async def find_job(store: Store, job_id: str) -> Job:
    """A job by its id, of whatever organization. Raises `NotFound`."""
    stored = await store[JOBS].find_one({"_id": job_id})
    if stored is None:
        raise NotFound(Kind.IMPORT, job_id)
    return job_from(stored)


@translates
async def get_job(store: Store, organization_id: str, job_id: str) -> Job:
    """The organization's job. Raises `NotFound`."""
    stored = await store[JOBS].find_one({"_id": job_id, "organization_id": organization_id})
    if stored is None:
        raise NotFound(Kind.IMPORT, job_id)
    return job_from(stored)


def _imports(organization_id: str, campaign_id: str | None) -> Document:
    of_campaign = {} if campaign_id is None else {"campaign_id": campaign_id}
    return {"organization_id": organization_id, "kind": JobKind.IMPORT.value, **of_campaign}


@translates
async def list_imports(
    store: Store, organization_id: str, campaign_id: str | None, *, cursor: str | None, limit: int
) -> Page[Job]:
    """The imports of the organization, or of one campaign (stored form), newest first. Raises `InvalidCursor`."""
    page = await newest_first(store[JOBS], _imports(organization_id, campaign_id), cursor=cursor, limit=limit)
    return Page([job_from(stored) for stored in page.rows], page.next_cursor)


@translates
async def numbered_imports(
    store: Store, organization_id: str, campaign_id: str | None, *, offset: int, limit: int
) -> NumberedPage[Job]:
    """The imports as `list_imports` has them, from the `offset`-th on, and how many there are."""
    page = await numbered(store[JOBS], _imports(organization_id, campaign_id), offset=offset, limit=limit)
    return NumberedPage([job_from(stored) for stored in page.rows], page.total)


@translates
async def last_job_of(store: Store, organization_id: str, campaign_id: str) -> Job | None:
    """The newest job that brings contacts into a campaign; None: there was none."""
    found = store[JOBS].find({"organization_id": organization_id, "campaign_id": campaign_id})
    newest = await found.sort([("created_at", -1), ("_id", -1)]).limit(1).to_list()
    return job_from(newest[0]) if newest else None


async def refused_rows(store: Store, organization_id: str, job_id: str, limit: int = 0) -> AsyncIterator[RefusedRow]:
    """The rows that a job has refused, in the file's order; the first `limit`, 0: all. Memory does not grow."""
    query = {"job_id": job_id, "organization_id": organization_id}
    found = store[ROWS].find(query).sort([("job_id", ASCENDING), ("row", ASCENDING), ("_id", ASCENDING)]).limit(limit)
    async for stored in found:
        row = complete(JobRowDocument, stored)
        yield RefusedRow(row["row"], row["field"], row["reason"])


@translates
async def jobs_to_tell(store: Store, now: datetime) -> list[Job]:
    """Running jobs that have not moved for 10 s and were not told since; each is noted as told now, to one process."""
    stuck = now - TOLD_AGAIN_AFTER
    query = {"state": JobState.RUNNING.value, "moved_at": {"$lte": stuck}}
    told = []
    async for stored in store[JOBS].find(query).sort("moved_at").limit(MOST_TOLD):
        guard = {"_id": stored["_id"], "state": JobState.RUNNING.value, "told_at": {"$lte": stuck}}
        if (await store[JOBS].update_one(guard, {"$set": {"told_at": now}})).modified_count:
            told.append(job_from(stored))
    return told


@translates
async def settle_reading(store: Store, job: Job, reading: Reading, worker: str, now: datetime) -> Job:
    """Keep how the job's file is read, unless that is decided already; the job as it stands then. Raises `JobMoved`."""
    changes = {
        "reading": stored_reading(reading),
        "position": {"byte": reading.start, "row": reading.row, "after": None},
        "moved_at": now,
        "worker": worker,
    }
    guard = {"_id": job.id, "state": JobState.RUNNING.value, "reading": None}
    after = await store[JOBS].find_one_and_update(guard, {"$set": changes}, return_document=ReturnDocument.AFTER)
    if after is None:
        raise JobMoved(job.id)
    return job_from(after)


async def move_job(
    store: Store,
    session: AsyncClientSession,
    job: Job,
    to: Position,
    counts: Sequence[tuple[str, int]],
    worker: str,
    now: datetime,
    *,
    last: bool,
) -> None:
    """Move the job to its next position in the transaction of a chunk; the last chunk ends it. Raises `JobMoved`.

    First in its transaction: whoever has moved the job since it was read collides here.
    """
    changes: Document = {"position": _stored(to), "moved_at": now, "worker": worker}
    if last:
        changes |= {"state": JobState.DONE.value, "finished_at": now}
    update: dict[str, Any] = {"$set": changes}
    grown = {f"counts.{name}": count for name, count in counts if count}
    if grown:
        update["$inc"] = grown
    after = ReturnDocument.AFTER
    moved = await store[JOBS].find_one_and_update(_as_read(job), update, return_document=after, session=session)
    if moved is None:
        raise JobMoved(job.id)
    if last:
        await _count_import(store, session, job, -1)
        await tell_of_end(store, session, job_from(moved), now)


async def fail_job(store: Store, job: Job, failed: Failed, worker: str, now: datetime) -> None:
    """End the job, and its campaign where it fails with it. What was stored before stays. Raises `JobMoved`."""

    async def work(session: AsyncClientSession) -> None:
        changes = {
            "state": JobState.FAILED.value,
            "finished_at": now,
            "moved_at": now,
            "worker": worker,
            "failed": _reason(failed),
        }
        update, after = {"$set": changes}, ReturnDocument.AFTER
        ended = await store[JOBS].find_one_and_update(_as_read(job), update, return_document=after, session=session)
        if ended is None:
            raise JobMoved(job.id)
        await _count_import(store, session, job, -1)
        await tell_of_end(store, session, job_from(ended), now)
        if job.order is not None and job.order.fails_campaign:
            await _fail_campaign(store, session, job, now)
        await touch(store, job.organization_id, session)

    await store.in_transaction(work)


async def cancel_import(store: Store, organization_id: str, import_id: str, by: Actor, now: datetime) -> Job:
    """End an import on request, whether its file is being read or nothing of it yet; the import as it stands then.

    What was stored before stays, as does its campaign, which goes on with that. Whether the last chunk or this comes
    first is decided by the job's document, which both write; a chunk that comes later changes nothing (`JobMoved`).
    One that was cancelled before comes back as it stands. Raises `NotFound`, `Conflict` (it has ended otherwise) or
    `Unavailable` (chunks were in the way for 20 s: ask again).
    """
    running = {**_imports(organization_id, None), "_id": import_id, "state": JobState.RUNNING.value}

    async def work(session: AsyncClientSession) -> Job | None:
        reason = _reason(Failed(JobFailure.CANCELLED))
        changes = {"state": JobState.CANCELLED.value, "finished_at": now, "moved_at": now, "failed": reason}
        update, after = {"$set": changes}, ReturnDocument.AFTER
        ended = await store[JOBS].find_one_and_update(running, update, return_document=after, session=session)
        if ended is None:
            return None
        job = job_from(ended)
        await _count_import(store, session, job, -1)
        await tell_of_end(store, session, job, now, by)
        await touch(store, organization_id, session)
        return job

    cancelled = await store.in_transaction(work)
    if cancelled is not None:
        return cancelled
    job = await get_job(store, organization_id, import_id)
    if job.kind is not JobKind.IMPORT:
        raise NotFound(Kind.IMPORT, import_id)
    if job.state is not JobState.CANCELLED:
        raise Conflict(Clash.IMPORT_OVER, import_id)
    return job


def _reason(failed: Failed) -> Document:
    return {"reason": failed.reason.value, "row": failed.row, "name": failed.name}


def _as_read(job: Job) -> Document:
    return {"_id": job.id, "state": JobState.RUNNING.value, "position": _stored(job.position)}


def _stored(position: Position) -> Document:
    # Compared as a whole, so always in this order.
    return {"byte": position.byte, "row": position.row, "after": position.after}


async def _count_import(store: Store, session: AsyncClientSession, job: Job, by: int) -> None:
    if not is_default_campaign(job.campaign_id):
        await store["campaigns"].update_one({"_id": job.campaign_id}, {"$inc": {"imports": by}}, session=session)


async def _fail_campaign(store: Store, session: AsyncClientSession, job: Job, now: datetime) -> None:
    stored = await store["campaigns"].find_one({"_id": job.campaign_id}, session=session)
    course = None if stored is None else import_failed(course_of(complete(CampaignDocument, stored)), now)
    if course is not None:
        changes = {**stored_course(course), "completed_at": now, "updated_at": now}
        update = {"$set": changes, "$inc": {"fact_seq": 1}}
        await store["campaigns"].update_one({"_id": job.campaign_id}, update, session=session)
