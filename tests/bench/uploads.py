"""`uploads`: requests of 1,000 contacts to one campaign, by one client and by several at once, against bare inserts.

What campaign-api does with a request's rows in this process, numbers read and contacts stored; and the same requests to
a campaign-api over HTTP.
"""

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import aiohttp
from prometheus_client import REGISTRY
from rich.console import Console

from deploy.local.home import free_port
from deploy.local.servers import Addresses
from shared.clock import monotonic, utc_now
from shared.domain.contact_input import ContactInput, prepare_contacts
from shared.domain.ids import counter_source
from shared.domain.phone import raise_regex_cache
from shared.store.contacts.upsert import upsert_contacts
from shared.store.reports.counters import campaign_counts
from tests.bench.batches import ROWS, Order, insert_batch, new_credential, row_of, stored
from tests.bench.figures import Figures, milliseconds, percentile, spread
from tests.bench.stage import BenchFailed, CpuClock, Stage, new_stage, running_members, until_ready
from tests.factories import add_campaign, add_configuration, add_organization

CLIENTS = (1, 4)
SOURCE = counter_source("api", 0)
START_SECONDS = 30.0

# Sends the request with this number.
Request = Callable[[int], Awaitable[None]]
Sender = Callable[[Stage, Order], AbstractAsyncContextManager[Request]]


@dataclass(frozen=True, slots=True)
class Run:
    """One run's figures; `took` are the seconds of each request."""

    contacts_per_second: float
    took: list[float]
    repeated: float
    mongod_us: float


async def measure_uploads(addresses: Addresses, console: Console, *, requests: int, rounds: int) -> Figures:
    """Interleaved rounds of ours and bare, by one client and by several."""
    raise_regex_cache()
    figures = Figures(
        f"uploads: {requests} requests of {ROWS:,} contacts to one campaign, {rounds} rounds",
        ("", "contacts/s", "p50 / p99 ms", "ours / bare", "repeated", "mongod µs"),
    )
    for clients in CLIENTS:
        senders: dict[str, Sender] = {"ours": _uploads, "ours, by HTTP": _by_http, "bare": _inserts}
        runs: dict[str, list[Run]] = {name: [] for name in senders}
        for number in range(rounds):
            for name, sender in senders.items():
                runs[name].append(await _once(addresses, sender, requests, clients))
            console.print(f"  uploads {number + 1}/{rounds} by {clients}", style="dim")
        for name, done in runs.items():
            pairs = zip(done, runs["bare"], strict=True)
            ratios = [ours.contacts_per_second / bare.contacts_per_second for ours, bare in pairs]
            took = [seconds for run in done for seconds in run.took]
            rates = [run.contacts_per_second for run in done]
            label = f"{name}, {clients} at once"
            figures.rows.append(
                (
                    label,
                    spread(rates),
                    f"{milliseconds(percentile(took, 0.5))} / {milliseconds(percentile(took, 0.99))}",
                    spread(ratios, "{:.2f}") if name != "bare" else "",
                    spread([run.repeated for run in done]),
                    spread([run.mongod_us for run in done]),
                )
            )
            figures.values[label] = {"contacts_per_second": rates, "request_seconds": took}
    figures.notes.append("bare: insert_many of the same documents with counters, a transaction each, no rules.")
    figures.notes.append(
        "repeated, of this process: transactions that began again because another one was in their way."
    )
    return figures


async def _once(addresses: Addresses, sender: Sender, requests: int, clients: int) -> Run:
    async with new_stage(addresses) as stage:
        organization = await add_organization(stage.store)
        campaign = await add_campaign(stage.store, organization, await add_configuration(stage.store, organization))
        order = Order(organization, [campaign], await new_credential(stage.store, organization), requests)
        async with sender(stage, order) as request:
            await request(requests)
            left = iter(range(requests))
            took: list[float] = []

            async def client() -> None:
                for number in left:
                    began = monotonic()
                    await request(number)
                    took.append(monotonic() - began)

            repeated, cpu, started = _repeated(), CpuClock(stage, ()), monotonic()
            await asyncio.gather(*(client() for _ in range(clients)))
            seconds, used = monotonic() - started, cpu.used()
        counted = (await campaign_counts(stage.store, campaign["_id"])).pending
        if counted != (requests + 1) * ROWS:
            raise BenchFailed(f"{counted} contacts counted of {(requests + 1) * ROWS}")
        contacts = requests * ROWS
        return Run(contacts / seconds, took, _repeated() - repeated, used.get("mongod", 0.0) / contacts * 1e6)


@asynccontextmanager
async def _uploads(stage: Stage, order: Order) -> AsyncIterator[Request]:
    yield functools.partial(_upload, stage, order)


@asynccontextmanager
async def _inserts(stage: Stage, order: Order) -> AsyncIterator[Request]:
    yield functools.partial(_insert, stage, order)


@asynccontextmanager
async def _by_http(stage: Stage, order: Order) -> AsyncIterator[Request]:
    """Requests to a campaign-api, their bodies made ready beforehand."""
    port = free_port()
    bodies = [
        json.dumps({"contacts": [row_of(number, row) for row in range(ROWS)]}).encode()
        for number in range(order.batches + 1)
    ]
    headers = {"Authorization": f"Bearer {order.credential}", "Content-Type": "application/json"}
    path = f"/campaign/campaigns/{order.campaigns[0]['_id']}/contacts"
    async with (
        running_members(stage, ("api", "services.campaign_api", {"http_port": port})) as members,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as client,
    ):

        async def request(number: int) -> None:
            async with client.post(path, data=bodies[number]) as answer:
                told = await answer.json()
                if answer.status >= 300 or told["inserted"] != ROWS:
                    raise BenchFailed(f"{answer.status}: {str(told)[:500]}")

        await until_ready(client, "/health/ready", members, START_SECONDS)
        yield request


async def _upload(stage: Stage, order: Order, number: int) -> None:
    inputs = [ContactInput.model_validate(row_of(number, row)) for row in range(ROWS)]
    prepared = prepare_contacts(inputs, default_country_code="+1", strict_e164=False)
    result = await upsert_contacts(
        stage.store,
        organization_id=order.organization["_id"],
        shard=order.organization["shard"],
        campaign_id=order.campaigns[0]["_id"],
        rows=prepared.rows,
        source=SOURCE,
        now=utc_now(),
    )
    if result.inserted != ROWS:
        raise BenchFailed(f"{result.inserted} contacts of a request are new, not {ROWS}")


async def _insert(stage: Stage, order: Order, number: int) -> None:
    await insert_batch(stage.store, order.campaigns[0], [stored(order, number, row) for row in range(ROWS)])


def _repeated() -> float:
    return REGISTRY.get_sample_value("dialstream_transactions_repeated_total") or 0.0
