"""`idle`: what campaigns in which nobody is due cost the loop of their shard, and a scheduler at rest its machine."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console

from deploy.local.servers import Addresses
from services.scheduler.shards.memory import ShardMemory
from shared.clock import monotonic, utc_now
from shared.domain.ids import SHARDS
from shared.store.client import Document, Store
from shared.store.dialing.claim import MAX_CLAIM
from tests.bench.dialing import OUR_EXECUTOR, OUR_SCHEDULER, executor_settings
from tests.bench.figures import Figures, milliseconds, percentile
from tests.bench.progress import until_taken_over
from tests.bench.stage import BenchFailed, CpuClock, Member, Stage, new_stage, running_members
from tests.factories import add_campaign, add_configuration, add_organization, contact_document

FEW = 10
STEPS = 2000
# So long the CPU time of processes at rest is looked at, once they have started and have their partitions.
REST_SECONDS = 30.0
SETTLED_SECONDS = 5.0
DEADLINE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Taken:
    """Seconds to take a shard over, of each step until all its campaigns sleep, and of each from then on."""

    load: float
    looks: list[float]
    steps: list[float]


async def measure_idle(addresses: Addresses, console: Console, *, campaigns: int) -> Figures:
    """A step of a shard's loop beside many campaigns, and beside few; one contact waits in each until tomorrow."""
    figures = Figures(
        f"idle: {campaigns:,} running campaigns of one shard in which nobody is due, and {FEW}",
        ("", f"{campaigns:,}", f"{FEW}"),
    )
    taken: dict[int, _Taken] = {}
    for count in (FEW, campaigns):
        async with new_stage(addresses) as stage:
            await _fill(stage.store, count)
            console.print(f"  idle: {count:,} campaigns are in", style="dim")
            taken[count] = await _measure(stage.store)
    many, few = taken[campaigns], taken[FEW]
    figures.rows.append(("taking the shard over, s", f"{many.load:.2f}", f"{few.load:.2f}"))
    figures.rows.append(("until all sleep, s", f"{sum(many.looks):.2f}", f"{sum(few.looks):.2f}"))
    figures.rows.append(("the longest step of these, s", f"{max(many.looks):.2f}", f"{max(few.looks):.2f}"))
    for share in (0.5, 0.99):
        shown = [f"{percentile(one.steps, share) * 1e6:.0f}" for one in (many, few)]
        figures.rows.append((f"a step from then on, p{share * 100:.0f} µs", *shown))
    figures.values["until_all_sleep"] = {"many_seconds": sum(many.looks), "few_seconds": sum(few.looks)}
    p50 = {"many_p50_seconds": percentile(many.steps, 0.5), "few_p50_seconds": percentile(few.steps, 0.5)}
    figures.values["steps"] = p50
    await _add_rest(figures, addresses)
    figures.notes.append(f"A step asks the store nothing; {SHARDS} shards share an installation's organizations.")
    figures.notes.append(f"The longest step of {STEPS:,} beside many: {milliseconds(max(many.steps))} ms.")
    return figures


async def _add_rest(figures: Figures, addresses: Addresses) -> None:
    """Rows for one campaign in which nobody is due: a scheduler beside the servers, and the servers alone.

    And for the services that read a quiet topic of Kafka's, without a scheduler.
    """
    async with new_stage(addresses) as stage:
        await _fill(stage.store, 1)
        alone = await _cpu(stage, [])
        async with running_members(stage, ("scheduler", OUR_SCHEDULER, {"telephony_provider": "scripted"})) as members:
            await until_taken_over(stage, members, DEADLINE_SECONDS)
            used = await _cpu(stage, members)
        executor = ("executor", OUR_EXECUTOR, executor_settings(stage, 1))
        async with running_members(stage, executor, ("ingest", "services.contact_ingest", {})) as members:
            await asyncio.sleep(SETTLED_SECONDS)
            reading = await _cpu(stage, members)
    for name, percent in used.items():
        without = f"{alone[name]:.2f} without a scheduler" if name in alone else ""
        figures.rows.append((f"at rest, {name}, % of a core", f"{percent:.2f}", without))
    for name in ("executor", "ingest", "kafka"):
        without = f"{alone[name]:.2f} without the two" if name in alone else ""
        figures.rows.append((f"at rest, readers alone, {name}, % of a core", f"{reading[name]:.2f}", without))
    figures.values["at_rest_percent"] = {"with_a_scheduler": used, "with_readers": reading, "servers_alone": alone}


async def _cpu(stage: Stage, members: Sequence[Member]) -> dict[str, float]:
    """What processes use of a core, in percent, over half a minute."""
    clock, began = CpuClock(stage, members), monotonic()
    await asyncio.sleep(REST_SECONDS)
    taken = monotonic() - began
    return {name: 100 * seconds / taken for name, seconds in clock.used().items()}


async def _fill(store: Store, campaigns: int) -> None:
    organization = await add_organization(store, shard=0, concurrency_limit=100)
    configuration = await add_configuration(store, organization)
    tomorrow = utc_now() + timedelta(days=1)
    contacts: list[Document] = []
    noted: list[Document] = []
    for number in range(campaigns):
        campaign = await add_campaign(store, organization, configuration)
        contacts.append(contact_document(organization, campaign, number, due_at=tomorrow))
        ids = {"_id": f"{campaign['_id']}/bench", "campaign_id": campaign["_id"], "shard": 0}
        of = {"organization_id": organization["_id"], "changed_at": utc_now()}
        noted.append({**ids, **of, "added": 1, "zones": [None]})
    await store["contacts"].insert_many(contacts)
    await store["counters_in"].insert_many(noted)


async def _measure(store: Store) -> _Taken:
    memory = ShardMemory(store, 0)
    started = monotonic()
    await memory.load(utc_now())
    loaded = monotonic() - started
    looks: list[float] = []
    while not looks or memory.unfinished:
        began = monotonic()
        await memory.demands(utc_now(), MAX_CLAIM, {})
        looks.append(monotonic() - began)
    steps: list[float] = []
    for _ in range(STEPS):
        began = monotonic()
        if await memory.demands(utc_now(), MAX_CLAIM, {}):
            raise BenchFailed("somebody is due")
        steps.append(monotonic() - began)
    return _Taken(loaded, looks, steps)
