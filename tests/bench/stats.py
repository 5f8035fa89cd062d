"""`stats`: what a campaign's statistics cost, large and small, by counters and by counting."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable

import aiohttp
from rich.console import Console

from deploy.local.home import free_port
from deploy.local.servers import Addresses
from shared.clock import monotonic, utc_now
from shared.domain.contact import ContactStatus
from shared.store.catalog.keys import KeyKind, Scope, create_key
from shared.store.client import Document, Store
from shared.store.dialing.ledger import BUCKET
from shared.store.reports.counters import campaign_counts
from tests.bench.figures import Figures, milliseconds, percentile
from tests.bench.stage import BenchFailed, Stage, new_stage, running_members, until
from tests.factories import add_campaign, add_configuration, add_organization, contact_document

SMALL = 10
CHUNK = 5000
# Rounds: cheap questions are asked often, counting is asked seldom.
OFTEN, SELDOM = 200, 10
START_SECONDS = 30.0
SHARES = {
    ContactStatus.COMPLETED: 5,
    ContactStatus.PENDING: 3,
    ContactStatus.EXHAUSTED: 1,
    ContactStatus.SKIPPED: 1,
}
Question = Callable[[], Awaitable[object]]


async def measure_stats(addresses: Addresses, console: Console, *, large: int) -> Figures:
    """The same questions of a large and of a small campaign, in turn."""
    async with new_stage(addresses) as stage:
        organization = await add_organization(stage.store)
        configuration = await add_configuration(stage.store, organization)
        campaigns = {}
        for contacts in (SMALL, large):
            campaigns[contacts] = await add_campaign(stage.store, organization, configuration)
            await fill(stage.store, organization, campaigns[contacts], contacts)
            await _check(stage.store, campaigns[contacts], contacts)
        console.print(f"  stats: {large:,} contacts are in", style="dim")
        return await _ask(stage, organization, campaigns, large)


async def _ask(stage: Stage, organization: Document, campaigns: dict[int, Document], large: int) -> Figures:
    port = free_port()
    credential = await credential_of(stage.store, organization)
    headers = {"Authorization": f"Bearer {credential}"}
    async with (
        running_members(stage, ("api", "services.campaign_api", {"http_port": port})) as members,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as client,
    ):

        async def get(path: str) -> object:
            async with client.get(path) as answer:
                answer.raise_for_status()
                return await answer.json()

        async def serves() -> bool:
            try:
                await get(_path(campaigns[SMALL]))
            except aiohttp.ClientConnectionError:
                return False
            return True

        async def far() -> str:
            return "campaign-api does not answer"

        await until(serves, members, START_SECONDS, far)
        by_http = await _compare(campaigns, OFTEN, lambda campaign: get(_path(campaign)))
        by_counters = await _compare(campaigns, OFTEN, lambda campaign: campaign_counts(stage.store, campaign["_id"]))
        by_group = await _compare(campaigns, SELDOM, lambda campaign: _count_by_hand(stage.store, campaign))
    return _figures(large, {"GET stats": by_http, "counters": by_counters, "$group": by_group})


def _path(campaign: Document) -> str:
    return f"/campaign/campaigns/{campaign['_id']}/stats"


async def _compare(
    campaigns: dict[int, Document], rounds: int, ask: Callable[[Document], Awaitable[object]]
) -> dict[int, list[float]]:
    """Seconds for each question, by size; the sizes take turns."""
    taken: dict[int, list[float]] = {contacts: [] for contacts in campaigns}
    for _ in range(rounds):
        for contacts, campaign in campaigns.items():
            started = monotonic()
            await ask(campaign)
            taken[contacts].append(monotonic() - started)
    return taken


def _figures(large: int, taken: dict[str, dict[int, list[float]]]) -> Figures:
    figures = Figures(
        f"stats: a campaign of {large:,} contacts and one of {SMALL}",
        ("", f"{large:,}: p50 / p99 ms", f"{SMALL}: p50 / p99 ms", "large / small"),
    )
    for name, seconds in taken.items():
        p50 = {size: percentile(values, 0.5) for size, values in seconds.items()}
        shown = [
            f"{milliseconds(p50[size])} / {milliseconds(percentile(seconds[size], 0.99))}" for size in (large, SMALL)
        ]
        figures.rows.append((name, *shown, f"{p50[large] / p50[SMALL]:.2f}"))
        figures.values[name] = {"large_p50_seconds": p50[large], "small_p50_seconds": p50[SMALL]}
    return figures


async def fill(store: Store, organization: Document, campaign: Document, contacts: int) -> None:
    """Insert a campaign's contacts, most of them over, and the counters that go with them."""
    dice = random.Random(1)
    statuses = dice.choices(list(SHARES), list(SHARES.values()), k=contacts)
    for start in range(0, contacts, CHUNK):
        numbers = range(start, min(start + CHUNK, contacts))
        documents = [contact_document(organization, campaign, n, status=statuses[n]) for n in numbers]
        await store["contacts"].insert_many(documents)
    counts = Counter(BUCKET[status] for status in statuses)
    counts["pending"] -= contacts
    await store["counters"].insert_one({"_id": campaign["_id"], "shard": organization["shard"], **counts})
    await store["counters_in"].insert_one(
        {"_id": f"{campaign['_id']}/bench", "campaign_id": campaign["_id"], "added": contacts, "zones": [None]}
    )


async def _count_by_hand(store: Store, campaign: Document) -> Counter[str]:
    pipeline: list[Document] = [
        {"$match": {"campaign_id": campaign["_id"]}},
        {"$group": {"_id": "$status", "n": {"$sum": 1}}},
    ]
    cursor = await store["contacts"].aggregate(pipeline)
    return Counter({row["_id"]: row["n"] async for row in cursor})


async def _check(store: Store, campaign: Document, contacts: int) -> None:
    counts, by_hand = await campaign_counts(store, campaign["_id"]), await _count_by_hand(store, campaign)
    counted = {status: getattr(counts, BUCKET[status]) for status in SHARES}
    if counted != {status: by_hand[status] for status in SHARES} or counts.total != contacts:
        raise BenchFailed(f"counters say {counts}, the contacts {dict(by_hand)}")


async def large_and_small(store: Store, large: int) -> tuple[dict[int, Document], dict[int, str]]:
    """Two organizations with one campaign each, of so many contacts and of SMALL: campaigns and keys by size."""
    campaigns: dict[int, Document] = {}
    keys: dict[int, str] = {}
    for size in (SMALL, large):
        organization = await add_organization(store)
        configuration = await add_configuration(store, organization)
        campaigns[size] = await add_campaign(store, organization, configuration, number=1)
        await fill(store, organization, campaigns[size], size)
        keys[size] = await credential_of(store, organization)
    return campaigns, keys


async def credential_of(store: Store, organization: Document) -> str:
    """A new key of the organization that may read campaigns."""
    _, credential = await create_key(
        store,
        kind=KeyKind.ORGANIZATION,
        name="bench",
        person=None,
        organization_ids=[organization["_id"]],
        scopes=[Scope.CAMPAIGNS_READ],
        expires_at=None,
        now=utc_now(),
    )
    return credential
