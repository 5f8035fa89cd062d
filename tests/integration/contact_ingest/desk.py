"""A customer's lists as jobs of contact-ingest: handed in, looked at, and cut into chunks by hand."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from services.contact_ingest.csv_files import chunks_of, survey
from shared.clock import utc_now
from shared.domain.contact_input import NumberRules
from shared.domain.csv_columns import Columns
from shared.domain.csv_contacts import Layout, read_records
from shared.domain.ids import default_campaign_id
from shared.domain.jobs import ImportOrder, Job, JobKind, JobState, new_job
from shared.domain.stored_files import file_key
from shared.store.catalog.campaigns import get_campaign
from shared.store.catalog.file_contents import GridFSFiles
from shared.store.catalog.files import register_file
from shared.store.client import Document, Store
from shared.store.jobs.import_chunk import ImportChunk
from shared.store.jobs.jobs import accept_job, find_job, settle_reading
from tests.eventually import eventually
from tests.integration.contact_ingest.customer import Customer

RULES = NumberRules("+1")


async def _bytes(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 50_000):
        yield data[start : start + 50_000]


@dataclass
class Desk:
    """Where a test hands in its lists."""

    customer: Customer
    store: Store

    async def accept(self, text: str | bytes, *, of_campaign: bool = True, **order: Any) -> Job:
        """An accepted import that nobody was told of."""
        data = text.encode() if isinstance(text, str) else text
        organization_id = self.customer.organization_id
        key = file_key(organization_id, str(uuid.uuid4()), "people.csv")
        now = utc_now()
        await register_file(self.store, key, name="people.csv", content_type="text/csv", now=now)
        await GridFSFiles(self.store).put(organization_id, str(key), _bytes(data))
        campaign = await get_campaign(self.store, organization_id, self.customer.campaign_id)
        wish = ImportOrder(str(key), "people.csv", **order)
        campaign_id = campaign.id if of_campaign else default_campaign_id(organization_id)
        job = new_job(JobKind.IMPORT, organization_id, campaign.shard, campaign_id, now, order=wish)
        return await accept_job(self.store, job, now)

    async def ended(self, job: Job) -> Job:
        """The job once it has ended."""

        async def look() -> bool:
            return (await find_job(self.store, job.id)).state is not JobState.RUNNING

        await eventually(look, timeout=30, saying="the job has ended")
        return await find_job(self.store, job.id)

    async def imports(self) -> int:
        """How many imports the campaign counts."""
        campaign = await get_campaign(self.store, self.customer.organization_id, self.customer.campaign_id)
        return campaign.course.imports

    async def contacts(self) -> list[Document]:
        """The campaign's contacts in their order."""
        found = self.store["contacts"].find({"campaign_id": self.customer.campaign_id})
        return await found.sort([("created_at", 1), ("seq", 1)]).to_list()

    async def chunk(self, job: Job) -> ImportChunk:
        """The job's next chunk, read by a worker that then may or may not store it."""
        assert job.order is not None
        assert job.reading is not None
        key = job.order.file_key
        chunks = chunks_of(lambda: GridFSFiles(self.store).read(job.organization_id, key), job.reading, job.position)
        read = await anext(chunks)
        await chunks.aclose()
        columns = Columns(job.reading.names, job.reading.fields)
        return ImportChunk(job, read_records(read.records, columns, Layout(), RULES), read.to, read.last)

    async def settled(self, job: Job, worker: str) -> Job:
        """The job with its reading decided."""
        assert job.order is not None
        order = job.order
        reading = await survey(lambda: GridFSFiles(self.store).read(job.organization_id, order.file_key), order)
        return await settle_reading(self.store, job, reading, worker, utc_now())


def list_of(rows: int) -> str:
    """A list with so many rows."""
    return "Phone,Name\n" + "".join(f"+1415{2000000 + row},N{row}\n" for row in range(rows))
