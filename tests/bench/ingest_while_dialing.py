"""`ingest-while-dialing`: how long claims take while contacts stream into the campaign that is being dialed.

The bare loop dials with the same writes and Kafka hops and no rules, while the same documents are inserted beside
it, a transaction for each 1,000, as fast as contact-ingest has just been in the same round.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from rich.console import Console

from deploy.local.servers import Addresses
from shared.bus.producer import Producer
from shared.clock import monotonic
from shared.store.client import Document
from shared.topics import CONTACT_BATCHES
from tests.bench.batches import ROWS, Order, insert_batch, message, new_credential, send, stored
from tests.bench.crowd import check_paused_well, set_intent
from tests.bench.dialing import OUR_EXECUTOR, executor_settings
from tests.bench.figures import Figures, median, milliseconds, percentile, spread
from tests.bench.journal import Journal, Transaction, load_transactions
from tests.bench.progress import SELDOM, until_completed, until_nothing_held, until_stored, warm_up_ingest
from tests.bench.stage import BenchFailed, CpuClock, Member, Stage, new_stage, running_members
from tests.factories import add_campaign, add_configuration, add_contacts, add_organization

# Calls at once and their seconds, even between the two: 100 calls a second, each claimed soon after another's end.
SLOTS = 100
SHORTEST_CALL, LONGEST_CALL = 0.5, 1.5
# Due from the start, more than are called in one run.
CONTACTS = 30_000
# Completed before anything is measured, and how long is measured without ingest.
SETTLED = 5 * SLOTS
CALM_SECONDS = 15.0
DEADLINE_SECONDS = 180.0
PROCESSES = ("mongod", "scheduler", "executor", "ingest")


@dataclass(frozen=True, slots=True)
class Phase:
    """What happened in some seconds of a run: claims' seconds, seconds from a call's end to the next placement."""

    seconds: float
    claims: list[float]
    refills: list[float]
    cpu: dict[str, float]

    def p(self, share: float) -> float:
        """Seconds below which this share of the claims lies."""
        return percentile(self.claims, share)


@dataclass(frozen=True, slots=True)
class Run:
    """The same campaign without ingest and with it."""

    calm: Phase
    during: Phase


async def measure_ingest_while_dialing(addresses: Addresses, console: Console, *, batches: int, rounds: int) -> Figures:
    """Interleaved rounds of ours and bare."""
    ours: list[Run] = []
    bare: list[Run] = []
    for number in range(rounds):
        ours.append(await _once(addresses, _ours, batches, 0.0))
        bare.append(await _once(addresses, _bare, batches, ours[-1].during.seconds / batches))
        shown = [
            f"{milliseconds(run.calm.p(0.99))} -> {milliseconds(run.during.p(0.99))}" for run in (ours[-1], bare[-1])
        ]
        console.print(
            f"  ingest-while-dialing {number + 1}/{rounds}: claims' p99 ours {shown[0]} ms, bare {shown[1]} ms",
            style="dim",
        )
    return _figures(ours, bare, batches)


def _figures(ours: Sequence[Run], bare: Sequence[Run], batches: int) -> Figures:
    figures = Figures(
        f"ingest-while-dialing: {batches * ROWS:,} contacts into a campaign with {SLOTS} slots, {len(ours)} rounds",
        ("", "claims p50 ms", "claims p99 ms", "ours / bare p99", "end -> call p50 / p99 ms", "contacts/s"),
    )
    for phase in ("calm", "during"):
        mine, theirs = [getattr(run, phase) for run in ours], [getattr(run, phase) for run in bare]
        ratios = [a.p(0.99) / b.p(0.99) for a, b in zip(mine, theirs, strict=True)]
        for name, phases, ratio in (("ours", mine, spread(ratios, "{:.2f}")), ("bare", theirs, "")):
            label = f"{name}, {'without ingest' if phase == 'calm' else 'with it'}"
            rates = spread([batches * ROWS / one.seconds for one in phases]) if phase == "during" else ""
            figures.rows.append((label, *_row(phases, ratio), rates))
            figures.values[label] = _values(phases)
        figures.values[f"ratio, {phase}"] = ratios
    figures.notes.append("claims: transactions of the scheduler that locked contacts, begin to commit, exact times.")
    figures.notes.append("bare: the same documents inserted 1,000 at a time, spread evenly over the seconds ours took.")
    return figures


def _row(phases: Sequence[Phase], ratio: str) -> tuple[str, ...]:
    refills = [seconds for one in phases for seconds in one.refills]
    return (
        spread([one.p(0.5) * 1000 for one in phases], "{:.1f}"),
        spread([one.p(0.99) * 1000 for one in phases]),
        ratio,
        f"{milliseconds(percentile(refills, 0.5))} / {milliseconds(percentile(refills, 0.99))}",
    )


def _values(phases: Sequence[Phase]) -> dict[str, Any]:
    return {
        "claims": [len(one.claims) for one in phases],
        "p50_seconds": [one.p(0.5) for one in phases],
        "p99_seconds": [one.p(0.99) for one in phases],
        "longest_seconds": [max(one.claims) for one in phases],
        "end_to_placement_p99_seconds": [percentile(one.refills, 0.99) for one in phases],
        "cores": {name: median([one.cpu.get(name, 0.0) / one.seconds for one in phases]) for name in PROCESSES},
    }


@dataclass(frozen=True, slots=True)
class _Dialed:
    """A campaign that is dialed all the time, and the batches for it. `pace`: seconds for each, 0: no pause."""

    order: Order
    campaign: Document
    pace: float


_Marks = tuple[float, float, float, float, dict[str, float], dict[str, float]]


async def _once(
    addresses: Addresses, dial: Callable[[Stage, _Dialed, Producer], Awaitable[Run]], batches: int, pace: float
) -> Run:
    async with new_stage(addresses) as stage:
        organization = await add_organization(stage.store, concurrency_limit=SLOTS)
        configuration = await add_configuration(stage.store, organization)
        campaign = await add_campaign(stage.store, organization, configuration, intent="paused")
        await add_contacts(stage.store, organization, campaign, CONTACTS)
        order = Order(organization, [campaign], await new_credential(stage.store, organization), batches)
        producer = Producer(stage.kafka_settings)
        await producer.start(30)
        try:
            return await dial(stage, _Dialed(order, campaign, pace), producer)
        finally:
            await producer.stop()


async def _ours(stage: Stage, dialed: _Dialed, producer: Producer) -> Run:
    scheduler = {"telephony_provider": "scripted", "bench_journal": stage.folder / "times.json"}
    customer = AIOKafkaProducer(
        bootstrap_servers=stage.addresses.kafka, max_request_size=CONTACT_BATCHES.max_message_bytes
    )
    await customer.start()
    messages = [message(dialed.order, number) for number in range(dialed.order.batches)]

    async def ingest(members: Sequence[Member]) -> None:
        await asyncio.gather(*(send(customer, stage, *one) for one in messages))
        await until_stored(stage, 1 + dialed.order.batches, members, DEADLINE_SECONDS, every=SELDOM)

    try:
        async with running_members(
            stage,
            ("ingest", "services.contact_ingest", {}),
            ("executor", OUR_EXECUTOR, executor_settings(stage, SLOTS, SHORTEST_CALL, LONGEST_CALL)),
            ("scheduler", "tests.bench.our_scheduler", scheduler),
        ) as members:
            await warm_up_ingest(stage, dialed.order, customer, members)
            marks = await _measure(stage, dialed, producer, members, ingest)
            await set_intent(stage, dialed.order.organization, dialed.campaign, "paused", producer)
            await until_nothing_held(stage, members, DEADLINE_SECONDS)
    finally:
        await customer.stop()
    journal = Journal.load(stage.folder / "journal.json")
    await check_paused_well(stage.store, [dialed.campaign], journal)
    return _run(journal, load_transactions(stage.folder / "times.json"), marks)


async def _bare(stage: Stage, dialed: _Dialed, producer: Producer) -> Run:
    common: dict[str, Any] = {
        "bench_organization": dialed.order.organization["_id"],
        "bench_shard": dialed.order.organization["shard"],
        "bench_campaigns": json.dumps([dialed.campaign["_id"]]),
        "bench_slots": SLOTS,
        "bench_shortest_call": SHORTEST_CALL,
        "bench_longest_call": LONGEST_CALL,
    }
    parts = [[stored(dialed.order, n, row) for row in range(ROWS)] for n in range(dialed.order.batches)]

    async def insert(members: Sequence[Member]) -> None:
        started = monotonic()
        for number, documents in enumerate(parts):
            await asyncio.sleep(max(0.0, started + number * dialed.pace - monotonic()))
            await insert_batch(stage.store, dialed.campaign, documents)

    async with running_members(
        stage,
        ("executor", "tests.bench.bare_executor", common | {"bench_journal": stage.folder / "journal.json"}),
        ("scheduler", "tests.bench.bare_scheduler", common | {"bench_journal": stage.folder / "times.json"}),
    ) as members:
        marks = await _measure(stage, dialed, producer, members, insert)
    journal = Journal.load(stage.folder / "journal.json")
    if len(set(journal.contacts)) != len(journal.contacts):
        raise BenchFailed("the bare loop has called somebody twice")
    return _run(journal, load_transactions(stage.folder / "times.json"), marks)


async def _measure(
    stage: Stage,
    dialed: _Dialed,
    producer: Producer,
    members: Sequence[Member],
    ingest: Callable[[Sequence[Member]], Awaitable[None]],
) -> _Marks:
    """Dial for a while, then ingest as well; begin and end of both, and the CPU seconds of each."""
    await set_intent(stage, dialed.order.organization, dialed.campaign, "running", producer)
    await until_completed(stage, {dialed.campaign["_id"]: SETTLED}, members, DEADLINE_SECONDS)
    cpu, calm = CpuClock(stage, members), monotonic()
    await asyncio.sleep(CALM_SECONDS)
    calm_cpu, calm_end = cpu.used(), monotonic()
    cpu, busy = CpuClock(stage, members), monotonic()
    await ingest(members)
    return calm, calm_end, busy, monotonic(), calm_cpu, cpu.used()


def _run(journal: Journal, transactions: Sequence[Transaction], marks: _Marks) -> Run:
    calm, calm_end, busy, busy_end, calm_cpu, busy_cpu = marks
    refills = list(zip(journal.ended, journal.refills(0, SLOTS), strict=False))

    def phase(begin: float, end: float, cpu: dict[str, float]) -> Phase:
        claims = [one.seconds for one in transactions if begin <= one.started < end and one.claimed]
        return Phase(end - begin, claims, [seconds for at, seconds in refills if begin <= at < end], cpu)

    return Run(phase(calm, calm_end, calm_cpu), phase(busy, busy_end, busy_cpu))
