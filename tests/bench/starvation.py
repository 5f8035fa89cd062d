"""`starvation`: small organizations that come while a large one, with 100,000 due contacts, has every slot.

A slot comes free only when a call ends. So the comparison is not another loop but the ends themselves: the
time at which enough of the large one's calls had ended, in the same run, to give the small ones what is theirs.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
from rich.console import Console

from deploy.local.home import free_port
from deploy.local.servers import Addresses
from shared.bus.producer import Producer
from shared.domain.ids import SHARDS
from shared.store.client import Document
from tests.bench.crowd import check_paused_well, set_intent
from tests.bench.dialing import OUR_EXECUTOR, OUR_SCHEDULER, executor_settings
from tests.bench.figures import Figures, milliseconds, percentile
from tests.bench.histogram import read_gauge
from tests.bench.journal import Journal
from tests.bench.progress import until_completed, until_nothing_held
from tests.bench.small_ones import COUNT, Given, SmallOne, add_small_ones, give_contacts
from tests.bench.stage import Member, Stage, new_stage, running_members, until
from tests.bench.waits import Wait, waits_of
from tests.factories import add_campaign, add_configuration, add_contacts, add_organization

# Calls at once over all organizations, and the seconds of one call, even between the two: 100 ends a second.
SLOTS = 200
SHORTEST_CALL, LONGEST_CALL = 1.0, 3.0
SCHEDULERS = 2
# The large one's shard; some of the small ones are there too.
SHARD = 0
# The large one's limit: every small one has a share of several slots, or of less than one.
LARGE_LIMITS = {"large": 2 * SLOTS, "huge": 100 * SLOTS}
# So many of its calls have ended before the small ones come: their ends are spread over time by then.
SETTLED = 5 * SLOTS
DEADLINE_SECONDS = 120.0


async def measure_starvation(addresses: Addresses, console: Console, *, large: int, rounds: int) -> Figures:
    """Interleaved rounds of both sizes of a share."""
    runs: dict[str, list[Run]] = {name: [] for name in LARGE_LIMITS}
    for number in range(rounds):
        for name, limit in LARGE_LIMITS.items():
            run = await _once(addresses, large, limit)
            runs[name].append(run)
            console.print(
                f"  starvation {number + 1}/{rounds} {name}: the last has its share after "
                f"{milliseconds(max(wait.share for wait in run.beside))} ms; enough calls had ended after "
                f"{milliseconds(max(wait.share_bound for wait in run.beside))} ms",
                style="dim",
            )
    return _figures(runs, large, rounds)


@dataclass(frozen=True, slots=True)
class Run:
    """One run's waits: of the small ones with nobody else there, and beside the large one."""

    slots: list[int]
    alone: list[Wait]
    beside: list[Wait]


@dataclass(frozen=True, slots=True)
class _Large:
    organization: Document
    campaign: Document


async def _once(addresses: Addresses, contacts: int, limit: int) -> Run:
    async with new_stage(addresses) as stage:
        store = stage.store
        organization = await add_organization(store, concurrency_limit=limit, shard=SHARD)
        configuration = await add_configuration(store, organization)
        campaign = await add_campaign(store, organization, configuration, intent="paused")
        await add_contacts(store, organization, campaign, contacts)
        small = await add_small_ones(store, large_limit=limit, slots=SLOTS, shard=SHARD)
        producer, ports = Producer(stage.kafka_settings), _Ports(free_port(), [free_port() for _ in range(SCHEDULERS)])
        await producer.start(30)
        try:
            async with running_members(stage, *_members(stage, ports)) as members:
                await _all_serve(members, ports)
                alone, beside = await _dial(stage, _Large(organization, campaign), small, producer, members, ports.api)
        finally:
            await producer.stop()
        journal = Journal.load(stage.folder / "journal.json")
        await check_paused_well(store, [campaign, *(one.campaign for one in small)], journal)
        return Run(
            [one.slots for one in small],
            waits_of(journal, small, alone, large=False),
            waits_of(journal, small, beside, large=True),
        )


@dataclass(frozen=True, slots=True)
class _Ports:
    api: int
    schedulers: list[int]


def _members(stage: Stage, ports: _Ports) -> list[tuple[str, str, dict[str, Any]]]:
    scheduler = {"telephony_provider": "scripted", "global_concurrency_limit": SLOTS}
    return [
        ("executor", OUR_EXECUTOR, executor_settings(stage, SLOTS, SHORTEST_CALL, LONGEST_CALL)),
        *(
            (f"scheduler-{n}", OUR_SCHEDULER, scheduler | {"http_port": port})
            for n, port in enumerate(ports.schedulers)
        ),
        ("api", "services.campaign_api", {"http_port": ports.api}),
    ]


async def _dial(
    stage: Stage,
    large: _Large,
    small: Sequence[SmallOne],
    producer: Producer,
    members: Sequence[Member],
    port: int,
) -> tuple[list[Given], list[Given]]:
    """The small ones alone, then beside the large one; what they were given."""
    connector = aiohttp.TCPConnector(limit=len(small))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", connector=connector) as client:
        alone = await give_contacts(client, small, lambda one: one.slots, first=0)
        await until_completed(stage, {one.campaign["_id"]: one.slots for one in small}, members, DEADLINE_SECONDS)
        await set_intent(stage, large.organization, large.campaign, "running", producer)
        await until_completed(stage, {large.campaign["_id"]: SETTLED}, members, DEADLINE_SECONDS)
        beside = await give_contacts(client, small, lambda one: one.contacts, first=max(one.slots for one in small))
        await until_completed(stage, {one.campaign["_id"]: 3 * one.slots for one in small}, members, DEADLINE_SECONDS)
        await set_intent(stage, large.organization, large.campaign, "paused", producer)
        for one in small:
            await set_intent(stage, one.organization, one.campaign, "paused", producer)
        await until_nothing_held(stage, members, DEADLINE_SECONDS)
    return alone, beside


async def _all_serve(members: Sequence[Member], ports: _Ports) -> None:
    """Return once the API answers and every scheduler has its part of the shards."""
    pages = [f"http://127.0.0.1:{port}" for port in (ports.api, *ports.schedulers)]

    async def serve() -> bool:
        try:
            async with aiohttp.ClientSession() as client, client.get(f"{pages[0]}/health/ready") as answer:
                answer.raise_for_status()
            owned = [await read_gauge(f"{page}/metrics", "dialstream_shards_owned") for page in pages[1:]]
        except aiohttp.ClientError:
            return False
        return owned == [SHARDS / SCHEDULERS] * SCHEDULERS

    async def far() -> str:
        return "not all processes serve"

    await until(serve, members, DEADLINE_SECONDS, far)


def _figures(runs: dict[str, list[Run]], large: int, rounds: int) -> Figures:
    figures = Figures(
        f"starvation: {COUNT} small ones beside one with {large:,} due contacts, {SLOTS} slots, {rounds} rounds",
        ("p50 / longest, ms", "first call", "ends allow", "its share", "ends allow", "beyond the ends"),
    )
    for name, done in runs.items():
        slots = sorted(set(done[0].slots))
        together = [wait for run in done for wait in run.beside]
        parts = {
            f"{name} ({slots[0]}-{slots[-1]} slots), nobody else there": [wait for run in done for wait in run.alone],
            f"{name}, on the large one's shard": [wait for wait in together if wait.beside],
            f"{name}, on other shards": [wait for wait in together if not wait.beside],
        }
        for part, waits in parts.items():
            figures.rows.append((part, *_row(waits)))
            figures.values[part] = [asdict(wait) for wait in waits]
    figures.notes.append(
        f"Calls last {SHORTEST_CALL:g} to {LONGEST_CALL:g} s. Seconds count from the API's answer, with all of them "
        "asking at one moment."
    )
    figures.notes.append(
        "ends allow: until so many of the large one's calls had ended in the same run; nobody who cuts no calls short "
        "is sooner. beyond the ends: the wait, first call or share, from then on."
    )
    return figures


def _row(waits: Sequence[Wait]) -> list[str]:
    columns = (
        [wait.first for wait in waits],
        [wait.first_bound for wait in waits],
        [wait.share for wait in waits],
        [wait.share_bound for wait in waits],
        [max(wait.first - wait.first_bound, wait.share - wait.share_bound) for wait in waits],
    )
    return [f"{milliseconds(percentile(seconds, 0.5))} / {milliseconds(max(seconds))}" for seconds in columns]
