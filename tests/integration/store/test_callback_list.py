"""The list of callbacks: in order whatever ties there are, and at a cost that does not grow with the contacts."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.callbacks import CallbackType
from shared.domain.contact import Tier
from shared.domain.queue_order import queue_of
from shared.store.client import Document, Store
from shared.store.contacts import callback_list
from shared.store.contacts.callback_list import CallbackFilter, list_callbacks, numbered_callbacks
from tests.factories import add_campaign, add_configuration, add_contacts, add_organization, contact_document

NOW = utc_now().replace(microsecond=0)
ANY = CallbackFilter()
ZONES = [None, "Europe/Berlin", "Asia/Tokyo"]
CALLED: Document = {"attempts_made": 1, "outcomes": {"busy": 1}, "waiting": 1}


async def in_campaign(store: Store, organization: Document, **fields: Any) -> Document:
    """A campaign of which the counters know that it has called somebody, and zones."""
    campaign = await add_campaign(store, organization, fields.pop("configuration", None))
    await add_contacts(store, organization, campaign, 1, status="exhausted", ended_because="busy", **CALLED)
    counted = {"attempts": 1, "shard": organization["shard"]}
    await store["counters"].update_one({"_id": campaign["_id"]}, {"$inc": counted}, upsert=True)
    known = {"$addToSet": {"zones": {"$each": ZONES}}, "$set": fields}
    await store["counters_in"].update_one({"campaign_id": campaign["_id"]}, known)
    return campaign


async def waiting(store: Store, organization: Document, campaign: Document, count: int, **fields: Any) -> list[str]:
    contacts = [contact_document(organization, campaign, number, **{**CALLED, **fields}) for number in range(count)]
    await store["contacts"].insert_many(contacts)
    return [contact["_id"] for contact in contacts]


async def pages(store: Store, organization: Document, limit: int, which: CallbackFilter = ANY) -> list[list[str]]:
    found: list[list[str]] = []
    cursor = None
    while True:
        page = await list_callbacks(store, organization["_id"], None, which, cursor=cursor, limit=limit, now=NOW)
        found.append([contact.id for contact in page.rows])
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 3, 200])
async def test_pages_join_to_the_order_of_a_sort_of_everything(
    store: Store, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(callback_list, "_AT_ONCE", 4)
    monkeypatch.setattr(callback_list, "RANGES_PER_QUERY", 5)
    rng = random.Random(limit)
    organization = await add_organization(store)
    configuration = await add_configuration(store, organization)
    campaigns = [
        await in_campaign(store, organization, configuration=configuration, prioritized=number % 2 == 0)
        for number in range(4)
    ]
    contacts = []
    for number in range(60):
        campaign = campaigns[number % 4]
        priority = rng.choice([0, 3]) if number % 2 == 0 else 0
        tier = rng.choice([Tier.RETRY, Tier.REQUESTED]) if number % 2 == 0 else Tier.RETRY
        # Few due times and places in the request, so that most stand in ties.
        fields: dict[str, Any] = {"due_at": NOW + timedelta(minutes=rng.randint(0, 2)), "seq": rng.randint(0, 1)}
        own_number = number % 4 in (1, 2) and rng.random() < 0.5
        fields |= {"agent_number": "+14155550177" if own_number else None, "timezone": rng.choice(ZONES), **CALLED}
        fields |= {"tier": queue_of(priority, tier, own_number=own_number), "priority": priority}
        contacts.append(contact_document(organization, campaign, number, **fields))
    await store["contacts"].insert_many(contacts)
    with_own_numbers = {"campaign_id": {"$in": [campaigns[number]["_id"] for number in (1, 2)]}}
    await store["counters_in"].update_many(with_own_numbers, {"$set": {"own_numbers": True}})
    in_order = [c["_id"] for c in sorted(contacts, key=lambda c: (c["due_at"], c["seq"], c["_id"]))]
    found = await pages(store, organization, limit)
    assert [contact_id for page in found for contact_id in page] == in_order
    assert max(map(len, found)) == min(limit, 60)
    for offset in (0, 7, 59, 60):
        numbered = await numbered_callbacks(store, organization["_id"], None, ANY, offset=offset, limit=limit, now=NOW)
        assert [contact.id for contact in numbered.rows] == in_order[offset : offset + limit]
        assert numbered.total == 60
    kinds = {kind: await pages(store, organization, limit, CallbackFilter(kind)) for kind in CallbackType}
    assert sum(len(page) for pages_of_kind in kinds.values() for page in pages_of_kind) == 60
    assert all(kinds.values())


async def test_contacts_that_were_reset_are_no_callbacks_and_end_a_page(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback_list, "_AT_ONCE", 5)
    monkeypatch.setattr(callback_list, "MAX_LOOKED_AT", 10)
    organization = await add_organization(store)
    campaign = await in_campaign(store, organization)
    reset = {"uncounted": 1, "outcomes": {}, "tier": int(Tier.RETRY)}
    await waiting(store, organization, campaign, 25, due_at=NOW, **reset)
    last = await waiting(store, organization, campaign, 2, due_at=NOW + timedelta(hours=1), tier=int(Tier.RETRY))
    found = await pages(store, organization, 3)
    assert [contact_id for page in found for contact_id in page] == last
    assert found[0] == [], "not every contact is looked at for one page"


async def test_the_cost_does_not_grow_with_the_contacts(store: Store) -> None:
    organization = await add_organization(store)
    campaign = await in_campaign(store, organization, prioritized=True)
    for priority in range(5):
        fresh = {"attempts_made": 0, "outcomes": {}, "tier": queue_of(priority, Tier.FRESH), "priority": priority}
        await waiting(store, organization, campaign, 600, **fresh)
        due: datetime = NOW + timedelta(hours=priority)
        retries = {"tier": queue_of(priority, Tier.RETRY), "priority": priority, "due_at": due}
        await waiting(store, organization, campaign, 200, **retries)
    await store.db.command({"profile": 2})
    page = await list_callbacks(store, organization["_id"], None, ANY, cursor=None, limit=10, now=NOW)
    await list_callbacks(store, organization["_id"], None, ANY, cursor=page.next_cursor, limit=10, now=NOW)
    await store.db.command({"profile": 0})
    assert len(page.rows) == 10
    looks = await store.db["system.profile"].find({"ns": f"{store.db.name}.contacts"}).to_list()
    read = {name: sum(look.get(name, 0) for look in looks) for name in ("docsExamined", "keysExamined")}
    assert max(read.values()) <= 400, f"{read} of 4,001 contacts"
