"""`lists`: pages of a large campaign's contacts, by status and from far behind, against the same fifty by their ids.

Four fifths are completed; of the others a thousand wait, whose page is in the index of who is due, and those that are
locked or in progress are none, as in a campaign that rests.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from rich.console import Console

from deploy.local.servers import Addresses
from shared.clock import monotonic, utc_now
from shared.domain.contact import ContactStatus
from shared.store.client import Document, Store
from shared.store.contacts.queries import list_contacts
from tests.bench.figures import Figures, milliseconds, percentile
from tests.bench.stage import BenchFailed, new_stage
from tests.factories import add_campaign, add_configuration, add_organization, contact_document

PAGE: Final = 50
ROUNDS: Final = 20
CHUNK: Final = 5000
WAIT: Final = 1000
EVERY_FIFTH: Final = 5


async def measure_lists(addresses: Addresses, console: Console, *, large: int) -> Figures:
    """Pages of one campaign of so many contacts, each page a round of its own."""
    async with new_stage(addresses) as stage:
        store = stage.store
        organization = await add_organization(store)
        campaign = await add_campaign(store, organization, await add_configuration(store, organization))
        await _fill(store, organization, campaign, large)
        console.print(f"  lists: {large:,} contacts are in", style="dim")
        return await _measure(store, organization["_id"], campaign["_id"], large)


async def _fill(store: Store, organization: Document, campaign: Document, large: int) -> None:
    counts: dict[ContactStatus, int] = {}

    def status_of(number: int) -> ContactStatus:
        if number >= large - WAIT:
            return ContactStatus.PENDING
        return ContactStatus.EXHAUSTED if number % EVERY_FIFTH == 0 else ContactStatus.COMPLETED

    for start in range(0, large, CHUNK):
        documents = []
        for number in range(start, min(start + CHUNK, large)):
            status = status_of(number)
            counts[status] = counts.get(status, 0) + 1
            documents.append(contact_document(organization, campaign, number, status=status, seq=number - start))
        await store["contacts"].insert_many(documents)
    counted = {
        "completed": counts[ContactStatus.COMPLETED],
        "exhausted": counts[ContactStatus.EXHAUSTED],
        "pending": counts[ContactStatus.PENDING] - large,
    }
    await store["counters"].insert_one({"_id": campaign["_id"], "shard": organization["shard"], **counted})
    await store["counters_in"].insert_one(
        {"_id": f"{campaign['_id']}/bench", "campaign_id": campaign["_id"], "added": large, "zones": [None]}
    )


async def _measure(store: Store, organization_id: str, campaign_id: str, large: int) -> Figures:
    figures = Figures(
        f"lists: a page of {PAGE} of {large:,} contacts, {ROUNDS} rounds",
        ("", "p50 / p99 ms", "by their ids, p50 ms", "ours / by ids"),
    )
    pages: dict[str, tuple[ContactStatus | None, int]] = {
        "the first": (None, 0),
        "from the middle on": (None, large // 2),
        "the last": (None, large - PAGE),
        "pending, of the last 1,000": (ContactStatus.PENDING, 0),
        "locked, none": (ContactStatus.LOCKED, 0),
        "in progress, none": (ContactStatus.IN_PROGRESS, 0),
        "error, none": (ContactStatus.ERROR, 0),
        "completed": (ContactStatus.COMPLETED, 0),
        "exhausted, from the middle on": (ContactStatus.EXHAUSTED, large // EVERY_FIFTH // 2),
    }
    for name, (status, offset) in pages.items():

        async def page(status: ContactStatus | None = status, offset: int = offset) -> list[str]:
            found = await list_contacts(
                store, organization_id, campaign_id, status=status, limit=PAGE, offset=offset, now=utc_now()
            )
            return [contact.id for contact in found.rows]

        ids = await page()
        expected = 0 if name.endswith("none") else PAGE
        if len(ids) != expected:
            raise BenchFailed(f"{name}: {len(ids)} contacts, not {expected}")

        async def by_ids(ids: list[str] = ids) -> list[str]:
            return [each["_id"] async for each in store["contacts"].find({"_id": {"$in": ids}})]

        ours, bare = await _in_turn(page, by_ids)
        shown = f"{milliseconds(percentile(ours, 0.5))} / {milliseconds(percentile(ours, 0.99))}"
        p50, of_bare = percentile(ours, 0.5), percentile(bare, 0.5)
        figures.rows.append((name, shown, milliseconds(of_bare), f"{p50 / of_bare:.1f}"))
        figures.values[name] = {"seconds": ours, "by_ids_seconds": bare}
    figures.notes.append("From far behind on, the way there is made in the index; of a status, by walking the list.")
    return figures


async def _in_turn(*asked: Callable[[], Awaitable[list[str]]]) -> list[list[float]]:
    taken: list[list[float]] = [[] for _ in asked]
    for _ in range(ROUNDS):
        for question, seconds in zip(asked, taken, strict=True):
            began = monotonic()
            await question()
            seconds.append(monotonic() - began)
    return taken
