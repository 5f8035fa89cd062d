"""`ingest`: contacts a second from Kafka into MongoDB by contact-ingest, against a bare insert in the same run."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from rich.console import Console

from deploy.local.servers import Addresses
from shared.clock import monotonic
from shared.store.client import Document, Store
from shared.store.reports.counters import campaign_counts
from shared.topics import CONTACT_BATCHES
from tests.bench.batches import ROWS, Order, insert_batch, message, new_credential, send, stored, target
from tests.bench.figures import Figures, median, spread
from tests.bench.progress import until_stored, warm_up_ingest
from tests.bench.stage import BenchFailed, CpuClock, Stage, new_stage, running_members
from tests.factories import add_campaign, add_configuration, add_organization

DEADLINE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Variant:
    """What comes in, and how many processes take it."""

    campaigns: int
    processes: int = 1
    mixed: bool = False

    def __str__(self) -> str:
        named = f"{self.campaigns} campaign{'s' if self.campaigns > 1 else ''}"
        named += ", ten countries and zones" if self.mixed else ""
        return named + (f", {self.processes} processes" if self.processes > 1 else "")


VARIANTS = (Variant(1), Variant(4), Variant(4, processes=2), Variant(1, mixed=True))


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

    def cpu_us(self, process: str) -> float:
        """CPU microseconds a contact, of all processes whose name begins so."""
        seconds = sum(used for name, used in self.cpu_seconds.items() if name.startswith(process))
        return seconds / self.contacts * 1e6


async def measure_ingest(addresses: Addresses, console: Console, *, batches: int, rounds: int) -> Figures:
    """Interleaved rounds of ours and bare, for each variant."""
    figures = Figures(
        f"ingest: {batches} messages of {ROWS:,} contacts, {rounds} rounds",
        ("", "contacts/s", "ours / bare", "ingest µs", "mongod µs"),
    )
    for variant in VARIANTS:
        ours: list[Run] = []
        bare: list[Run] = []
        for number in range(rounds):
            ours.append(await _once(addresses, _ingest, batches, variant))
            bare.append(await _once(addresses, _insert, batches, variant))
            console.print(
                f"  ingest {number + 1}/{rounds} {variant}: ours {ours[-1].contacts_per_second:,.0f}, "
                f"bare {bare[-1].contacts_per_second:,.0f} contacts/s",
                style="dim",
            )
        _add_rows(figures, variant, ours, bare)
    figures.notes.append(
        "bare: the same documents made ready, insert_many of 1,000 with counters, one transaction each."
    )
    figures.notes.append(
        "A campaign's messages stay in order on one partition, so campaigns are what runs side by side."
    )
    return figures


def _add_rows(figures: Figures, variant: Variant, ours: Sequence[Run], bare: Sequence[Run]) -> None:
    ratios = [a.contacts_per_second / b.contacts_per_second for a, b in zip(ours, bare, strict=True)]
    for name, runs, shown in (("ours", ours, spread(ratios, "{:.2f}")), ("bare", bare, "")):
        rates = [run.contacts_per_second for run in runs]
        cpu = {process: median([run.cpu_us(process) for run in runs]) for process in ("ingest", "mongod")}
        label = f"{name}, {variant}"
        figures.rows.append((label, spread(rates), shown, f"{cpu['ingest']:.0f}", f"{cpu['mongod']:.0f}"))
        figures.values[label] = {"contacts_per_second": rates, "cpu_us_per_contact": cpu}
    figures.values[f"ratio, {variant}"] = ratios


async def _once(
    addresses: Addresses, work: Callable[[Stage, Order, int], Awaitable[Run]], batches: int, variant: Variant
) -> Run:
    async with new_stage(addresses) as stage:
        store = stage.store
        organization = await add_organization(store)
        configuration = await add_configuration(store, organization)
        targets = [await add_campaign(store, organization, configuration) for _ in range(variant.campaigns)]
        order = Order(organization, targets, await new_credential(store, organization), batches, variant.mixed)
        run = await work(stage, order, variant.processes)
        await _check(store, order)
        return run


async def _ingest(stage: Stage, order: Order, processes: int) -> Run:
    """Ours: messages through Kafka, contact-ingest as so many processes."""
    producer = AIOKafkaProducer(
        bootstrap_servers=stage.addresses.kafka, max_request_size=CONTACT_BATCHES.max_message_bytes
    )
    await producer.start()
    messages = [message(order, number) for number in range(order.batches)]
    try:
        settings: dict[str, Any] = {}
        wanted = [(f"ingest {number}", "services.contact_ingest", settings) for number in range(processes)]
        async with running_members(stage, *wanted) as members:
            await warm_up_ingest(stage, order, producer, members)
            cpu, started = CpuClock(stage, members), monotonic()
            await asyncio.gather(*(send(producer, stage, *one) for one in messages))
            await until_stored(stage, 1 + order.batches, members, DEADLINE_SECONDS)
            seconds, used = monotonic() - started, cpu.used()
    finally:
        await producer.stop()
    return Run(order.batches * ROWS, seconds, used)


async def _insert(stage: Stage, order: Order, _: int) -> Run:
    """Bare: one writer for each campaign, one transaction for each 1,000 documents."""
    parts = [(target(order, n), [stored(order, n, row) for row in range(ROWS)]) for n in range(order.batches)]

    async def write(campaign: Document) -> None:
        for its_campaign, documents in parts:
            if its_campaign is campaign:
                await insert_batch(stage.store, campaign, documents)

    cpu, started = CpuClock(stage, ()), monotonic()
    await asyncio.gather(*(write(campaign) for campaign in order.campaigns))
    return Run(order.batches * ROWS, monotonic() - started, cpu.used())


async def _check(store: Store, order: Order) -> None:
    for number, campaign in enumerate(order.campaigns):
        expected = ROWS * len(range(number, order.batches, len(order.campaigns)))
        found = await store["contacts"].count_documents({"campaign_id": campaign["_id"], "status": "pending"})
        counted = (await campaign_counts(store, campaign["_id"])).pending
        if not found == counted == expected:
            raise BenchFailed(f"{found} contacts stored and {counted} counted of {expected}")
