"""`why`: what a large campaign's diagnosis and preview cost, and a page of its contacts with how each stands."""

from collections.abc import Awaitable, Callable

from rich.console import Console

from deploy.local.servers import Addresses
from shared.clock import monotonic, utc_now
from shared.domain.preview import Preview
from shared.domain.timezones import known_timezones
from shared.store.client import Document, Store
from shared.store.contacts.queries import list_contacts
from shared.store.reports.diagnosis import diagnose
from shared.store.reports.preview import MAX_CALLS, preview
from tests.bench.figures import Figures, milliseconds, percentile
from tests.bench.stage import BenchFailed, new_stage
from tests.factories import (
    ALWAYS_OPEN,
    add_campaign,
    add_configuration,
    add_organization,
    contact_document,
    open_limits,
)

SMALL = 10
CHUNK = 5000
ROUNDS = 30
PAGE = 200
SLOTS = 150
ZONES = 20
# Closed at any hour but one, so that for each contact the next opening has to be found.
WINDOWS = [{"days": ["sun"], "start": "03:00", "end": "03:01"}]


async def measure_why(addresses: Addresses, console: Console, *, large: int) -> Figures:
    """The same questions of a large and of a small campaign, in turn."""
    figures = Figures(
        f"why: a campaign of {large:,} waiting contacts and one of {SMALL}",
        ("", f"{large:,}: p50 / p99 ms", f"{SMALL}: p50 / p99 ms"),
    )
    async with new_stage(addresses) as stage:
        store = stage.store
        organization = await add_organization(store, concurrency_limit=SLOTS)
        await open_limits(store, organization["shard"], SLOTS)
        configuration = await add_configuration(store, organization, default_windows=WINDOWS)
        sizes = {size: await add_campaign(store, organization, configuration) for size in (SMALL, large)}
        for size, campaign in sizes.items():
            await _fill(store, organization, campaign, size)
            found = await diagnose(store, organization["_id"], campaign["_id"], utc_now())
            if sum(finding.contacts for finding in found.findings) != size:
                raise BenchFailed(f"of {size} contacts the diagnosis knows why these wait: {found.findings}")
        console.print(f"  why: {large:,} contacts are in", style="dim")

        async def page(campaign: Document) -> None:
            organization_id = organization["_id"]
            await list_contacts(
                store, organization_id, campaign["_id"], status=None, limit=PAGE, offset=0, now=utc_now()
            )

        async def dry_run(campaign: Document) -> Preview:
            ids = organization["_id"], organization["shard"], campaign["_id"]
            return await preview(store, *ids, MAX_CALLS, utc_now())

        async def dry_run_of_all_due(campaign: Document) -> None:
            if not (await dry_run(campaign)).calls:
                raise BenchFailed("nobody would be called, though all are due")

        questions: dict[str, Callable[[Document], Awaitable[object]]] = {
            "diagnosis": lambda campaign: diagnose(store, organization["_id"], campaign["_id"], utc_now()),
            f"page of {PAGE} contacts": page,
            "preview, outside hours": dry_run,
            "preview, all due": dry_run_of_all_due,
        }
        for name, ask in questions.items():
            if ask is dry_run_of_all_due:
                await store["configurations"].update_one({}, {"$set": {"default_windows": ALWAYS_OPEN}})
            taken: dict[int, list[float]] = {size: [] for size in sizes}
            for _ in range(ROUNDS):
                for size, campaign in sizes.items():
                    started = monotonic()
                    await ask(campaign)
                    taken[size].append(monotonic() - started)
            shown = {s: [percentile(taken[s], share) for share in (0.5, 0.99)] for s in (large, SMALL)}
            figures.rows.append((name, *(" / ".join(map(milliseconds, times)) for times in shown.values())))
            figures.values[name] = {"large_p50_seconds": shown[large][0], "small_p50_seconds": shown[SMALL][0]}
    return figures


async def _fill(store: Store, organization: Document, campaign: Document, contacts: int) -> None:
    zones = [None, *known_timezones()[:: len(known_timezones()) // ZONES]]
    for start in range(0, contacts, CHUNK):
        numbers = range(start, min(start + CHUNK, contacts))
        documents = [contact_document(organization, campaign, n, timezone=zones[n % len(zones)]) for n in numbers]
        await store["contacts"].insert_many(documents)
    noted = {"campaign_id": campaign["_id"], "added": contacts, "zones": zones}
    await store["counters_in"].insert_one({"_id": f"{campaign['_id']}/bench", **noted})
