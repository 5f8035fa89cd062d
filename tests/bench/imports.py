"""`imports`: contacts a second from a CSV file, against the same rows through Kafka in the same run, and its memory."""

import csv
import io
import uuid
from collections.abc import AsyncIterator, Sequence

import psutil
from aiokafka import AIOKafkaProducer
from rich.console import Console

from deploy.local.servers import Addresses
from shared.bus.producer import Producer
from shared.clock import monotonic, utc_now
from shared.domain.jobs import ImportOrder, Job, JobKind, JobState, new_job
from shared.domain.stored_files import file_key
from shared.events import JobWaiting
from shared.store.catalog.file_contents import GridFSFiles
from shared.store.catalog.files import register_file
from shared.store.client import Document, Store
from shared.store.jobs.jobs import accept_job, find_job
from shared.topics import CONTACT_BATCHES
from tests.bench.batches import ROWS, Order, message, new_credential, row_of, send
from tests.bench.figures import Figures, spread
from tests.bench.progress import until_stored, warm_up_ingest
from tests.bench.stage import BenchFailed, Member, Stage, new_stage, running_members, until
from tests.factories import add_campaign, add_configuration, add_organization

DEADLINE_SECONDS = 1800.0
LOOK_SECONDS = 0.05
MEBIBYTE = 1024 * 1024


async def measure_imports(addresses: Addresses, console: Console, *, rows: int, rounds: int) -> Figures:
    """Interleaved rounds: rows of a file, and the same through Kafka, each by one contact-ingest into one campaign."""
    figures = Figures(f"imports: {rows:,} rows, {rounds} rounds", ("", "contacts/s", "file / Kafka", "memory, MiB"))
    from_file: list[float] = []
    from_kafka: list[float] = []
    grown: list[float] = []
    for number in range(rounds):
        rate, memory = await _from_file(addresses, rows)
        from_file.append(rate)
        grown.append(memory)
        from_kafka.append(await _from_kafka(addresses, rows))
        console.print(
            f"  imports {number + 1}/{rounds}: file {rate:,.0f}, Kafka {from_kafka[-1]:,.0f} contacts/s, "
            f"memory grew by {memory:.0f} MiB",
            style="dim",
        )
    ratios = [ours / other for ours, other in zip(from_file, from_kafka, strict=True)]
    figures.rows.append(("file", spread(from_file), spread(ratios, "{:.2f}"), spread(grown)))
    figures.rows.append(("Kafka", spread(from_kafka), "", ""))
    figures.values["contacts_per_second"] = {"file": from_file, "kafka": from_kafka}
    figures.values["memory_growth_mib"] = grown
    figures.notes.append("memory: the most that contact-ingest had, less what it had after the first 10,000 rows.")
    return figures


async def _order(stage: Stage, rows: int) -> Order:
    organization = await add_organization(stage.store)
    campaign = await add_campaign(stage.store, organization, await add_configuration(stage.store, organization))
    return Order(organization, [campaign], await new_credential(stage.store, organization), rows // ROWS)


async def _from_kafka(addresses: Addresses, rows: int) -> float:
    async with new_stage(addresses) as stage:
        order = await _order(stage, rows)
        producer = AIOKafkaProducer(
            bootstrap_servers=stage.addresses.kafka, max_request_size=CONTACT_BATCHES.max_message_bytes
        )
        await producer.start()
        try:
            async with running_members(stage, ("ingest", "services.contact_ingest", {})) as members:
                await warm_up_ingest(stage, order, producer, members)
                started = monotonic()
                for number in range(order.batches):
                    await send(producer, stage, *message(order, number))
                await until_stored(stage, 1 + order.batches, members, DEADLINE_SECONDS, every=LOOK_SECONDS)
                return order.batches * ROWS / (monotonic() - started)
        finally:
            await producer.stop()


async def _from_file(addresses: Addresses, rows: int) -> tuple[float, float]:
    """Contacts a second, from the message to the end of the job, and by how many MiB memory grew."""
    async with new_stage(addresses) as stage:
        order = await _order(stage, rows)
        producer = Producer(stage.kafka_settings)
        await producer.start()
        try:
            async with running_members(stage, ("ingest", "services.contact_ingest", {})) as members:
                # The process has compiled what it needs, and holds what it keeps.
                await _done(stage, producer, members, await _job(stage.store, order, 0, 10))
                process = psutil.Process(members[0].process.pid)
                job = await _job(stage.store, order, 10, order.batches)
                before, started = process.memory_info().rss, monotonic()
                most = await _done(stage, producer, members, job)
                seconds = monotonic() - started
        finally:
            await producer.stop()
        found = await stage.store["contacts"].count_documents({"campaign_id": order.campaigns[0]["_id"]})
        if found != (10 + order.batches) * ROWS:
            raise BenchFailed(f"{found} contacts of {(10 + order.batches) * ROWS}")
        return order.batches * ROWS / seconds, (most - before) / MEBIBYTE


async def _job(store: Store, order: Order, first: int, batches: int) -> Job:
    """An accepted import of rows like those of so many messages."""
    organization, campaign = order.organization, order.campaigns[0]
    key = file_key(organization["_id"], str(uuid.uuid4()), "people.csv")
    now = utc_now()
    await register_file(store, key, name="people.csv", content_type="text/csv", now=now)
    await GridFSFiles(store).put(organization["_id"], str(key), _file(first, batches))
    job = new_job(
        JobKind.IMPORT,
        organization["_id"],
        campaign["shard"],
        campaign["_id"],
        now,
        order=ImportOrder(str(key), "people.csv"),
    )
    return await accept_job(store, job, now)


async def _file(first: int, batches: int) -> AsyncIterator[bytes]:
    names: Sequence[str] = ()
    for number in range(first, first + batches):
        text = io.StringIO(newline="")
        lines = csv.writer(text)
        for row in range(ROWS):
            values = _flat(row_of(number, row))
            if not names:
                names = list(values)
                lines.writerow(names)
            lines.writerow(values.values())
        yield text.getvalue().encode()


def _flat(contact: Document) -> Document:
    return {
        "external_id": contact["external_id"],
        "phone": contact["phone_numbers"][0],
        "timezone": contact["timezone"],
        **contact["data"],
    }


async def _done(stage: Stage, producer: Producer, members: Sequence[Member], job: Job) -> int:
    """Have the job done; the most bytes of memory that contact-ingest had meanwhile."""
    process, most = psutil.Process(members[0].process.pid), 0

    async def done() -> bool:
        nonlocal most
        most = max(most, process.memory_info().rss)
        state = (await find_job(stage.store, job.id)).state
        if state is JobState.FAILED:
            raise BenchFailed("the import has failed")
        return state is JobState.DONE

    async def far() -> str:
        return f"{(await find_job(stage.store, job.id)).counts}"

    await producer.publish_work([JobWaiting(organization_id=job.organization_id, job_id=job.id)])
    await until(done, members, DEADLINE_SECONDS, far, every=LOOK_SECONDS)
    return most
