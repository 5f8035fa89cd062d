"""The migration to queues for contacts with a caller number of their own, from the queues of the release before."""

import itertools

import pytest

from services.scheduler.shards.memory import ShardMemory
from shared.clock import utc_now
from shared.domain.contact import Tier
from shared.domain.queue_order import REQUESTED_PRIORITY, TIERS, queue_of
from shared.store.client import Store
from shared.store.migrations import own_number_queues
from shared.store.migrations.own_number_queues import OWN_NUMBER_QUEUES
from tests.factories import add_campaign, add_organization, contact_document

NUMBER = "+14155550177"


def old_queue(priority: int, tier: Tier) -> int:
    """As releases before version 10 stored it."""
    return int(tier) - TIERS * (priority + (REQUESTED_PRIORITY if tier is Tier.REQUESTED else 0))


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_number_queues, "BATCH", 5)


async def test_every_queue_gets_its_new_number_and_every_campaign_its_mark(store: Store) -> None:
    organization = await add_organization(store)
    ones, plain = await add_campaign(store, organization), await add_campaign(store, organization)
    await store["contacts"].create_index([("campaign_id", 1)], name="own_number")
    cases = list(itertools.product([None, 0, 1, 2, 7, 999_999], Tier, [None, NUMBER]))
    contacts = [
        {
            **contact_document(organization, ones if own else plain, place, agent_number=own),
            "tier": old_queue(priority or 0, tier),
            "priority": priority,
        }
        for place, (priority, tier, own) in enumerate(cases)
    ]
    await store["contacts"].insert_many(contacts)
    no_tier = contact_document(organization, ones, len(cases), agent_number=NUMBER)
    del no_tier["tier"]
    await store["contacts"].insert_one(no_tier)
    for campaign, source in itertools.product((ones, plain), ("api-0", "ingest-0")):
        document = {"_id": f"{campaign['_id']}/{source}", "campaign_id": campaign["_id"], "shard": 0, "zones": []}
        await store["counters_in"].insert_one(document)
    changed = await OWN_NUMBER_QUEUES.count(store)
    assert 0 < changed < len(cases), "contacts of no priority and without a number stay as they are"
    assert await OWN_NUMBER_QUEUES.change_some(store) == changed
    assert await OWN_NUMBER_QUEUES.change_some(store) == await OWN_NUMBER_QUEUES.count(store) == 0, "twice is once"
    for contact, (priority, tier, own) in zip(contacts, cases, strict=True):
        stored = await store["contacts"].find_one({"_id": contact["_id"]})
        assert stored is not None
        assert stored["tier"] == queue_of(priority or 0, tier, own_number=own is not None)
        assert isinstance(stored["tier"], int)
    stored = await store["contacts"].find_one({"_id": no_tier["_id"]})
    assert stored is not None
    assert stored["tier"] == queue_of(0, Tier.FRESH, own_number=True), "of the first release"
    marked = {each["campaign_id"] async for each in store["counters_in"].find({"own_numbers": True})}
    assert marked == {ones["_id"]}
    assert await store["counters_in"].count_documents({"own_numbers": True}) == 2, "whoever reads any of them"
    assert "own_number" not in await store["contacts"].index_information()


async def test_a_campaign_whose_contacts_keep_their_queue_is_marked_too_and_calls_them(store: Store) -> None:
    now = utc_now()
    organization = await add_organization(store, default_agent_number=None)
    campaign = await add_campaign(store, organization)
    contact = contact_document(organization, campaign, 0, agent_number=NUMBER, created_at=now)
    contact |= {"priority": 1, "tier": old_queue(1, Tier.FRESH)}
    assert contact["tier"] == queue_of(1, Tier.FRESH, own_number=True), "the same number in both forms"
    await store["contacts"].insert_one(contact)
    noted = {"campaign_id": campaign["_id"], "shard": organization["shard"], "added": 1, "zones": [None]}
    await store["counters_in"].insert_one({"_id": f"{campaign['_id']}/api-0", **noted, "prioritized": True})
    assert await OWN_NUMBER_QUEUES.change_some(store) == 0
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    [demand] = await memory.demands(now, 10, {})
    assert [waiting.contact_id for waiting in demand.queues[0].waiting] == [contact["_id"]]
