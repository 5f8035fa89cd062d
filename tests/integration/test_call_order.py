"""Contacts of a campaign are called in its order: what the shard's loop is offered, against a sort of everything."""

import json
import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.scheduler.shards.memory import ShardMemory
from shared.clock import utc_now
from shared.domain.contact import Tier
from shared.domain.contact_input import ContactInput, prepare_contacts
from shared.domain.queue_order import REQUESTED_PRIORITY, QueueOrder, last_queue_of, queue_of, tier_in
from shared.domain.wishes import WishKind
from shared.store.client import Document, Store
from shared.store.contacts.asking import Asking, ask
from shared.store.contacts.upsert import upsert_contacts
from shared.store.contacts.wishes import carry_out
from shared.store.dialing import safety_look
from shared.store.dialing.moves import Move, apply_moves
from shared.store.dialing.ready import next_priority, waiting_priorities
from shared.store.dialing.shard_catalog import server_now
from shared.store.dialing.shard_transaction import Ownership, ShardTransaction
from tests.factories import (
    add_campaign,
    add_configuration,
    add_contacts,
    add_organization,
    contact_document,
    open_limits,
)

ZONES = [None, "Europe/Berlin", "America/New_York", "Asia/Tokyo"]


async def in_memory(store: Store, organization: Document, now: datetime) -> list[str]:
    """Ids of all contacts that the loop of the organization's shard is offered at `now`, in order, claimed in parts."""
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    called: list[str] = []
    while True:
        demands = await memory.demands(now, 1000, {})
        offered = [waiting.contact_id for demand in demands for queue in demand.queues for waiting in queue.waiting]
        if not offered:
            return called
        batch = offered[:40]
        await store["contacts"].update_many({"_id": {"$in": batch}}, {"$set": {"status": "locked"}})
        memory.taken(batch, [], now, claimed=True)
        called += batch


async def add_mixed(
    store: Store, campaign: Document, seed: int, now: datetime, count: int = 120, *, own_numbers: bool = True
) -> list[Document]:
    """Contacts of many priorities, tiers, zones and due times, some of them not due yet."""
    rng = random.Random(seed)
    organization = {"_id": campaign["organization_id"], "shard": campaign["shard"]}
    contacts = []
    for number in range(count):
        priority = rng.choice([0, 0, 0, 1, 5, 5, 999_999])
        due_at = now + timedelta(seconds=rng.randint(-300, 30))
        fields: dict[str, Any] = {"timezone": rng.choice(ZONES), "due_at": due_at, "priority": priority}
        own_number = own_numbers and rng.choice([False, False, True])
        fields["agent_number"] = "+14155550177" if own_number else None
        fields["tier"] = queue_of(priority, rng.choice(list(Tier)), own_number=own_number)
        contacts.append(contact_document(organization, campaign, number, **fields))
    await add_contacts(store, organization, campaign, 1, due_at=now + timedelta(days=1))
    await store["contacts"].insert_many(contacts)
    marks = {"prioritized": True, "own_numbers": own_numbers}
    changes = {"$inc": {"added": count}, "$set": marks, "$addToSet": {"zones": {"$each": ZONES}}}
    await store["counters_in"].update_one({"campaign_id": campaign["_id"]}, changes)
    return contacts


@pytest.mark.parametrize("order", list(QueueOrder))
@pytest.mark.parametrize("prefetch", [7, 1000])
async def test_the_order_is_that_of_a_sort_of_everything(
    store: Store, monkeypatch: pytest.MonkeyPatch, order: QueueOrder, prefetch: int
) -> None:
    monkeypatch.setattr("services.scheduler.shards.memory.PREFETCH", prefetch)
    now, seed = utc_now(), random.randrange(1_000_000)
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization, order=order)
    contacts = [c for c in await add_mixed(store, campaign, seed, now) if c["due_at"] <= now]
    expected = sorted(contacts, key=lambda c: in_words(c, order))
    assert {tier_in(c["tier"]) for c in contacts} == set(Tier)
    assert await in_memory(store, organization, now) == [c["_id"] for c in expected], f"seed {seed}"


def in_words(contact: Document, order: QueueOrder) -> tuple[Any, ...]:
    """Requested callbacks before all else; then the priority; then fresh before retries, or the other way round."""
    tier = tier_in(contact["tier"])
    first = tier is Tier.RETRY if order is QueueOrder.RETRIES_FIRST else tier is not Tier.RETRY
    is_requested = tier is Tier.REQUESTED
    place = contact["due_at"], contact["seq"]
    return not is_requested, -contact["priority"], not (is_requested or first), *place


@pytest.mark.parametrize("hours", [None, []])
async def test_a_requested_callback_goes_first_once_its_time_has_come_in_the_usual_hours(
    store: Store, hours: list[Document] | None
) -> None:
    now = utc_now()
    organization = await add_organization(store)
    configuration = await add_configuration(store, organization, scheduled_windows=hours)
    campaign = await add_campaign(store, organization, configuration)
    others = await add_contacts(store, organization, campaign, 3, due_at=now - timedelta(hours=1))
    [called_back] = await add_contacts(store, organization, campaign, 1)
    at = now + timedelta(minutes=5)
    asking = Asking(WishKind.CALLBACK, at)
    await ask(store, organization["_id"], called_back["_id"], asking, now)
    await open_limits(store, organization["shard"], 10)
    assert (await carry_out(store, Ownership(organization["shard"], 0), now)).moved == 1
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    for later, first in ((now, others[0]), (at, called_back)):
        [demand] = await memory.demands(later + timedelta(seconds=3), 100, {})
        assert demand.queues[0].waiting[0].contact_id == first["_id"]
    await store["contacts"].update_many({}, {"$set": {"status": "locked"}})
    await store["contacts"].update_one({"_id": called_back["_id"]}, {"$set": {"status": "pending"}})
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    assert await memory.demands(now, 100, {}) == []
    assert memory.next_alarm == (await read(store, called_back))["due_at"], "the campaign sleeps until then"


async def test_a_loop_that_has_not_heard_of_requested_callbacks_is_told_by_the_stamp(store: Store) -> None:
    now = utc_now()
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    [contact, _] = await add_contacts(store, organization, campaign, 2, due_at=now - timedelta(minutes=1))
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    await memory.demands(now, 100, {})
    before = await server_now(store)
    await ask(store, organization["_id"], contact["_id"], Asking(WishKind.CALLBACK, now), now)
    changes = await safety_look.look(store, [organization["shard"]], now, before)
    assert changes.campaigns == {campaign["_id"]: organization["shard"]}
    await open_limits(store, organization["shard"], 10)
    await carry_out(store, Ownership(organization["shard"], 0), now)
    await memory.contacts_changed(changes.campaigns, now)
    [demand] = await memory.demands(now + timedelta(seconds=1), 100, {})
    assert demand.queues[0].waiting[0].contact_id == contact["_id"]


async def test_a_higher_priority_that_comes_later_goes_first(store: Store) -> None:
    now = utc_now()
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await add_contacts(store, organization, campaign, 3, due_at=now - timedelta(minutes=1))
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    await memory.demands(now, 100, {})
    [urgent] = await upload(store, campaign, [{"phone_numbers": ["+14155550123"], "priority": 9}])
    await memory.contacts_changed([campaign["_id"]], now)
    [demand] = await memory.demands(now + timedelta(seconds=1), 100, {})
    assert demand.queues[0].waiting[0].contact_id == urgent


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize(("before", "after"), [(0, 7), (7, 0), (7, None), (3, 5)])
async def test_a_waiting_contact_changes_its_queue_with_its_priority(
    store: Store, tier: Tier, before: int, after: int | None
) -> None:
    campaign, contact = await a_contact(store, before, tier, "pending")
    await upload(store, campaign, [{"id": contact["_id"], "phone_numbers": ["+14155550123"], "priority": after}])
    stored = await read(store, contact)
    assert (stored["priority"], stored["tier"]) == (after, queue_of(after or 0, tier))
    assert stored["due_at"] == contact["due_at"], "its place among equals stays"


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize("priority", [0, 1, 5])
async def test_a_waiting_contact_changes_its_queue_with_its_caller_number(
    store: Store, tier: Tier, priority: int
) -> None:
    campaign, contact = await a_contact(store, priority, tier, "pending")
    row = {"id": contact["_id"], "phone_numbers": ["+14155550123"]}
    await upload(store, campaign, [{**row, "agent_number": "+14155550177"}])
    assert (await read(store, contact))["tier"] == queue_of(priority, tier, own_number=True)
    noted = await store["counters_in"].find({"campaign_id": campaign["_id"], "own_numbers": True}).to_list()
    assert noted, "its campaign is read with these queues"
    await upload(store, campaign, [{**row, "priority": 7}])
    assert (await read(store, contact))["tier"] == queue_of(7, tier, own_number=True)
    await upload(store, campaign, [{**row, "agent_number": None}])
    stored = await read(store, contact)
    assert (stored["tier"], stored["due_at"]) == (queue_of(7, tier), contact["due_at"])


async def test_a_new_contact_with_a_caller_number_of_its_own_has_its_queue_from_the_start(store: Store) -> None:
    organization = await add_organization(store, default_agent_number=None)
    campaign = await add_campaign(store, organization)
    memory, now = ShardMemory(store, organization["shard"]), utc_now()
    await memory.load(now)
    rows: list[dict[str, Any]] = [
        {"phone_numbers": ["+14155550123"], "agent_number": "+14155550177", "priority": 3},
        {"phone_numbers": ["+14155550124"]},
    ]
    own, _ = await upload(store, campaign, rows)
    assert (await read(store, {"_id": own}))["tier"] == queue_of(3, Tier.FRESH, own_number=True)
    await memory.contacts_changed([campaign["_id"]], now)
    [demand] = await memory.demands(now + timedelta(seconds=1), 100, {})
    assert [waiting.contact_id for waiting in demand.queues[0].waiting] == [own]


async def test_a_new_time_and_a_new_priority_come_together(store: Store) -> None:
    campaign, contact = await a_contact(store, 3, Tier.FRESH, "pending")
    row = {"id": contact["_id"], "phone_numbers": ["+14155550123"], "priority": 8, "scheduled_at": "2031-05-01T10:00Z"}
    await upload(store, campaign, [row])
    stored = await read(store, contact)
    assert (stored["tier"], stored["due_at"]) == (queue_of(8, Tier.SCHEDULED), stored["scheduled_at"])


async def test_a_new_time_of_the_first_call_moves_no_callback_that_was_asked_for(store: Store) -> None:
    campaign, contact = await a_contact(store, 3, Tier.REQUESTED, "pending")
    await store["contacts"].update_one({"_id": contact["_id"]}, {"$set": {"attempts_made": 0}})
    row = {"id": contact["_id"], "phone_numbers": ["+14155550123"], "scheduled_at": "2031-05-01T10:00Z"}
    await upload(store, campaign, [row])
    stored = await read(store, contact)
    assert (stored["tier"], stored["due_at"]) == (queue_of(3, Tier.REQUESTED), contact["due_at"])


async def test_a_priority_changed_during_a_call_counts_when_the_contact_waits_again(store: Store) -> None:
    campaign, contact = await a_contact(store, 3, Tier.FRESH, "in_progress")
    await upload(store, campaign, [{"id": contact["_id"], "phone_numbers": ["+14155550123"], "priority": 8}])
    assert (await read(store, contact))["tier"] == queue_of(3, Tier.FRESH), "the scheduler's field, on a call"
    await open_limits(store, contact["shard"], 1)

    async def ended(session: Any) -> None:
        transaction = ShardTransaction.begin(store, session, Ownership(contact["shard"], 0))
        [read] = (await transaction.read_contacts([contact["_id"]])).values()
        move = Move(read, to="pending", tier=Tier.RETRY)  # type: ignore[arg-type]
        await apply_moves(store, session, transaction.ledger, transaction.context, [move], utc_now())

    await store.in_transaction(ended)
    assert (await read(store, contact))["tier"] == queue_of(8, Tier.RETRY)


async def test_the_next_priority_is_found_without_looking_at_contacts(store: Store) -> None:
    now = utc_now()
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await add_mixed(store, campaign, 1, now, count=400, own_numbers=False)
    requested = [REQUESTED_PRIORITY + priority for priority in (999_999, 5, 1, 0)]
    assert await waiting_priorities(store, campaign["_id"], 100) == [*requested, 999_999, 5, 1, 0]
    assert await waiting_priorities(store, campaign["_id"], 2) == requested[:2]
    found = [None]
    while (priority := await next_priority(store, campaign["_id"], found[-1], ZONES, now)) is not None:
        found.append(priority)  # type: ignore[arg-type]
    assert found == [None, *requested, 999_999, 5, 1, 0]
    # None of those of the highest priorities is due: many keys lie between the start and the one that is found.
    high = {"tier": {"$lte": last_queue_of(2)}}
    await store["contacts"].update_many(high, {"$set": {"due_at": now + timedelta(days=1)}})
    query = {"campaign_id": campaign["_id"], "status": "pending", "timezone": {"$in": ZONES}, "due_at": {"$lte": now}}
    cursor = store["contacts"].find(query, hint="ready").sort({"campaign_id": 1, "tier": 1}).limit(1)
    plan = await cursor.explain()
    assert plan["executionStats"]["totalDocsExamined"] == 1
    assert plan["executionStats"]["totalKeysExamined"] < 50, plan["executionStats"]


async def upload(store: Store, campaign: Document, rows: list[dict[str, Any]]) -> list[str | None]:
    """Contacts as customers send them; their ids."""
    inputs = [ContactInput.model_validate_json(json.dumps(row)) for row in rows]
    prepared = prepare_contacts(inputs, default_country_code=None, strict_e164=True)
    assert not prepared.problems
    result = await upsert_contacts(
        store,
        organization_id=campaign["organization_id"],
        shard=campaign["shard"],
        campaign_id=campaign["_id"],
        rows=prepared.rows,
        source="api-0",
        now=utc_now(),
    )
    assert not result.failed
    return list(result.contact_ids)


async def a_contact(store: Store, priority: int, tier: Tier, status: str) -> tuple[Document, Document]:
    """A campaign with one contact; a contact that was called, if it is no fresh one."""
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization, await add_configuration(store, organization))
    attempts = 0 if tier is Tier.FRESH else 1
    fields: dict[str, Any] = {"priority": priority, "tier": queue_of(priority, tier), "attempts_made": attempts}
    if status == "in_progress":
        number = "+14155550123"
        fields["lock"] = {"attempt": "a", "number": number, "caller_number": "+14155550199", "phone": number}
    [contact] = await add_contacts(store, organization, campaign, 1, status=status, **fields)
    return campaign, contact


async def read(store: Store, contact: Document) -> Document:
    """The contact as it is stored now."""
    stored = await store["contacts"].find_one({"_id": contact["_id"]})
    assert stored is not None
    return stored
