"""`steady`: what a call costs while calls of 5 to 15 s turn over on 1,000 slots of one shard, about a hundred a second.

A shard's step costs about the same for one ended call as for twenty, so what counts is how many each step serves; the
bare loop does the same I/O, step by step, and takes what is there. With `gathering`, both wait so long behind a small
batch: what a call costs is to be held against how soon its slot is dialed again.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from deploy.local.servers import Addresses
from shared.bus.producer import Producer
from shared.clock import monotonic
from shared.store.client import Document
from tests.bench.crowd import check_paused_well, set_intent
from tests.bench.dialing import OUR_EXECUTOR, Variant, executor_settings
from tests.bench.figures import Figures, milliseconds, percentile, spread
from tests.bench.journal import Journal, load_transactions
from tests.bench.progress import until_completed, until_nothing_held
from tests.bench.stage import BenchFailed, CpuClock, Member, Stage, new_stage, running_members
from tests.factories import add_campaign, add_contacts, add_organization

SLOTS = 1000
SHORTEST_CALL, LONGEST_CALL = 5.0, 15.0
# More than are called in one run.
CONTACTS = 20_000
# Ended before anything is measured: the ends are spread over time by then.
SETTLED = 2 * SLOTS
DEADLINE_SECONDS = 120.0
VARIANTS = (Variant.OURS, Variant.BARE)
PROCESSES = ("scheduler", "executor", "mongod", "kafka")


@dataclass(frozen=True, slots=True)
class _Run:
    """Calls that ended in so many seconds, CPU seconds by process, from each end to the next placement, and steps."""

    seconds: float
    calls: int
    cpu: dict[str, float]
    refills: list[float]
    transactions: int

    def cpu_ms(self, name: str) -> float:
        return self.cpu.get(name, 0.0) / self.calls * 1000


@dataclass(frozen=True, slots=True)
class _Way:
    """A variant, and for how many milliseconds ends gather in it; None: as they do by themselves."""

    variant: Variant
    gathering_ms: int | None = None

    def __str__(self) -> str:
        return self.variant if self.gathering_ms is None else f"{self.variant}, {self.gathering_ms} ms"

    @property
    def settings(self) -> dict[str, Any]:
        return {} if self.gathering_ms is None else {"bench_gathering": self.gathering_ms / 1000}


async def measure_steady(
    addresses: Addresses, console: Console, *, seconds: float, rounds: int, gathering: Sequence[int] = ()
) -> Figures:
    """Interleaved rounds of ours and bare, as they are and with each of these milliseconds of `gathering`."""
    runs: dict[_Way, list[_Run]] = {
        _Way(variant, milliseconds): [] for milliseconds in (None, *gathering) for variant in VARIANTS
    }
    for number in range(rounds):
        for way, done in runs.items():
            done.append(await _once(addresses, way, seconds))
            in_all = sum(done[-1].cpu_ms(name) for name in PROCESSES)
            console.print(f"  steady {number + 1}/{rounds} {way!s:>5}: {in_all:.1f} ms of CPU a call", style="dim")
    return _figures(runs, rounds)


def _figures(runs: dict[_Way, list[_Run]], rounds: int) -> Figures:
    figures = Figures(
        f"steady: {SLOTS:,} slots, calls of {SHORTEST_CALL:g} to {LONGEST_CALL:g} s, {rounds} rounds",
        ("", "calls/s", "a step", *(f"{name}, ms" for name in PROCESSES), "CPU ms a call", "end -> placement ms"),
    )
    for way, done in runs.items():
        refills = [seconds for run in done for seconds in run.refills]
        figures.rows.append(
            (
                str(way),
                spread([run.calls / run.seconds for run in done]),
                spread([run.calls / run.transactions for run in done], "{:.1f}"),
                *(spread([run.cpu_ms(name) for run in done], "{:.1f}") for name in PROCESSES),
                spread([sum(run.cpu_ms(name) for name in PROCESSES) for run in done], "{:.1f}"),
                f"{milliseconds(percentile(refills, 0.5))} / {milliseconds(percentile(refills, 0.99))}",
            )
        )
        figures.values[str(way)] = {
            "calls_per_second": [run.calls / run.seconds for run in done],
            "calls_per_transaction": [run.calls / run.transactions for run in done],
            "cpu_ms_per_call": {name: [run.cpu_ms(name) for run in done] for name in PROCESSES},
            "end_to_placement_seconds": [[percentile(run.refills, share) for share in (0.5, 0.99)] for run in done],
        }
    figures.notes.append("a step: calls that a transaction of the scheduler has ended, on average. CPU: polls, too.")
    return figures


async def _once(addresses: Addresses, way: _Way, seconds: float) -> _Run:
    async with new_stage(addresses) as stage:
        organization = await add_organization(stage.store, concurrency_limit=SLOTS)
        campaign = await add_campaign(stage.store, organization, intent="paused")
        await add_contacts(stage.store, organization, campaign, CONTACTS)
        producer = Producer(stage.kafka_settings)
        await producer.start(30)
        try:
            return await _dial(stage, way, organization, campaign, producer, seconds)
        finally:
            await producer.stop()


async def _dial(
    stage: Stage, way: _Way, organization: Document, campaign: Document, producer: Producer, seconds: float
) -> _Run:
    ours = way.variant is Variant.OURS
    async with running_members(stage, *_members(stage, organization, campaign, way)) as members:
        await set_intent(stage, organization, campaign, "running", producer)
        await until_completed(stage, {campaign["_id"]: SETTLED}, members, DEADLINE_SECONDS)
        began, end, cpu = await _measure(stage, members, seconds)
        if ours:
            await set_intent(stage, organization, campaign, "paused", producer)
            await until_nothing_held(stage, members, DEADLINE_SECONDS)
    journal = Journal.load(stage.folder / "journal.json")
    if ours:
        await check_paused_well(stage.store, [campaign], journal)
    elif len(set(journal.contacts)) != len(journal.contacts):
        raise BenchFailed("the bare loop has called somebody twice")
    refills = zip(journal.ended, journal.refills(0, SLOTS), strict=False)
    transactions = [one for one in load_transactions(stage.folder / "times.json") if began <= one.started < end]
    return _Run(
        end - began,
        sum(began <= at < end for at in journal.ended),
        cpu,
        [took for at, took in refills if began <= at < end],
        len(transactions),
    )


async def _measure(stage: Stage, members: Sequence[Member], seconds: float) -> tuple[float, float, dict[str, float]]:
    cpu, began = CpuClock(stage, members), monotonic()
    await asyncio.sleep(seconds)
    return began, monotonic(), cpu.used()


def _members(
    stage: Stage, organization: Document, campaign: Document, way: _Way
) -> list[tuple[str, str, dict[str, Any]]]:
    times = {"bench_journal": stage.folder / "times.json"}
    if way.variant is Variant.OURS:
        scheduler = {"telephony_provider": "scripted", "global_concurrency_limit": 2 * SLOTS, **times, **way.settings}
        executor = executor_settings(stage, SLOTS, SHORTEST_CALL, LONGEST_CALL) | way.settings
        return [("executor", OUR_EXECUTOR, executor), ("scheduler", "tests.bench.our_scheduler", scheduler)]
    common: dict[str, Any] = {
        "bench_organization": organization["_id"],
        "bench_shard": organization["shard"],
        "bench_campaigns": json.dumps([campaign["_id"]]),
        "bench_slots": SLOTS,
        "bench_shortest_call": SHORTEST_CALL,
        "bench_longest_call": LONGEST_CALL,
        **way.settings,
    }
    executor = common | {"bench_journal": stage.folder / "journal.json"}
    return [
        ("executor", "tests.bench.bare_executor", executor),
        ("scheduler", "tests.bench.bare_scheduler", common | times),
    ]
