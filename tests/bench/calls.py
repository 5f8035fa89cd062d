"""`calls`: pages of many calls, their report, and what the indexes of these lists cost the transactions of a shard."""

import asyncio
import functools
import random
import resource
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import psutil
from rich.console import Console

from deploy.local.servers import Addresses
from services.campaign_api.native.translate_calls import csv_rows, json_lines
from shared.clock import monotonic, utc_now
from shared.domain.answered_calls import MOST_HOURS
from shared.domain.call_numbers import microseconds
from shared.domain.calls import CallFilter, CallOrder, CallStatus, Reader
from shared.domain.ids import conversation_id_of
from shared.domain.outcome import Outcome
from shared.store.client import Document, Store
from shared.store.dialing.shards import ensure_shards, set_global_limit
from shared.store.reports import call_report
from shared.store.reports.answered_calls import ended_calls_by_number
from shared.store.reports.calls import list_calls, numbered_calls
from tests.bench.figures import Figures, milliseconds, percentile, spread
from tests.bench.rules import BenchShard, Variant, check_called, new_shard, step
from tests.bench.stage import BenchFailed, new_stage
from tests.factories import add_campaign, add_configuration, add_organization, new_id

PAGE: Final = 50
ROUNDS: Final = 40
CHUNK: Final = 10_000
CAMPAIGNS: Final = 5
# Contacts have few calls, and phones a few more.
CALLS_OF_A_CONTACT: Final = 3
PHONES: Final = 100_000
CALLER_NUMBERS: Final = tuple(f"+1415555{number:04d}" for number in range(100, 120))
LISTS: Final = ("listing", "called", "by_outcome", "conversation")
MIB: Final = 1024 * 1024
READER: Final = Reader(sensitive=True)


async def measure_calls(addresses: Addresses, console: Console, *, calls: int, contacts: int, rounds: int) -> Figures:
    """Pages and reports of so many calls, then so many contacts called with and without the lists' indexes."""
    figures = Figures(f"calls: {calls:,} calls of one organization in {CAMPAIGNS} campaigns", ("", "p50 / p95 ms"))
    async with new_stage(addresses) as stage:
        store = stage.store
        organization = await add_organization(store)
        configuration = await add_configuration(store, organization)
        campaigns = [await add_campaign(store, organization, configuration) for _ in range(CAMPAIGNS)]
        await _fill(store, organization, campaigns, calls)
        console.print(f"  calls: {calls:,} are in", style="dim")
        await _measure_pages(store, organization, campaigns, figures)
        await _measure_report(store, organization, campaigns, figures)
    await _measure_endings(addresses, console, contacts, rounds, figures)
    return figures


async def _fill(store: Store, organization: Document, campaigns: list[Document], calls: int) -> None:
    rng, now = random.Random(5), utc_now()
    outcomes = [outcome.value for outcome in Outcome]
    ids = [new_id() for _ in range(max(1, calls // CALLS_OF_A_CONTACT))]
    for start in range(0, calls, CHUNK):
        attempts = []
        for number in range(start, min(start + CHUNK, calls)):
            attempt_id, at = new_id(), now - timedelta(seconds=number / 10)
            attempts.append(
                {
                    "_id": attempt_id,
                    "organization_id": organization["_id"],
                    "campaign_id": campaigns[number % CAMPAIGNS]["_id"],
                    "contact_id": rng.choice(ids),
                    "contact_created_at": now,
                    "contact_name": f"Ada Lovelace {number}",
                    "call_number": microseconds(at),
                    "attempt_number": 1,
                    "outcome_before": None,
                    "phone_number": f"+1415{rng.randrange(PHONES):07d}",
                    "caller_number": CALLER_NUMBERS[number % len(CALLER_NUMBERS)],
                    "agent_id": f"agent-{number % 7}",
                    "agent_version": None,
                    "generation": 1,
                    "outcome": rng.choice(outcomes),
                    "proven": True,
                    "created_at": at,
                    "started_at": at,
                    "answered_at": at,
                    "ended_at": at + timedelta(seconds=30),
                    "duration_seconds": rng.randrange(120) / 2,
                    "conversation_id": conversation_id_of(attempt_id),
                    "provider_call_id": f"CA{number:032x}",
                    "error": None,
                }
            )
        await store["attempts"].insert_many(attempts, ordered=False)
        said = [
            {"_id": attempt["_id"], "organization_id": organization["_id"], "disposition": "sold", "tags": ["a"]}
            for attempt in attempts[::4]
        ]
        await store["call_results"].insert_many(said, ordered=False)
    for place, campaign in enumerate(campaigns):
        mine = len(range(place, calls, CAMPAIGNS))
        counted = {"organization_id": organization["_id"], "shard": organization["shard"], "attempts": mine}
        await store["counters"].insert_one({"_id": campaign["_id"], **counted})


async def _measure_pages(store: Store, organization: Document, campaigns: list[Document], figures: Figures) -> None:
    organization_id, campaign_id = organization["_id"], campaigns[0]["_id"]
    some = await store["attempts"].find_one({"organization_id": organization_id})
    if some is None:
        raise BenchFailed("there are no calls")
    busy = CallFilter(campaign_id=campaign_id, outcomes=(Outcome.BUSY,))

    async def newest(which: CallFilter) -> None:
        await list_calls(
            store,
            organization_id,
            which,
            order=CallOrder.NEWEST,
            cursor=None,
            limit=PAGE,
            reader=READER,
        )

    async def numbered(which: CallFilter, order: CallOrder = CallOrder.NEWEST, offset: int = 0) -> None:
        await numbered_calls(store, organization_id, which, order=order, offset=offset, limit=PAGE, reader=READER)

    questions: dict[str, Callable[[], Awaitable[None]]] = {
        "newest of the organization": lambda: newest(CallFilter()),
        "newest of a campaign": lambda: newest(CallFilter(campaign_id=campaign_id)),
        "newest of an outcome in a campaign": lambda: newest(busy),
        "newest of a contact": lambda: newest(CallFilter(contact_ids=(some["contact_id"],))),
        "newest to a number": lambda: newest(CallFilter(called=some["phone_number"])),
        "the first page with the total": lambda: numbered(CallFilter()),
        "page 100 of an outcome, with the total": lambda: numbered(busy, offset=99 * PAGE),
        "of an agent, with the total": lambda: numbered(CallFilter(agent_id="agent-1")),
        "longest of a campaign, with the total": lambda: numbered(
            CallFilter(campaign_id=campaign_id), CallOrder.LONGEST
        ),
        "a name that nobody has, with the total": lambda: numbered(CallFilter(search="Grace")),
        "a disposition, with the total": lambda: numbered(CallFilter(dispositions=("sold",), status=CallStatus.ENDED)),
    }
    for name, ask in questions.items():
        await _measure(f"page of {PAGE}: {name}", name, ask, figures)
    for hours in (1, 24, MOST_HOURS):
        name = f"answered calls of {len(CALLER_NUMBERS)} caller numbers in {hours} h"
        since = utc_now() - timedelta(hours=hours)
        count = functools.partial(ended_calls_by_number, store, organization_id, CALLER_NUMBERS, since)
        await _measure(name, name, count, figures)


async def _measure(title: str, name: str, ask: Callable[[], Awaitable[object]], figures: Figures) -> None:
    taken = []
    for turn in range(ROUNDS):
        started = monotonic()
        await ask()
        taken.append(monotonic() - started)
        if turn >= 4 and sum(taken) > 10:
            break
    p50, p95 = (percentile(taken, share) for share in (0.5, 0.95))
    figures.rows.append((title, f"{milliseconds(p50)} / {milliseconds(p95)}"))
    figures.values[name] = {"p50_seconds": p50, "p95_seconds": p95}


async def _measure_report(store: Store, organization: Document, campaigns: list[Document], figures: Figures) -> None:
    """All campaigns one after the other, as the gateway writes them, and how this process grows meanwhile."""
    process = psutil.Process()
    for name, write in (("CSV", csv_rows), ("JSON Lines", json_lines)):
        before = process.memory_info().rss
        most, rows, started = before, 0, monotonic()
        for campaign in campaigns:
            async for some in call_report.rows(store, organization["_id"], campaign["_id"], None, None, sensitive=True):
                await asyncio.to_thread(write, some)
                rows += len(some)
                most = max(most, process.memory_info().rss)
        rate, grown = rows / (monotonic() - started), (most - before) / MIB
        figures.rows.append((f"report as {name}, {rows:,} rows", f"{rate:,.0f} rows/s, RSS + {grown:.0f} MiB"))
        figures.values[name] = {"rows_per_second": rate, "grown_mib": grown}
    figures.values["max_rss_kib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def _measure_endings(
    addresses: Addresses, console: Console, contacts: int, rounds: int, figures: Figures
) -> None:
    rates: dict[str, list[float]] = {"with": [], "without": []}
    for number in range(rounds):
        async with new_stage(addresses) as listed, new_stage(addresses) as bare:
            for index in LISTS:
                await bare.store["attempts"].drop_index(index)
            now = utc_now()
            shards: dict[str, tuple[Store, BenchShard]] = {}
            for name, stage in (("with", listed), ("without", bare)):
                await ensure_shards(stage.store)
                await set_global_limit(stage.store, 5000)
                shards[name] = stage.store, await new_shard(stage.store, 0, Variant.PLAIN, contacts, now)
            # Step by step in turn, so that both see the same noise.
            while busy := [one for one in shards.values() if sum(one[1].calls) < contacts or one[1].live]:
                now += timedelta(seconds=1)
                for store, shard in busy:
                    await step(store, shard, now)
            for name, (store, shard) in shards.items():
                await check_called(store, shard, contacts)
                rates[name].append(shard.rate)
        last = {name: f"{values[-1]:,.0f}" for name, values in rates.items()}
        console.print(f"  calls {number + 1}/{rounds}: {last}", style="dim")
    ratios = [mine / bare for mine, bare in zip(rates["with"], rates["without"], strict=True)]
    figures.rows.append(("claim and end, calls/s, with the lists' indexes", spread(rates["with"])))
    figures.rows.append(("the same without them", spread(rates["without"])))
    figures.rows.append(("with / without", spread(ratios, "{:.2f}")))
    figures.values["endings"] = {"with": rates["with"], "without": rates["without"], "ratios": ratios}
