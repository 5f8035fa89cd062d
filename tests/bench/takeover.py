"""`takeover`: how soon after a scheduler's start the one contact who is due is called, beside many who are not.

The scheduler is the only one, so it takes over every shard. In every campaign but one, one contact waits until
tomorrow. What is compared with is the same with few such campaigns; part of either is the start of the process.
"""

from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console

from deploy.local.servers import Addresses
from shared.clock import monotonic, utc_now
from shared.domain.ids import SHARDS
from shared.store.client import Document, Store
from tests.bench.crowd import is_completed
from tests.bench.dialing import OUR_EXECUTOR, OUR_SCHEDULER, executor_settings
from tests.bench.figures import Figures, median, spread
from tests.bench.journal import Journal
from tests.bench.stage import BenchFailed, CpuClock, Stage, new_stage, running_members, start_member, until
from tests.factories import add_campaign, add_configuration, add_contacts, add_organization, contact_document

FEW = 10
DEADLINE_SECONDS = 300.0
# At once into the database.
INSERTED = 1000


@dataclass(frozen=True, slots=True)
class _Run:
    """Seconds from the start of the scheduler's process to the first call, and what CPU it had used by its end."""

    first_call: float
    cpu: dict[str, float]


async def measure_takeover(
    addresses: Addresses, console: Console, *, organizations: int, campaigns: int, rounds: int
) -> Figures:
    """Interleaved rounds: many organizations with so many sleeping campaigns each, and few campaigns in all."""
    many, few = organizations * campaigns, FEW
    runs: dict[int, list[_Run]] = {many: [], few: []}
    for number in range(rounds):
        for count, done in runs.items():
            done.append(await _once(addresses, min(organizations, count), count))
            console.print(
                f"  takeover {number + 1}/{rounds}, {count:,} campaigns: first call after {done[-1].first_call:.2f} s",
                style="dim",
            )
    return _figures(runs, organizations, rounds)


def _figures(runs: dict[int, list[_Run]], organizations: int, rounds: int) -> Figures:
    many, few = runs
    figures = Figures(
        f"takeover: {many:,} campaigns of {organizations:,} organizations that wait, and {few}, {rounds} rounds",
        ("", f"{many:,}", f"{few}"),
    )
    firsts = {count: [run.first_call for run in done] for count, done in runs.items()}
    shown = [spread(seconds, "{:.2f}") for seconds in firsts.values()]
    figures.rows.append(("start of the scheduler -> first call, s", *shown))
    for name in ("scheduler", "mongod"):
        used = {count: [run.cpu.get(name, 0.0) for run in done] for count, done in runs.items()}
        shown = [spread(seconds, "{:.2f}") for seconds in used.values()]
        figures.rows.append((f"CPU of {name} until the call was over, s", *shown))
        figures.values[f"{name}_cpu_seconds"] = {str(count): seconds for count, seconds in used.items()}
    figures.values["first_call_seconds"] = {str(count): seconds for count, seconds in firsts.items()}
    figures.values["many_less_few_seconds"] = median(firsts[many]) - median(firsts[few])
    figures.notes.append(f"All {SHARDS} shards go to the one scheduler; the process starts within the time.")
    return figures


async def _once(addresses: Addresses, organizations: int, campaigns: int) -> _Run:
    async with new_stage(addresses) as stage:
        await _fill(stage.store, organizations, campaigns)
        due = await add_organization(stage.store, shard=SHARDS - 1)
        campaign = await add_campaign(stage.store, due)
        await add_contacts(stage.store, due, campaign, 1)
        first, cpu = await _take_over(stage, campaign)
        journal = Journal.load(stage.folder / "journal.json")
        if len(journal.placed) != 1:
            raise BenchFailed(f"{len(journal.placed)} calls were placed, not one")
        return _Run(journal.placed[0] - first, cpu)


async def _take_over(stage: Stage, campaign: Document) -> tuple[float, dict[str, float]]:
    """When the scheduler was started (monotonic), and the CPU seconds until the call was over."""

    async def executor_lives() -> bool:
        return await stage.store["executors"].find_one() is not None

    async def is_over() -> bool:
        return await is_completed(stage.store, campaign["_id"], 1)

    async def far() -> str:
        contact = await stage.store["contacts"].find_one({"campaign_id": campaign["_id"]}, {"status": 1})
        return f"executors: {await stage.store['executors'].count_documents({})}, the contact: {contact}"

    settings = executor_settings(stage, 10)
    async with running_members(stage, ("executor", OUR_EXECUTOR, settings)) as members:
        await until(executor_lives, members, DEADLINE_SECONDS, far)
        started = monotonic()
        scheduler = await start_member(stage, "scheduler", OUR_SCHEDULER, {"telephony_provider": "scripted"})
        members.append(scheduler)
        cpu = CpuClock(stage, members)
        await until(is_over, members, DEADLINE_SECONDS, far, every=0.05)
        return started, cpu.used()


async def _fill(store: Store, organizations: int, campaigns: int) -> None:
    tomorrow = utc_now() + timedelta(days=1)
    contacts: list[Document] = []
    noted: list[Document] = []
    for number in range(organizations):
        organization = await add_organization(store, shard=number % SHARDS)
        configuration = await add_configuration(store, organization)
        for of_it in range(number, campaigns, organizations):
            campaign = await add_campaign(store, organization, configuration)
            contacts.append(contact_document(organization, campaign, of_it, due_at=tomorrow))
            ids = {"_id": f"{campaign['_id']}/bench", "campaign_id": campaign["_id"], "shard": organization["shard"]}
            of = {"organization_id": organization["_id"], "changed_at": utc_now()}
            noted.append({**ids, **of, "added": 1, "zones": [None]})
    for first in range(0, len(contacts), INSERTED):
        await store["contacts"].insert_many(contacts[first : first + INSERTED])
        await store["counters_in"].insert_many(noted[first : first + INSERTED])
