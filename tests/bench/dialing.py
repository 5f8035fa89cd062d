"""One run of a pipeline, ours or a bare one: processes up, a warm-up, the measured campaign, the checks."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from deploy.local.home import free_port
from deploy.local.servers import Addresses
from shared.bus.producer import Producer
from shared.clock import monotonic
from shared.store.client import Store
from tests.bench.crowd import Crowd, check_ended_well, gather_crowd, how_far, is_completed, let_go
from tests.bench.histogram import Histogram, read_histogram
from tests.bench.journal import Journal
from tests.bench.stage import CpuClock, Member, Stage, new_stage, running_members, until

WARM_UP_SECONDS = 60.0
OUR_EXECUTOR, OUR_SCHEDULER = "tests.bench.our_executor", "services.scheduler"
REFILL_METRIC = "dialstream_refill_seconds"
# Only these stay for the lean loop: without `ready` nobody could be found.
LEAN_INDEXES = {"contacts": {"_id_", "ready"}, "attempts": {"_id_"}}


class Variant(StrEnum):
    """Who dials."""

    OURS = "ours"
    BARE = "bare"  # the same indexes as ours
    LEAN = "lean"  # one index on contacts, none on attempts


@dataclass(frozen=True, slots=True)
class Load:
    """How much is dialed, on how many slots, and how long it may take."""

    contacts: int
    slots: int
    warm_up: int
    deadline_seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """One run's figures. `refills` are seconds from a call's end at the carrier to the next placement;
    `scheduler_refills` the part of it inside the scheduler, from the read to the published job."""

    seconds: float
    calls: int
    cpu_seconds: dict[str, float]
    refills: list[float] = field(repr=False)
    scheduler_refills: list[float] | Histogram = field(repr=False)

    @property
    def calls_per_second(self) -> float:
        """Calls a second from the start of the campaign to its last ending in MongoDB."""
        return self.calls / self.seconds

    @property
    def cpu_us_per_call(self) -> dict[str, float]:
        """CPU microseconds for each call, by process."""
        return {name: seconds / self.calls * 1e6 for name, seconds in self.cpu_seconds.items()}


async def run_once(addresses: Addresses, variant: Variant, load: Load) -> Run:
    """Dial one crowd from its start to its end. Raises `BenchFailed` when that does not come or is wrong."""
    async with new_stage(addresses) as stage:
        if variant is Variant.LEAN:
            await _drop_indexes(stage.store)
        crowd = await gather_crowd(stage.store, contacts=load.contacts, warm_up=load.warm_up, slots=load.slots)
        producer = Producer(stage.kafka_settings)
        await producer.start(30)
        try:
            return await (_run_ours if variant is Variant.OURS else _run_bare)(stage, crowd, load, producer)
        finally:
            await producer.stop()


def executor_settings(stage: Stage, slots: int, shortest: float = 0.0, longest: float = 0.0) -> dict[str, Any]:
    """For our executor: no limit of its own is in the way; calls last this many seconds, even between the two."""
    return {
        "telephony_provider": "scripted",
        "executor_capacity": 4 * slots,
        "calls_per_second": 10_000,
        "carrier_connections": slots,
        "bench_journal": stage.folder / "journal.json",
        "bench_shortest_call": shortest,
        "bench_longest_call": longest,
    }


async def _run_ours(stage: Stage, crowd: Crowd, load: Load, producer: Producer) -> Run:
    port = free_port()
    scheduler = {"telephony_provider": "scripted", "global_concurrency_limit": 2 * load.slots, "http_port": port}
    async with running_members(
        stage,
        ("executor", OUR_EXECUTOR, executor_settings(stage, load.slots)),
        ("scheduler", OUR_SCHEDULER, scheduler),
    ) as members:
        page = f"http://127.0.0.1:{port}/metrics"
        before, seconds, cpu, after = await _measure(
            stage, crowd, load, producer, members, lambda: read_histogram(page, REFILL_METRIC)
        )
    return await _finished(stage, crowd, load, seconds, cpu, after - before)


async def _run_bare(stage: Stage, crowd: Crowd, load: Load, producer: Producer) -> Run:
    common: dict[str, Any] = {
        "bench_organization": crowd.organization["_id"],
        "bench_shard": crowd.organization["shard"],
        "bench_campaigns": json.dumps([crowd.warm_up["_id"], crowd.measured["_id"]]),
        "bench_slots": load.slots,
    }
    times = stage.folder / "times.json"
    async with running_members(
        stage,
        ("executor", "tests.bench.bare_executor", common | {"bench_journal": stage.folder / "journal.json"}),
        ("scheduler", "tests.bench.bare_scheduler", common | {"bench_journal": times}),
    ) as members:
        _, seconds, cpu, _ = await _measure(stage, crowd, load, producer, members, _nothing)
    return await _finished(stage, crowd, load, seconds, cpu, json.loads(times.read_text())["refills"])


async def _nothing() -> Histogram:
    return Histogram({}, 0)


async def _measure(
    stage: Stage,
    crowd: Crowd,
    load: Load,
    producer: Producer,
    members: list[Member],
    read: Callable[[], Awaitable[Histogram]],
) -> tuple[Histogram, float, dict[str, float], Histogram]:
    async def warm() -> bool:
        return await is_completed(stage.store, crowd.warm_up["_id"], crowd.warm_up_contacts)

    async def done() -> bool:
        return await is_completed(stage.store, crowd.measured["_id"], crowd.contacts)

    async def far() -> str:
        return await how_far(stage.store, crowd)

    await until(warm, members, WARM_UP_SECONDS, far)
    before = await read()
    cpu = CpuClock(stage, members)
    started = monotonic()
    await let_go(stage, crowd, producer)
    await until(done, members, load.deadline_seconds, far)
    seconds, used = monotonic() - started, cpu.used()
    return before, seconds, used, await read()


async def _finished(
    stage: Stage,
    crowd: Crowd,
    load: Load,
    seconds: float,
    cpu: dict[str, float],
    scheduler_refills: list[float] | Histogram,
) -> Run:
    journal = Journal.load(stage.folder / "journal.json")
    await check_ended_well(stage.store, crowd, journal)
    return Run(seconds, crowd.contacts, cpu, journal.refills(crowd.warm_up_contacts, load.slots), scheduler_refills)


async def _drop_indexes(store: Store) -> None:
    for collection, kept in LEAN_INDEXES.items():
        for name in await store[collection].index_information():
            if name not in kept:
                await store[collection].drop_index(name)
