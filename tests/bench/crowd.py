"""Whom a run dials, how it is let go, and what must be true when it has ended."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.bus.producer import Producer
from shared.domain.counts import CampaignCounts
from shared.events import CampaignChanged
from shared.store.client import Document, Store
from shared.store.reports.counters import campaign_counts
from tests.bench.journal import Journal
from tests.bench.stage import BenchFailed, Stage
from tests.factories import add_campaign, add_configuration, add_contacts, add_organization


@dataclass(frozen=True, slots=True)
class Crowd:
    """One organization: a small campaign that shows that every process is at work, then the measured one."""

    organization: Document
    warm_up: Document
    measured: Document
    warm_up_contacts: int
    contacts: int


async def gather_crowd(store: Store, *, contacts: int, warm_up: int, slots: int) -> Crowd:
    """Insert it all; the measured campaign is paused."""
    organization = await add_organization(store, concurrency_limit=slots)
    configuration = await add_configuration(store, organization)
    first = await add_campaign(store, organization, configuration)
    measured = await add_campaign(store, organization, configuration, intent="paused")
    await add_contacts(store, organization, first, warm_up)
    await add_contacts(store, organization, measured, contacts)
    return Crowd(organization, first, measured, warm_up, contacts)


async def let_go(stage: Stage, crowd: Crowd, producer: Producer) -> None:
    """Activate the measured campaign."""
    await set_intent(stage, crowd.organization, crowd.measured, "running", producer)


async def set_intent(stage: Stage, organization: Document, campaign: Document, intent: str, producer: Producer) -> None:
    """Activate or pause a campaign, as the API does it: the intent, the stamp, the hint."""
    await stage.store["campaigns"].update_one({"_id": campaign["_id"]}, {"$set": {"intent": intent}})
    await stage.store["organizations"].update_one({"_id": organization["_id"]}, {"$currentDate": {"changed_at": True}})
    event = CampaignChanged(
        organization_id=organization["_id"], shard=organization["shard"], campaign_id=campaign["_id"]
    )
    if await producer.publish_events([event]):
        raise BenchFailed("Kafka did not acknowledge the event that starts or ends the run")


async def is_completed(store: Store, campaign_id: str, contacts: int) -> bool:
    """Whether everybody has been called, as the counters say."""
    counter = await store["counters"].find_one({"_id": campaign_id}, {"completed": 1})
    return counter is not None and counter.get("completed", 0) >= contacts


async def how_far(store: Store, crowd: Crowd) -> str:
    """Where a run that does not end stands, counted by hand."""
    statuses = {
        campaign["name"]: dict(await _statuses(store, campaign["_id"])) for campaign in (crowd.warm_up, crowd.measured)
    }
    shards = await store["shards"].find({"held": {"$ne": 0}}).to_list()
    return f"contacts by status (warm-up, measured): {list(statuses.values())}; held by shards: {shards}"


async def check_ended_well(store: Store, crowd: Crowd, journal: Journal) -> None:
    """Nothing held, counters equal to counts, every contact called exactly once as the carrier saw it."""
    expected = CampaignCounts(0, 0, crowd.contacts, 0, 0, 0, crowd.contacts)
    said = await campaign_counts(store, crowd.measured["_id"])
    # The bare loop counts neither reasons nor outcomes, nor what came of contacts.
    counted = CampaignCounts(
        said.pending, said.active, said.completed, said.exhausted, said.error, said.skipped, said.attempts
    )
    statuses = await _statuses(store, crowd.measured["_id"])
    everybody = crowd.contacts + crowd.warm_up_contacts
    _all_as_wanted(
        {
            "counters": (counted, expected),
            "contacts": (dict(statuses), {"completed": crowd.contacts}),
            "budgets and shards that hold slots": (await held(store), []),
            "attempts": (await store["attempts"].count_documents({}), everybody),
            "calls at the carrier": (len(journal.placed), everybody),
            "contacts called": (len(set(journal.contacts)), everybody),
        }
    )


async def check_paused_well(store: Store, campaigns: Sequence[Document], journal: Journal) -> None:
    """After a run that ended in the middle: as `check_ended_well`, with some contacts who still wait."""
    facts: dict[str, tuple[object, object]] = {"budgets and shards that hold slots": (await held(store), [])}
    completed = 0
    for campaign in campaigns:
        statuses, counted = await _statuses(store, campaign["_id"]), await campaign_counts(store, campaign["_id"])
        facts[f"counters of {campaign['_id']}"] = (
            {"pending": counted.pending, "completed": counted.completed, "all": counted.total},
            {"pending": statuses["pending"], "completed": statuses["completed"], "all": statuses.total()},
        )
        facts[f"other contacts of {campaign['_id']}"] = (statuses.keys() - {"pending", "completed"}, set())
        completed += statuses["completed"]
    facts["attempts"] = (await store["attempts"].count_documents({}), completed)
    facts["calls at the carrier"] = (len(journal.placed), completed)
    facts["contacts called"] = (len(set(journal.contacts)), completed)
    _all_as_wanted(facts)


async def held(store: Store) -> list[Document]:
    """Budgets and shards that hold slots."""
    holding = {"held": {"$ne": 0}}
    return await store["budgets"].find(holding).to_list() + await store["shards"].find(holding).to_list()


def _all_as_wanted(facts: Mapping[str, tuple[object, object]]) -> None:
    wrong = [f"{name}: {found}, not {wanted}" for name, (found, wanted) in facts.items() if found != wanted]
    if wrong:
        raise BenchFailed("the run ended, but not well: " + "; ".join(wrong))


async def _statuses(store: Store, campaign_id: str) -> Counter[str]:
    pipeline: list[Document] = [
        {"$match": {"campaign_id": campaign_id}},
        {"$group": {"_id": "$status", "n": {"$sum": 1}}},
    ]
    cursor = await store["contacts"].aggregate(pipeline)
    return Counter({row["_id"]: row["n"] async for row in cursor})
