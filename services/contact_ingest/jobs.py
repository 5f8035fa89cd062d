"""Does the jobs that messages speak of: each from where it stands, chunk by chunk, until it has ended or was moved.

A message says only that a job has work, and is over once it is read: a job that does not move is told again.
"""

import asyncio
import contextlib
import functools
import uuid
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from services.contact_ingest.csv_files import Chunk, Source, chunks_of, survey
from shared.bus.dead_letters import KafkaRecord
from shared.bus.messages import message_in, read_or_set_aside
from shared.bus.producer import Producer
from shared.cancelling import cancel
from shared.clock import utc_now
from shared.domain.contact_input import NumberRules
from shared.domain.csv_columns import Columns
from shared.domain.csv_contacts import read_records
from shared.domain.csv_people import read_people
from shared.domain.csv_text import BadCsv, CsvFlaw
from shared.domain.ids import is_default_campaign
from shared.domain.jobs import Failed, Job, JobFailure, JobKind, JobState
from shared.domain.stored_files import FileStore
from shared.errors import Kind, NotFound, PermanentError, TemporaryError, WrongState
from shared.events import JOB_WAITING, CampaignChanged, ContactsAdded, JobWaiting
from shared.logs import get_logger
from shared.store.catalog.campaigns import get_campaign
from shared.store.catalog.configurations import get_configuration
from shared.store.catalog.organizations import get_organization
from shared.store.client import Store
from shared.store.jobs.import_chunk import ImportChunk, store_chunk
from shared.store.jobs.import_people import PeopleChunk, store_people
from shared.store.jobs.jobs import JobMoved, fail_job, find_job, jobs_to_tell, settle_reading
from shared.store.jobs.redial import copy_contacts
from shared.topics import JOBS

# Jobs that one process does at once; the others wait for their turn.
AT_ONCE: Final = 2
TELL_SECONDS: Final = 2.0
HINT_SECONDS: Final = 1.0
# Waits while a server is away; after the last one the job is left until it is told again.
WAITS: Final = (0.1, 0.3, 1.0, 3.0)
# An error nobody expected is tried so often before the job fails.
SURPRISES: Final = 3

_Chunk = ImportChunk | PeopleChunk


class UnreadableJob(PermanentError):
    """The bytes do not name a job."""


@dataclass(slots=True)
class Jobs:
    """The jobs of this process. `source` names the counter document that it adds to; `worker` is its own name."""

    store: Store
    producer: Producer
    files: FileStore
    source: str
    worker: str = field(default_factory=lambda: str(uuid.uuid4()))
    _told: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def on_records(self, records: Iterable[KafkaRecord]) -> None:
        """Begin the jobs that these records speak of; returns at once, and loses nothing by it."""
        for record in records:
            message = await read_or_set_aside(self.producer, JOBS, record, _read)
            if message is not None:
                self.begin(message.job_id)

    def begin(self, job_id: str) -> None:
        """Do this job in the background, unless that is being done."""
        if job_id not in self._told:
            task = asyncio.create_task(self._in_turn(job_id), name=f"job {job_id}")
            self._told[job_id] = task
            task.add_done_callback(lambda _: self._told.pop(job_id, None))

    async def tell(self) -> None:
        """Tell jobs again that do not move, until cancelled."""
        while True:
            try:
                stuck = await jobs_to_tell(self.store, utc_now())
                waiting = [JobWaiting(organization_id=job.organization_id, job_id=job.id) for job in stuck]
                await self.producer.publish_work(waiting)
            except TemporaryError as error:
                get_logger().warning("jobs are not told", reason=str(error))
            await asyncio.sleep(TELL_SECONDS)

    async def stop(self) -> None:
        """Leave all jobs where they stand."""
        tasks = list(self._told.values())
        for task in tasks:
            cancel(task)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _in_turn(self, job_id: str) -> None:
        async with self._turns:
            waits, surprises = iter(WAITS), 0
            while True:
                try:
                    return await self._do(job_id)
                except TemporaryError as error:
                    get_logger().warning("a job waits", job=job_id, reason=str(error))
                except NotFound:
                    return
                except Exception as error:  # noqa: BLE001 - tried again, then the job fails
                    surprises += 1
                    get_logger().error("an error nobody expected", job=job_id, exc_info=error)
                    if surprises == SURPRISES:
                        return await self._give_up(job_id)
                wait = next(waits, None)
                if wait is None:
                    return
                await asyncio.sleep(wait)

    async def _do(self, job_id: str) -> None:
        """Do the job from where it stands. One that another process has moved meanwhile is left to that process."""
        while True:
            job = await find_job(self.store, job_id)
            if job.state is not JobState.RUNNING:
                return
            try:
                return await (self._import(job) if job.kind is JobKind.IMPORT else self._redial(job))
            except JobMoved:
                if (await find_job(self.store, job_id)).worker != self.worker:
                    return
            except BadCsv as error:
                await self._fail(job_id, Failed(error.flaw, error.row, error.name))
            except NotFound as error:
                flaw = CsvFlaw.GONE if error.kind is Kind.FILE else JobFailure.CAMPAIGN_OVER
                await self._fail(job_id, Failed(flaw))
            except WrongState:
                await self._fail(job_id, Failed(JobFailure.CAMPAIGN_OVER))

    async def _give_up(self, job_id: str) -> None:
        with contextlib.suppress(TemporaryError):
            await self._fail(job_id, Failed(JobFailure.OUR_FAULT))

    async def _fail(self, job_id: str, failed: Failed) -> None:
        job = await find_job(self.store, job_id)
        if job.state is JobState.RUNNING:
            await fail_job(self.store, job, failed, self.worker, utc_now())
            await self._hint(job, ended=True)

    async def _import(self, job: Job) -> None:
        order = job.order
        assert order is not None
        source: Source = functools.partial(self.files.read, job.organization_id, order.file_key)
        if job.reading is None:
            reading = await survey(source, order)
            job = await settle_reading(self.store, job, reading, self.worker, utc_now())
        rules = await self._rules(job)
        async with contextlib.aclosing(self._chunks(source, job, rules)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, PeopleChunk):
                    await store_people(self.store, chunk, self.source, self.worker, utc_now())
                else:
                    await store_chunk(self.store, chunk, self.source, self.worker, utc_now())
                await self._hint(job, ended=chunk.last)

    async def _chunks(self, source: Source, job: Job, rules: NumberRules) -> AsyncGenerator[_Chunk, None]:
        """The job's chunks; while one is stored, the next is made ready."""
        reading, order = job.reading, job.order
        assert reading is not None
        assert order is not None
        columns = Columns(reading.names, reading.fields)
        position = job.position

        async def ready(chunk: Chunk) -> _Chunk:
            if order.people:
                people = await asyncio.to_thread(read_people, chunk.records, columns, rules)
                return PeopleChunk(job, people, chunk.to, chunk.last)
            read = await asyncio.to_thread(read_records, chunk.records, columns, order.layout, rules)
            return ImportChunk(job, read, chunk.to, chunk.last)

        async with contextlib.aclosing(chunks_of(source, reading, position)) as chunks:

            async def following() -> _Chunk | None:
                chunk = await anext(chunks, None)
                return None if chunk is None else await ready(chunk)

            coming = asyncio.create_task(following())
            try:
                while (chunk := await coming) is not None:
                    coming = asyncio.create_task(following())
                    yield replace(chunk, job=replace(job, position=position))
                    position = chunk.to
            finally:
                cancel(coming)
                await asyncio.gather(coming, return_exceptions=True)

    async def _rules(self, job: Job) -> NumberRules:
        refused = (await get_organization(self.store, job.organization_id)).refused_number_types
        if is_default_campaign(job.campaign_id):
            # The contact book has no configuration either, and reads numbers as campaigns do.
            of_people = job.order is not None and job.order.people
            return NumberRules(None, strict_e164=not of_people, refused_types=refused)
        campaign = await get_campaign(self.store, job.organization_id, job.campaign_id)
        configuration = await get_configuration(self.store, job.organization_id, campaign.configuration_id)
        return NumberRules(configuration.values["default_country_code"], refused_types=refused)

    async def _redial(self, job: Job) -> None:
        while job.state is JobState.RUNNING:
            job = await copy_contacts(self.store, job, self.source, self.worker, utc_now())
            await self._hint(job, ended=job.state is not JobState.RUNNING)

    async def _hint(self, job: Job, *, ended: bool) -> None:
        # The schedulers find the contacts without it, only later.
        kind = CampaignChanged if ended and not is_default_campaign(job.campaign_id) else ContactsAdded
        event = kind(organization_id=job.organization_id, shard=job.shard, campaign_id=job.campaign_id)
        await self.producer.publish_events([event], timeout_seconds=HINT_SECONDS)


def _read(record: KafkaRecord) -> JobWaiting:
    return message_in(record, JOB_WAITING, UnreadableJob)
