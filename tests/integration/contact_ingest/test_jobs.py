"""Imports and redials as jobs of contact-ingest: rows in, rows refused, failures; nothing twice, nothing lost."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.contact_ingest.csv_files import chunks_of
from services.contact_ingest.jobs import Jobs
from shared.clock import utc_now
from shared.domain.campaign import CampaignMove, CampaignState
from shared.domain.campaign_log import LogEvent
from shared.domain.csv_columns import Columns
from shared.domain.csv_people import read_people
from shared.domain.csv_text import CsvFlaw
from shared.domain.facts import FactType
from shared.domain.jobs import Failed, JobCounts, JobFailure, JobState
from shared.errors import WrongState
from shared.events import JobWaiting
from shared.health import HealthServer
from shared.store.catalog.campaign_log import read_log
from shared.store.catalog.campaigns import get_campaign, move_campaign
from shared.store.catalog.do_not_call import add_numbers
from shared.store.catalog.file_contents import GridFSFiles
from shared.store.client import Document
from shared.store.contacts.following import edit_person
from shared.store.jobs.import_chunk import store_chunk
from shared.store.jobs.import_people import PeopleChunk, store_people
from shared.store.jobs.jobs import JobMoved, accept_job, fail_job, find_job, jobs_to_tell, refused_rows
from tests.integration.contact_ingest.desk import RULES, Desk, list_of


async def test_rows_become_contacts_and_refused_rows_say_why(desk: Desk, jobs: Jobs) -> None:
    await add_numbers(desk.store, desk.customer.organization_id, ["+14152000003"], None, utc_now())
    text = "Record ID;Phone;Name\nA;+14152000001;Ann\n;\nB;nonsense;Bob\nC;'+14152000003.0;Cy\n\nA;+14152000002;Ann\n"
    job = await desk.accept(text)
    assert await desk.imports() == 1
    jobs.begin(job.id)
    done = await desk.ended(job)
    assert done.counts == JobCounts(inserted=3, refused=1, passed_over=2, skipped=1)
    assert done.reading is not None
    assert (done.reading.total, done.reading.separator, done.state) == (6, ";", JobState.DONE)
    assert await desk.imports() == 0
    ann, cy = sorted(await desk.contacts(), key=lambda contact: str(contact["external_id"]))
    assert (ann["phone_numbers"], ann["data"], ann["status"]) == (["+14152000002"], {"Name": "Ann"}, "pending")
    assert (cy["external_id"], cy["status"]) == ("C", "skipped")
    [refused] = [row async for row in refused_rows(desk.store, job.organization_id, job.id)]
    assert (refused.row, refused.field) == (4, "phone_numbers[0]")


async def test_a_second_list_changes_those_who_are_there(desk: Desk, jobs: Jobs) -> None:
    for city in ("Rome", "Oslo"):
        job = await desk.accept(f"id,phone,city\nA,+14152000001,{city}\n")
        jobs.begin(job.id)
        done = await desk.ended(job)
    assert done.counts == JobCounts(updated=1)
    [contact] = await desk.contacts()
    assert contact["data"] == {"city": "Oslo"}


NO_LISTS = (
    (b"", Failed(CsvFlaw.EMPTY)),
    (b"phone,name\n", Failed(CsvFlaw.NO_ROWS)),
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", Failed(CsvFlaw.NUL, 3)),
    (b"name,city\na,b\n", Failed(CsvFlaw.NO_PHONE_COLUMN, 1)),
    (list_of(2500).encode() + b'+14152009999,"open\n', Failed(CsvFlaw.UNCLOSED_QUOTE, 2502)),
    (b"phone,note\n+14152000001," + b"x" * (10 * 1024 * 1024) + b"\n", Failed(CsvFlaw.CELL_TOO_LARGE, 2)),
    (b"phone" + b",x" * 2000 + b"\n+14152000001\n", Failed(CsvFlaw.TOO_MANY_COLUMNS, 1)),
)


async def test_what_is_no_list_fails_the_job_and_stores_nothing(desk: Desk, jobs: Jobs) -> None:
    for data, failed in NO_LISTS:
        job = await desk.accept(data)
        jobs.begin(job.id)
        done = await desk.ended(job)
        assert (done.state, done.failed) == (JobState.FAILED, failed)
    assert (await desk.contacts(), await desk.imports()) == ([], 0)


async def test_a_failed_import_fails_its_campaign_where_that_was_asked(desk: Desk, jobs: Jobs) -> None:
    job = await desk.accept("nothing\nhere\n", fails_campaign=True)
    jobs.begin(job.id)
    await desk.ended(job)
    shown = (await get_campaign(desk.store, job.organization_id, job.campaign_id)).shown(utc_now())
    assert (shown.state, shown.reason) == (CampaignState.FAILED, "source_sync_failed")


async def test_an_import_into_a_campaign_that_is_closed_meanwhile_fails(desk: Desk, jobs: Jobs) -> None:
    job = await desk.accept(list_of(3))
    await move_campaign(desk.store, job.organization_id, job.campaign_id, CampaignMove.CANCEL, utc_now())
    jobs.begin(job.id)
    assert (await desk.ended(job)).failed == Failed(JobFailure.CAMPAIGN_OVER)
    assert await desk.contacts() == []


async def test_the_end_of_an_import_is_told_and_logged(desk: Desk, jobs: Jobs) -> None:
    organization_id = desk.customer.organization_id
    wanted = {"$set": {"fact_types": [FactType.IMPORT_DONE]}}
    await desk.store["organizations"].update_one({"_id": organization_id}, wanted)
    good, bad = await desk.accept(list_of(1001) + "nonsense,Bob\n"), await desk.accept(b"phone,name\n")
    for job in (good, bad):
        jobs.begin(job.id)
        await desk.ended(job)
    told = await desk.store["facts_in"].find({"organization_id": organization_id}).sort("at").to_list()
    assert [(fact["type"], fact["campaign_id"]) for fact in told] == [("import.done", desk.customer.campaign_id)] * 2
    by_job = {fact["facts"].pop("job_id"): fact["facts"] for fact in told}
    assert by_job == {
        good.id: {"state": "done", "rows": 1002, "accepted": 1001, "refused": 1},
        bad.id: {"state": "failed", "rows": 0, "accepted": 0, "refused": 0, "reason": "no rows"},
    }
    page = await read_log(desk.store, organization_id, desk.customer.campaign_id, cursor=None, limit=10)
    logged = {(entry.event, entry.reason, entry.facts["import_id"]) for entry in page.rows if "import" in entry.event}
    assert logged == {
        (LogEvent.IMPORT_STARTED, None, good.id),
        (LogEvent.IMPORT_DONE, None, good.id),
        (LogEvent.IMPORT_STARTED, None, bad.id),
        (LogEvent.IMPORT_FAILED, "no rows", bad.id),
    }


async def test_a_message_begins_the_job(desk: Desk, ingest: HealthServer, jobs: Jobs) -> None:
    job = await desk.accept(list_of(2500))
    await jobs.producer.publish_work([JobWaiting(organization_id=job.organization_id, job_id=job.id)])
    done = await desk.ended(job)
    assert done.counts == JobCounts(inserted=2500)
    assert [contact["data"]["Name"] for contact in await desk.contacts()] == [f"N{row}" for row in range(2500)]


# The traces of S8, by the names of the model's violations.


async def test_rows_then_position(desk: Desk, jobs: Jobs) -> None:
    """A worker that is killed before its chunk is committed, or after: each row is stored once."""
    job = await desk.settled(await desk.accept(list_of(2500)), "killed")
    await store_chunk(desk.store, await desk.chunk(job), "ingest-0", "killed", utc_now())
    moved = await find_job(desk.store, job.id)
    assert (moved.position.row, moved.counts.inserted, len(await desk.contacts())) == (1001, 1000, 1000)
    # Ready to be stored by the one that was killed, and never stored by it.
    late = await desk.chunk(moved)
    jobs.begin(job.id)
    done = await desk.ended(job)
    assert (done.counts, len(await desk.contacts())) == (JobCounts(inserted=2500), 2500)
    with pytest.raises(JobMoved):
        await store_chunk(desk.store, late, "ingest-0", "killed", utc_now())
    assert (len(await desk.contacts()), await desk.imports()) == (2500, 0)


async def test_reset_outside(desk: Desk, jobs: Jobs) -> None:
    """What a chunk asks of those who are there is asked in its transaction: a worker that wakes asks nothing again."""
    first = await desk.accept("id,phone,city\nA,+14152000001,Rome\n")
    jobs.begin(first.id)
    await desk.ended(first)
    ended = {"status": "error", "ended_because": "no_agent"}
    await desk.store["contacts"].update_one({"campaign_id": first.campaign_id}, {"$set": ended})
    job = await desk.settled(await desk.accept("id,phone,city\nA,+14152000001,Oslo\n"), "frozen")
    frozen = await desk.chunk(job)
    jobs.begin(job.id)
    await desk.ended(job)
    [contact] = await desk.contacts()
    assert (contact["data"]["city"], contact["asked"]["kind"]) == ("Oslo", "again")
    # Carried out since, and changed by its customer: the frozen worker wakes and must undo neither.
    carried_out = {"$set": {"data": {"city": "Bern"}, "status": "error"}, "$unset": {"asked": ""}}
    await desk.store["contacts"].update_one({"_id": contact["_id"]}, carried_out)
    with pytest.raises(JobMoved):
        await store_chunk(desk.store, frozen, "ingest-0", "frozen", utc_now())
    [contact] = await desk.contacts()
    assert (contact["data"]["city"], "asked" in contact) == ("Bern", False)


async def test_the_only_message_is_lost(desk: Desk) -> None:
    """A job that has not moved for 10 s is told again, by one process, and again after 10 s more."""
    job = await desk.accept(list_of(2))
    begun = job.created_at
    assert await jobs_to_tell(desk.store, begun + timedelta(seconds=9)) == []
    at = begun + timedelta(seconds=11)
    told = await asyncio.gather(*(jobs_to_tell(desk.store, at) for _ in range(3)))
    assert [each.id for one in told for each in one] == [job.id]
    assert await jobs_to_tell(desk.store, at + timedelta(seconds=5)) == []
    assert [each.id for each in await jobs_to_tell(desk.store, at + timedelta(seconds=11))] == [job.id]
    await fail_job(desk.store, await find_job(desk.store, job.id), Failed(JobFailure.OUR_FAULT), "w", utc_now())
    assert await jobs_to_tell(desk.store, at + timedelta(seconds=60)) == []


async def test_two_workers_at_one_job_store_each_row_once(desk: Desk, jobs: Jobs) -> None:
    job = await desk.accept(list_of(3500))
    other = replace(jobs, worker="other", source="ingest-2", _told={}, _turns=asyncio.Semaphore(1))
    jobs.begin(job.id)
    other.begin(job.id)
    assert (await desk.ended(job)).counts == JobCounts(inserted=3500)
    await other.stop()
    assert len(await desk.contacts()) == 3500


async def test_an_import_is_accepted_once_and_not_into_a_closed_campaign(desk: Desk) -> None:
    job = await desk.accept(list_of(2))
    assert (await accept_job(desk.store, job, utc_now())).id == job.id
    assert await desk.imports() == 1
    await move_campaign(desk.store, job.organization_id, job.campaign_id, CampaignMove.CANCEL, utc_now())
    with pytest.raises(WrongState):
        await desk.accept(list_of(2))
    assert await desk.imports() == 1


async def test_a_campaign_does_not_complete_beside_an_import(desk: Desk, jobs: Jobs) -> None:
    job = await desk.accept(list_of(2))
    shown = (await get_campaign(desk.store, job.organization_id, job.campaign_id)).shown(utc_now())
    assert shown.state is CampaignState.SYNCING
    jobs.begin(job.id)
    await desk.ended(job)
    shown = (await get_campaign(desk.store, job.organization_id, job.campaign_id)).shown(utc_now())
    assert shown.state is CampaignState.RUNNING


# Imports of people.


async def _people(desk: Desk) -> dict[str, Document]:
    found = desk.store["people"].find({"organization_id": desk.customer.organization_id})
    return {person["phone"]: person async for person in found}


async def test_rows_become_people_who_are_enrolled(desk: Desk, jobs: Jobs) -> None:
    """Each is found by its phone or made; one who is there already stays as it is in the campaign."""
    await add_numbers(desk.store, desk.customer.organization_id, ["+14152000003"], None, utc_now())
    first = await desk.accept("phone,first_name,Plan\n+14152000001,Ann,pro\n+14152000002,Bob,\n", people=True)
    jobs.begin(first.id)
    assert (await desk.ended(first)).counts == JobCounts(inserted=2)
    bob = (await _people(desk))["+14152000002"]
    await edit_person(
        desk.store,
        desk.customer.organization_id,
        bob["_id"],
        {"inactive": True},
        source="api-0",
        now=utc_now(),
    )
    text = "phone,last_name\n+14152000001,Lee\n+14152000003,Cy\nnonsense,Dan\n+14152000003,Cyd\n,\n+14152000002,Ray\n"
    second = await desk.accept(text, people=True)
    jobs.begin(second.id)
    assert (await desk.ended(second)).counts == JobCounts(inserted=1, duplicates=3, refused=1, passed_over=1, skipped=1)
    people = await _people(desk)
    ann, cy = people["+14152000001"], people["+14152000003"]
    assert (ann["first_name"], ann["last_name"], ann["custom_fields"]) == ("Ann", "Lee", {"Plan": "pro"})
    assert cy["last_name"] == "Cyd", "the later row counts"
    contacts = {contact["person_id"]: contact for contact in await desk.contacts()}
    assert contacts.keys() == {person["_id"] for person in people.values()}
    assert contacts[ann["_id"]]["data"] == {"Plan": "pro", "first_name": "Ann", "last_name": "Lee"}
    assert (contacts[cy["_id"]]["status"], contacts[cy["_id"]]["ended_because"]) == ("skipped", "do_not_call")
    [refused] = [row async for row in refused_rows(desk.store, second.organization_id, second.id)]
    assert (refused.row, refused.field) == (4, "phone")
    assert await desk.imports() == 0


async def test_a_frozen_worker_of_an_import_of_people_changes_nothing(desk: Desk, jobs: Jobs) -> None:
    """reset_outside, of people: what was edited since stays, and nobody is counted twice."""
    job = await desk.accept("phone,first_name\n+14152000001,Ann\n", people=True)
    settled = await desk.settled(job, "frozen")
    assert settled.order is not None
    assert settled.reading is not None
    key = settled.order.file_key
    chunks = chunks_of(
        lambda: GridFSFiles(desk.store).read(job.organization_id, key), settled.reading, settled.position
    )
    chunk = await anext(chunks)
    await chunks.aclose()
    columns = Columns(settled.reading.names, settled.reading.fields)
    frozen = PeopleChunk(settled, read_people(chunk.records, columns, RULES), chunk.to, chunk.last)
    jobs.begin(job.id)
    done = await desk.ended(job)
    ann = (await _people(desk))["+14152000001"]
    values = {"first_name": "Anna"}
    await edit_person(desk.store, job.organization_id, ann["_id"], values, source="api-0", now=utc_now())
    with pytest.raises(JobMoved):
        await store_people(desk.store, frozen, "ingest-2", "frozen", utc_now())
    assert (await _people(desk))["+14152000001"]["first_name"] == "Anna"
    assert (await find_job(desk.store, job.id)).counts == done.counts == JobCounts(inserted=1)


async def test_people_of_no_campaign_come_into_the_contact_book_alone(desk: Desk, jobs: Jobs) -> None:
    job = await desk.accept("phone,first_name\n4152000001,Ann\n+14152000001,Anna\n", people=True, of_campaign=False)
    jobs.begin(job.id)
    assert (await desk.ended(job)).counts == JobCounts(inserted=1, updated=1)
    assert (await _people(desk))["+14152000001"]["first_name"] == "Anna"
    assert await desk.store["contacts"].count_documents({}) == 0
