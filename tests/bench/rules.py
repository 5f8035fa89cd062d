"""`rules`: what a shard's transactions cost with many zones, priorities, caller numbers, caps and legal hours.

The transactions alone, without Kafka and executors: fetch, plan, then end the calls before and claim the next in one
transaction, as a shard's loop does. The variants take turns, step by step, so that all see the same noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from rich.console import Console

from deploy.local.servers import Addresses
from services.scheduler.planner import plan
from services.scheduler.shards.memory import ShardMemory
from shared.clock import monotonic, utc_now
from shared.domain.contact import Tier
from shared.domain.facts import FactType
from shared.domain.outcome import Outcome
from shared.domain.queue_order import queue_of
from shared.events import CallFinished, DialJob
from shared.store.client import Document, Store
from shared.store.dialing.claim import MAX_CLAIM, ClaimOrder
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from shared.store.dialing.shards import GrantMove, ensure_shards, move_grants, set_global_limit, take_over
from shared.store.reports.counters import campaign_counts
from tests.bench.figures import Figures, spread
from tests.bench.stage import BenchFailed, new_stage
from tests.factories import add_caller_number, add_campaign, add_configuration, add_organization, contact_document

PRIORITIES = 10
NUMBERS = 100
# In all of them it is day at the hour of the bench, as legal hours want it.
ZONES = (
    *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles"),
    *("America/Anchorage", "America/Detroit", "America/Boise", "America/Toronto", "America/Winnipeg"),
    *("America/Halifax", "America/Edmonton", "America/Vancouver", "America/Regina", "America/Mexico_City"),
    *("America/Bogota", "America/Lima", "America/Panama", "America/Puerto_Rico", "America/Jamaica"),
)
# In UTC.
HOUR = 18
CHUNK = 5000
PHONES_APART = 1_000_000


class Variant(StrEnum):
    """What a campaign has of it all."""

    PLAIN = "plain"
    RULES = "20 zones, 10 priorities, 100 numbers, legal hours"
    CAPS = "the same with caps"
    TOLD = "plain, and told of everything"


_WITHOUT_RULES = (Variant.PLAIN, Variant.TOLD)


@dataclass(slots=True)
class BenchShard:
    """One variant's shard: its loop's memory, the calls that are up, and the seconds its steps have taken."""

    owner: Ownership
    memory: ShardMemory
    organization_id: str
    campaign_id: str
    live: list[DialJob] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Calls a second, claimed and ended."""
        return sum(self.calls) / sum(self.seconds)


async def measure_rules(addresses: Addresses, console: Console, *, contacts: int, rounds: int) -> Figures:
    """Rounds of all variants, each of which has so many contacts called."""
    rates: dict[Variant, list[float]] = {variant: [] for variant in Variant}
    for number in range(rounds):
        for variant, rate in (await _round(addresses, contacts)).items():
            rates[variant].append(rate)
            console.print(f"  rules {number + 1}/{rounds} {variant}: {rate:,.0f} calls/s", style="dim")
    figures = Figures(
        f"rules: claim and end {contacts:,} contacts, {MAX_CLAIM} a transaction, {rounds} rounds",
        ("", "calls/s", "this / plain"),
    )
    for variant, values in rates.items():
        ratios = [mine / plain for mine, plain in zip(values, rates[Variant.PLAIN], strict=True)]
        figures.rows.append((variant, spread(values), spread(ratios, "{:.2f}")))
        figures.values[variant] = {"calls_per_second": values, "this_over_plain": ratios}
    figures.notes.append("Every round ended with every contact called once, and counters = counts.")
    return figures


async def _round(addresses: Addresses, contacts: int) -> dict[Variant, float]:
    now = utc_now().astimezone(UTC).replace(hour=HOUR, minute=0, second=0, microsecond=0)
    async with new_stage(addresses) as stage:
        await ensure_shards(stage.store)
        await set_global_limit(stage.store, 10 * MAX_CLAIM)
        shards = {
            variant: await new_shard(stage.store, number, variant, contacts, now)
            for number, variant in enumerate(Variant)
        }
        while busy := [shard for shard in shards.values() if sum(shard.calls) < contacts or shard.live]:
            now += timedelta(seconds=1)
            for shard in busy:
                await step(stage.store, shard, now)
        for shard in shards.values():
            await check_called(stage.store, shard, contacts)
        return {variant: shard.rate for variant, shard in shards.items()}


async def step(store: Store, shard: BenchShard, now: datetime) -> None:
    """One step of the loop: what was placed is answered, and as much is claimed anew."""
    started = monotonic()
    freed = {shard.organization_id: len(shard.live)} if shard.live else {}
    demands = await shard.memory.demands(now, MAX_CLAIM, freed)
    entitled = {shard.organization_id: MAX_CLAIM}
    chosen = plan(demands, entitled, grant=MAX_CLAIM, held=shard.memory.held - len(shard.live), at_most=MAX_CLAIM)
    order = ClaimOrder(chosen.contact_ids, chosen.shares)
    work = ShardWork(ended=[_ending(job, now) for job in shard.live], claim=order)
    done = await do_shard_work(store, shard.owner, work, now)
    shard.memory.account(done.held, done.due, done.remaining)
    shard.memory.taken(order.contact_ids, done.left, now, claimed=bool(done.jobs or done.moved))
    if not done.jobs and not shard.live:
        raise BenchFailed(f"nobody can be called, after {sum(shard.calls)} calls")
    shard.live = done.jobs
    shard.calls.append(len(done.jobs))
    shard.seconds.append(monotonic() - started)


def _ending(job: DialJob, now: datetime) -> CallFinished:
    at = now - timedelta(milliseconds=500)
    return CallFinished(
        organization_id=job.organization_id,
        shard=job.shard,
        attempt_id=job.attempt_id,
        contact_id=job.contact_id,
        outcome=Outcome.ANSWERED,
        started_at=at,
        answered_at=at,
        ended_at=now,
        duration_seconds=0.5,
        provider_call_id=job.attempt_id,
    )


async def new_shard(store: Store, number: int, variant: Variant, contacts: int, now: datetime) -> BenchShard:
    organization, campaign = await _customer(store, number, variant)
    await _fill(store, organization, campaign, contacts, now, ruled=variant not in _WITHOUT_RULES)
    owner = Ownership(number, await take_over(store, number))
    if not await move_grants(store, [GrantMove(owner, MAX_CLAIM)]):
        raise BenchFailed("the shard got no slots")
    memory = ShardMemory(store, number)
    await memory.load(now)
    return BenchShard(owner, memory, organization["_id"], campaign["_id"])


async def _customer(store: Store, shard: int, variant: Variant) -> tuple[Document, Document]:
    fields: dict[str, Any] = {"shard": shard, "concurrency_limit": MAX_CLAIM}
    if variant in _WITHOUT_RULES:
        wanted = list(FactType) if variant is Variant.TOLD else []
        organization = await add_organization(store, fact_types=wanted, **fields)
        return organization, await add_campaign(store, organization)
    caps = {"max_attempts_per_number_per_day": 3, "max_attempts_per_number_per_week": 5, "min_minutes_between_calls": 5}
    capped = variant is Variant.CAPS
    organization = await add_organization(store, legal_hours="on", **fields, **(caps if capped else {}))
    for number in range(NUMBERS):
        limits = {"max_calls": MAX_CLAIM, "daily_limit": 1_000_000}
        await add_caller_number(store, organization, f"+1202555{number:04d}", pools=["all"], **limits)
    a_day = {"max_attempts_per_day": 3} if capped else {}
    configuration = await add_configuration(store, organization, **a_day)
    return organization, await add_campaign(store, organization, configuration, caller_number_pool="all")


async def _fill(
    store: Store, organization: Document, campaign: Document, contacts: int, now: datetime, *, ruled: bool
) -> None:
    created_at = now - timedelta(hours=1)

    def document(number: int) -> Document:
        # Phones of its own, so that no variant finds in a cache what another one has worked out.
        number += PHONES_APART * organization["shard"]
        priority = number % PRIORITIES
        own = {"timezone": ZONES[number % len(ZONES)], "priority": priority, "tier": queue_of(priority, Tier.FRESH)}
        return contact_document(organization, campaign, number, created_at=created_at, **(own if ruled else {}))

    for start in range(0, contacts, CHUNK):
        documents = [document(number) for number in range(start, min(start + CHUNK, contacts))]
        await store["contacts"].insert_many(documents)
    of: Sequence[str | None] = ZONES if ruled else [None]
    noted = {"added": contacts, "zones": of, "prioritized": ruled, "shard": organization["shard"]}
    ids = {"campaign_id": campaign["_id"], "organization_id": organization["_id"], "changed_at": created_at}
    await store["counters_in"].insert_one({"_id": f"{campaign['_id']}/bench", **ids, **noted})


async def check_called(store: Store, shard: BenchShard, contacts: int) -> None:
    counts = await campaign_counts(store, shard.campaign_id)
    said = (counts.completed, counts.called, counts.answered, counts.outcomes, counts.calls_of_run(1))
    if said != (contacts, contacts, contacts, {"answered": contacts}, contacts):
        raise BenchFailed(f"of {contacts} contacts the counters say {counts}")
    there = {"campaign_id": shard.campaign_id, "status": "completed", "attempts_made": 1}
    if await store["contacts"].count_documents(there) != contacts:
        raise BenchFailed("not every contact was called once")
