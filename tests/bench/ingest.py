"""`ingest`: contacts a second from Kafka into MongoDB by contact-ingest, against a bare insert in the same run."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from pymongo.asynchronous.client_session import AsyncClientSession
from rich.console import Console

from deploy.local.servers import Addresses
from shared.clock import monotonic, utc_now
from shared.store.api_keys import KeyKind, Scope, create_key
from shared.store.client import Document, Store
from shared.store.statistics import campaign_counts
from shared.topics import CONTACT_BATCHES, partition_for
from tests.bench.figures import Figures, median, spread
from tests.bench.stage import BenchFailed, CpuClock, Stage, new_stage, running_members, until
from tests.factories import add_campaign, add_configuration, add_organization, contact_document

ROWS = 1000
DEADLINE_SECONDS = 120.0
CAMPAIGNS = (1, 4)


@dataclass(frozen=True, slots=True)
class Run:
    """One run's figures."""

    contacts: int
    seconds: float
    cpu_seconds: dict[str, float]

    @property
    def contacts_per_second(self) -> float:
        """From the first message published (or insert begun) to the last contact in MongoDB."""
        return self.contacts / self.seconds


async def measure_ingest(addresses: Addresses, console: Console, *, batches: int, rounds: int) -> Figures:
    """Interleaved rounds of ours and bare, into one campaign and into several."""
    figures = Figures(
        f"ingest: {batches} messages of {ROWS:,} contacts, {rounds} rounds",
        ("", "contacts/s", "ours / bare", "ingest µs", "mongod µs"),
    )
    for campaigns in CAMPAIGNS:
        ours: list[Run] = []
        bare: list[Run] = []
        for number in range(rounds):
            ours.append(await _once(addresses, _ingest, batches, campaigns))
            bare.append(await _once(addresses, _insert, batches, campaigns))
            console.print(
                f"  ingest {number + 1}/{rounds} {campaigns} campaigns: ours {ours[-1].contacts_per_second:,.0f}, "
                f"bare {bare[-1].contacts_per_second:,.0f} contacts/s",
                style="dim",
            )
        _add_rows(figures, campaigns, ours, bare)
    figures.notes.append(
        "bare: the same documents made ready, insert_many of 1,000 with counters, one transaction each."
    )
    figures.notes.append(
        "A campaign's messages stay in order on one partition, so campaigns are what runs side by side."
    )
    return figures


def _add_rows(figures: Figures, campaigns: int, ours: Sequence[Run], bare: Sequence[Run]) -> None:
    ratios = [a.contacts_per_second / b.contacts_per_second for a, b in zip(ours, bare, strict=True)]
    for name, runs, shown in (("ours", ours, spread(ratios, "{:.2f}")), ("bare", bare, "")):
        rates = [run.contacts_per_second for run in runs]
        cpu = {
            process: median([run.cpu_seconds.get(process, 0.0) / run.contacts * 1e6 for run in runs])
            for process in ("ingest", "mongod")
        }
        label = f"{name}, {campaigns} campaign{'s' if campaigns > 1 else ''}"
        figures.rows.append((label, spread(rates), shown, f"{cpu['ingest']:.0f}", f"{cpu['mongod']:.0f}"))
        figures.values[label] = {"contacts_per_second": rates, "cpu_us_per_contact": cpu}
    figures.values[f"ratio, {campaigns}"] = ratios


@dataclass(frozen=True, slots=True)
class _Order:
    """An organization with its key and the campaigns that the batches go to in turn."""

    organization: Document
    campaigns: list[Document]
    credential: str
    batches: int


async def _once(
    addresses: Addresses, work: Callable[[Stage, _Order], Awaitable[Run]], batches: int, campaigns: int
) -> Run:
    async with new_stage(addresses) as stage:
        store = stage.store
        organization = await add_organization(store)
        configuration = await add_configuration(store, organization)
        targets = [await add_campaign(store, organization, configuration) for _ in range(campaigns)]
        _, credential = await create_key(
            store,
            kind=KeyKind.ORGANIZATION,
            name="bench",
            person=None,
            organization_ids=[organization["_id"]],
            scopes=[Scope.CAMPAIGNS_MANAGE],
            expires_at=None,
            now=utc_now(),
        )
        order = _Order(organization, targets, credential, batches)
        run = await work(stage, order)
        await _check(store, order)
        return run


async def _ingest(stage: Stage, order: _Order) -> Run:
    """Ours: messages through Kafka, contact-ingest as a process."""
    producer = AIOKafkaProducer(
        bootstrap_servers=stage.addresses.kafka, max_request_size=CONTACT_BATCHES.max_message_bytes
    )
    await producer.start()
    messages = [_message(order, number) for number in range(order.batches)]
    warm_up = await add_campaign(
        stage.store, order.organization, await add_configuration(stage.store, order.organization)
    )
    try:
        async with running_members(stage, ("ingest", "services.contact_ingest", {})) as members:

            async def how_many() -> int:
                return await stage.store["ingest_batches"].count_documents({"status": "done"})

            async def warm() -> bool:
                return await how_many() == 1

            async def done() -> bool:
                return await how_many() == 1 + order.batches

            async def far() -> str:
                return f"{await how_many()} of {1 + order.batches} batches are done"

            first = _Order(order.organization, [warm_up], order.credential, 1)
            await _send(producer, stage, *_message(first, -1))
            await until(warm, members, DEADLINE_SECONDS, far)
            cpu, started = CpuClock(stage, members), monotonic()
            await asyncio.gather(*(_send(producer, stage, *message) for message in messages))
            await until(done, members, DEADLINE_SECONDS, far)
            seconds, used = monotonic() - started, cpu.used()
    finally:
        await producer.stop()
    return Run(order.batches * ROWS, seconds, used)


async def _insert(stage: Stage, order: _Order) -> Run:
    """Bare: one writer for each campaign, one transaction for each 1,000 documents."""
    parts = [(_target(order, n), [_stored(order, n, row) for row in range(ROWS)]) for n in range(order.batches)]

    async def write(campaign: Document) -> None:
        for target, documents in parts:
            if target is campaign:
                await _insert_batch(stage.store, target, documents)

    cpu, started = CpuClock(stage, ()), monotonic()
    await asyncio.gather(*(write(campaign) for campaign in order.campaigns))
    return Run(order.batches * ROWS, monotonic() - started, cpu.used())


async def _insert_batch(store: Store, campaign: Document, documents: Sequence[Document]) -> None:
    async def work(session: AsyncClientSession) -> None:
        await store["contacts"].insert_many(documents, session=session)
        await store["ingest_batches"].insert_one({"_id": str(uuid.uuid4()), "inserted": ROWS}, session=session)
        await store["counters_in"].update_one(
            {"_id": f"{campaign['_id']}/bare"},
            {"$inc": {"added": ROWS}, "$addToSet": {"zones": None}, "$set": {"campaign_id": campaign["_id"]}},
            upsert=True,
            session=session,
        )

    await store.in_transaction(work)


async def _check(store: Store, order: _Order) -> None:
    for number, campaign in enumerate(order.campaigns):
        expected = ROWS * len(range(number, order.batches, len(order.campaigns)))
        stored = await store["contacts"].count_documents({"campaign_id": campaign["_id"], "status": "pending"})
        counted = (await campaign_counts(store, campaign["_id"])).pending
        if not stored == counted == expected:
            raise BenchFailed(f"{stored} contacts stored and {counted} counted of {expected}")


def _target(order: _Order, number: int) -> Document:
    return order.campaigns[number % len(order.campaigns)]


def _row(number: int, row: int) -> Document:
    place = (number + 1) * ROWS + row
    return {
        "external_id": f"crm-{place}",
        "phone_numbers": [f"+1415{2000000 + place:07d}"],
        "timezone": "America/New_York",
        "data": {"first_name": "Anna", "last_name": f"Lee {place}", "plan": "gold", "balance": 12.5},
    }


def _message(order: _Order, number: int) -> tuple[bytes, bytes]:
    campaign = _target(order, max(number, 0))
    batch = {
        "schema_version": 1,
        "batch_id": f"batch {number}",
        "organization_id": order.organization["_id"],
        "credential": order.credential,
        "campaign": campaign["_id"],
        "contacts": [_row(number, row) for row in range(ROWS)],
    }
    return f"{order.organization['_id']}/{campaign['_id']}".encode(), json.dumps(batch).encode()


def _stored(order: _Order, number: int, row: int) -> Document:
    campaign, fields = _target(order, number), _row(number, row)
    contact_id = str(uuid.uuid5(uuid.UUID(campaign["_id"]), fields["external_id"]))
    return contact_document(order.organization, campaign, row, _id=contact_id, **fields)


async def _send(producer: AIOKafkaProducer, stage: Stage, key: bytes, value: bytes) -> None:
    topic = stage.kafka_settings.topic_prefix + CONTACT_BATCHES.name
    await producer.send_and_wait(topic, value, key=key, partition=partition_for(CONTACT_BATCHES, key))
