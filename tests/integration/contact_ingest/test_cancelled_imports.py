"""Imports that are cancelled: what was read stays, the rest is not read, and one end is told."""

import asyncio
import uuid
from datetime import timedelta

import pytest

from services.contact_ingest.jobs import Jobs
from shared.clock import utc_now
from shared.domain.campaign import CampaignState
from shared.domain.campaign_log import Actor, ActorKind, LogEvent
from shared.domain.facts import FactType
from shared.domain.jobs import Failed, Job, JobCounts, JobFailure, JobKind, JobState
from shared.errors import Clash, Conflict, NotFound
from shared.store.catalog.campaign_log import read_log
from shared.store.catalog.campaigns import get_campaign
from shared.store.jobs.import_chunk import store_chunk
from shared.store.jobs.jobs import JobMoved, cancel_import, fail_job, find_job, jobs_to_tell
from tests.eventually import eventually
from tests.integration.contact_ingest.desk import Desk, list_of

BY_KEY = Actor(ActorKind.KEY, "ak-1")


async def cancel(desk: Desk, job: Job) -> Job:
    return await cancel_import(desk.store, job.organization_id, job.id, BY_KEY, utc_now())


async def test_a_cancelled_import_keeps_what_was_read_and_reads_no_more(desk: Desk, jobs: Jobs) -> None:
    wanted = {"$set": {"fact_types": [FactType.IMPORT_DONE]}}
    await desk.store["organizations"].update_one({"_id": desk.customer.organization_id}, wanted)
    job = await desk.settled(await desk.accept(list_of(2500)), "killed")
    await store_chunk(desk.store, await desk.chunk(job), "ingest-0", "killed", utc_now())
    late = await desk.chunk(await find_job(desk.store, job.id))
    cancelled = await cancel(desk, job)
    assert (cancelled.state, cancelled.failed) == (JobState.CANCELLED, Failed(JobFailure.CANCELLED))
    assert (cancelled.counts, cancelled.finished_at is not None) == (JobCounts(inserted=1000), True)
    assert await cancel(desk, job) == cancelled, "once is enough"
    # The worker whose chunk was ready, one that is told of the import again, and one that fails it.
    with pytest.raises(JobMoved):
        await store_chunk(desk.store, late, "ingest-0", "killed", utc_now())
    with pytest.raises(JobMoved):
        await fail_job(desk.store, late.job, Failed(JobFailure.OUR_FAULT), "killed", utc_now())
    await jobs._in_turn(job.id)
    assert await jobs_to_tell(desk.store, utc_now() + timedelta(seconds=60)) == []
    assert await find_job(desk.store, job.id) == cancelled
    assert (len(await desk.contacts()), await desk.imports()) == (1000, 0)
    shown = (await get_campaign(desk.store, job.organization_id, job.campaign_id)).shown(utc_now())
    assert shown.state is CampaignState.RUNNING
    [told] = await desk.store["facts_in"].find({"organization_id": job.organization_id}).to_list()
    counts = {"rows": 1000, "accepted": 1000, "refused": 0}
    assert told["facts"] == {"job_id": job.id, "state": "cancelled", **counts, "reason": "cancelled"}
    page = await read_log(desk.store, job.organization_id, job.campaign_id, cursor=None, limit=10)
    [entry] = [entry for entry in page.rows if entry.event is LogEvent.IMPORT_CANCELLED]
    assert (entry.reason, entry.by, entry.facts) == ("cancelled", BY_KEY, {"import_id": job.id, **counts})


async def test_an_import_whose_turn_has_not_come_is_cancelled_and_its_campaign_does_not_fail(
    desk: Desk, jobs: Jobs
) -> None:
    job = await desk.accept(list_of(3), fails_campaign=True)
    cancelled = await cancel(desk, job)
    await jobs._in_turn(job.id)
    assert await find_job(desk.store, job.id) == cancelled
    assert (await desk.contacts(), await desk.imports(), cancelled.counts.rows) == ([], 0, 0)
    shown = (await get_campaign(desk.store, job.organization_id, job.campaign_id)).shown(utc_now())
    assert shown.state is CampaignState.RUNNING


async def test_an_import_that_is_at_work_is_cancelled_and_says_how_many_rows_were_taken(desk: Desk, jobs: Jobs) -> None:
    job = await desk.accept(list_of(30_000))
    jobs.begin(job.id)

    async def has_begun() -> bool:
        return (await find_job(desk.store, job.id)).counts.rows > 0

    await eventually(has_begun, timeout=20, saying="rows are stored")
    cancelled = await cancel(desk, job)
    assert 0 < cancelled.counts.rows < 30_000

    async def is_left() -> bool:
        return not jobs._told

    await eventually(is_left, timeout=20, saying="the worker has left it")
    assert await find_job(desk.store, job.id) == cancelled
    assert (len(await desk.contacts()), await desk.imports()) == (cancelled.counts.inserted, 0)


async def test_whether_the_last_chunk_or_the_cancellation_comes_first_is_decided_once(desk: Desk) -> None:
    wanted = {"$set": {"fact_types": [FactType.IMPORT_DONE]}}
    await desk.store["organizations"].update_one({"_id": desk.customer.organization_id}, wanted)
    for number in range(8):
        job = await desk.settled(await desk.accept(f"phone\n+1415200{number:04d}\n"), "w")
        steps = [store_chunk(desk.store, await desk.chunk(job), "ingest-0", "w", utc_now()), cancel(desk, job)]
        before = len(await desk.contacts())
        stored, cancelled = await asyncio.gather(*(steps if number % 2 else reversed(steps)), return_exceptions=True)
        if not number % 2:
            stored, cancelled = cancelled, stored
        ended = await find_job(desk.store, job.id)
        if ended.state is JobState.DONE:
            assert isinstance(cancelled, Conflict)
            assert (stored, cancelled.clash) == (1, Clash.IMPORT_OVER)
        else:
            assert (type(stored), cancelled) == (JobMoved, ended)
        assert len(await desk.contacts()) - before == ended.counts.inserted == (ended.state is JobState.DONE)
        told = await desk.store["facts_in"].find({"facts.job_id": job.id}).to_list()
        assert [fact["facts"]["state"] for fact in told] == [ended.state]
    assert await desk.imports() == 0


async def test_only_an_import_of_the_organization_is_cancelled(desk: Desk) -> None:
    job = await desk.accept(list_of(2))
    with pytest.raises(NotFound):
        await cancel_import(desk.store, str(uuid.uuid4()), job.id, BY_KEY, utc_now())
    await desk.store["jobs"].update_one({"_id": job.id}, {"$set": {"kind": JobKind.REDIAL.value}})
    with pytest.raises(NotFound):
        await cancel(desk, job)
    assert (await find_job(desk.store, job.id)).state is JobState.RUNNING
