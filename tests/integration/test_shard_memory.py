"""What a shard's loop remembers must never be the reason why somebody who is due is not called."""

from datetime import datetime, timedelta

import pytest

from services.scheduler.planner import OrganizationDemand, in_order
from services.scheduler.shards import memory as memory_module
from services.scheduler.shards.chores import Chores
from services.scheduler.shards.inbox import Chore
from services.scheduler.shards.memory import FRESH_FOR, ShardMemory
from shared.clock import utc_now
from shared.domain.contact import Tier
from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject, Rest
from shared.events import CallFinished
from shared.store.client import Document, Store
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.results import add_results
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from tests.factories import (
    ALWAYS_OPEN,
    add_campaign,
    add_configuration,
    add_contacts,
    add_organization,
    open_limits,
)

SOON = FRESH_FOR / 2


async def offered(memory: ShardMemory, now: datetime) -> list[str]:
    """Who is at hand now, after at most two looks: a campaign that goes to sleep may be woken at once."""
    demands: list[OrganizationDemand] = await memory.demands(now, 100, {})
    if not demands and memory.next_alarm is not None and memory.next_alarm <= now:
        demands = await memory.demands(now, 100, {})
    return [waiting.contact_id for demand in demands for queue in demand.queues for waiting in queue.waiting]


async def lock(store: Store, contact_id: str) -> None:
    await store["contacts"].update_one({"_id": contact_id}, {"$set": {"status": "locked"}})


async def test_who_becomes_due_while_the_last_fetched_are_claimed_is_not_forgotten(store: Store) -> None:
    now = utc_now()
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    [first] = await add_contacts(store, organization, campaign, 1, due_at=now - SOON)
    [second] = await add_contacts(store, organization, campaign, 1, due_at=now + SOON / 2)
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    assert await offered(memory, now) == [first["_id"]]
    await lock(store, first["_id"])
    memory.taken([first["_id"]], [], now, claimed=True)
    assert await offered(memory, now + SOON) == [second["_id"]]


async def test_who_comes_back_due_at_once_is_seen_although_the_queue_was_just_read(store: Store) -> None:
    now = utc_now()
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    first, released = await add_contacts(store, organization, campaign, 2, due_at=now - timedelta(minutes=1))
    await lock(store, released["_id"])
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    assert await offered(memory, now) == [first["_id"]]
    await store["contacts"].update_one({"_id": released["_id"]}, {"$set": {"status": "pending"}})
    memory.account({}, {campaign["_id"]: released["due_at"]}, {})
    await lock(store, first["_id"])
    memory.taken([first["_id"]], [], now, claimed=True)
    assert await offered(memory, now + SOON) == [released["_id"]]


async def test_the_many_retries_of_a_campaign_do_not_fill_the_memory(store: Store) -> None:
    now = utc_now()
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    [soonest] = await add_contacts(store, organization, campaign, 1, due_at=now + timedelta(hours=1))
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    assert await offered(memory, now) == []
    for second in range(1000):
        # Ever later retries, and now and then a hint that has the campaign looked at.
        memory.account({}, {campaign["_id"]: now + timedelta(hours=24, seconds=second)}, {})
        if second % 10 == 0:
            memory.wake(campaign["_id"], now)
            assert await offered(memory, now) == []
    assert len(memory._alarms) < 200
    assert await offered(memory, now + timedelta(hours=1)) == [soonest["_id"]]


async def test_more_than_one_fetch_of_retries_does_not_hide_who_is_fresh(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All tiers are asked for at once, by due time; retries that are due for longer would fill that answer."""
    monkeypatch.setattr(memory_module, "PREFETCH", 3)
    now = utc_now()
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    ago = timedelta(minutes=1)
    retries = await add_contacts(store, organization, campaign, 5, due_at=now - 2 * ago, tier=int(Tier.RETRY))
    [fresh] = await add_contacts(store, organization, campaign, 1, due_at=now - ago)
    [scheduled] = await add_contacts(store, organization, campaign, 1, scheduled_at=now - ago / 2)
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    called: list[str] = []
    while len(called) < 7:
        batch = (await offered(memory, now))[:2]
        for contact_id in batch:
            await lock(store, contact_id)
        memory.taken(batch, [], now, claimed=True)
        called += batch
    assert called == [contact["_id"] for contact in (fresh, scheduled, *retries)]


@pytest.mark.parametrize(("default", "override"), [(ALWAYS_OPEN, []), ([], ALWAYS_OPEN)])
async def test_contacts_in_an_old_and_in_the_new_spelling_of_a_zone_are_offered_in_the_same_windows(
    store: Store, default: list[Document], override: list[Document]
) -> None:
    now = utc_now()
    organization = await add_organization(store)
    overrides = [{"timezones": ["America/New_York"], "windows": override}]
    configuration = await add_configuration(store, organization, default_windows=default, overrides=overrides)
    campaign = await add_campaign(store, organization, configuration)
    zones = ["US/Eastern", "America/New_York", "US/Central"]
    contacts = {
        zone: (await add_contacts(store, organization, campaign, 1, due_at=now, timezone=zone))[0] for zone in zones
    }
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    called = ["US/Eastern", "America/New_York"] if override else ["US/Central"]
    assert sorted(await offered(memory, now)) == sorted(contacts[zone]["_id"] for zone in called)


async def test_an_organization_at_its_limit_still_counts_with_what_it_holds(store: Store) -> None:
    now = utc_now()
    organization = await add_organization(store, concurrency_limit=2)
    await add_contacts(store, organization, await add_campaign(store, organization), 5, due_at=now)
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    assert [demand.room for demand in await memory.demands(now, 100, {})] == [2]
    memory.account({organization["_id"]: 2}, {}, {})
    assert [(demand.room, demand.held) for demand in await memory.demands(now, 100, {})] == [(0, 2)]
    assert [(demand.room, demand.held) for demand in await memory.demands(now, 100, {organization["_id"]: 1})] == [
        (1, 1)
    ]


ACCOUNT = Refusal(subject=RefusalSubject.ACCOUNT, code=20003)


async def test_a_rest_puts_campaigns_to_sleep_and_its_end_wakes_those_that_slept_because_of_it(store: Store) -> None:
    now = utc_now()
    organization = await add_organization(store)
    [contact] = await add_contacts(store, organization, await add_campaign(store, organization), 1, due_at=now)
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    assert await offered(memory, now) == [contact["_id"]]
    until, key = now + timedelta(minutes=5), (organization["_id"], "account")
    memory.rested({key: Rest(until, 4, now, ACCOUNT)}, now)
    assert await offered(memory, now) == [], "what was fetched is forgotten"
    assert memory.next_alarm == until
    memory.rested({key: None}, now)
    assert await offered(memory, now) == [contact["_id"]], "not only at the time until which it was to rest"
    memory.rested({("another organization", "account"): Rest(until, 1, now, ACCOUNT)}, now)
    assert await offered(memory, now) == [contact["_id"]]


async def test_a_rest_that_is_found_in_the_second_sink_puts_campaigns_to_sleep(store: Store) -> None:
    now = utc_now()
    organization = await add_organization(store)
    shard = organization["shard"]
    await open_limits(store, shard, 10)
    contacts = await add_contacts(store, organization, await add_campaign(store, organization), 2, due_at=now)
    owner, order = Ownership(shard, 0), ClaimOrder([contacts[0]["_id"]], {organization["_id"]: 1})
    [job] = (await do_shard_work(store, owner, ShardWork(claim=order), now)).jobs
    memory = ShardMemory(store, shard)
    await memory.load(now)
    assert await offered(memory, now) == [contacts[1]["_id"]]
    ids = {"organization_id": organization["_id"], "shard": shard, "contact_id": job.contact_id}
    ended = {"attempt_id": job.attempt_id, "outcome": Outcome.FAILED, "ended_at": now, "refusal": ACCOUNT}
    await add_results(store, [CallFinished.model_validate({**ids, **ended})])
    chores = Chores(store, owner, memory, lambda rests: memory.rested(rests, now), lambda: None)
    assert await chores.do(Chore.RESULTS, now)
    assert await offered(memory, now) == []
    assert memory.next_alarm == now + timedelta(seconds=30)


async def test_without_a_caller_number_those_with_one_of_their_own_are_found_among_thousands_without(
    store: Store,
) -> None:
    now = utc_now()
    organization = await add_organization(store, default_agent_number=None)
    campaign = await add_campaign(store, organization)
    ago = timedelta(minutes=1)
    await add_contacts(store, organization, campaign, 2000, due_at=now - 2 * ago)
    await add_contacts(store, organization, campaign, 1, due_at=now + ago)
    own = await add_contacts(store, organization, campaign, 3, due_at=now - ago, agent_number="+14155550177")
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    await store.db.command({"profile": 2})
    assert await offered(memory, now) == [contact["_id"] for contact in own]
    for contact in own:
        await lock(store, contact["_id"])
    memory.taken([contact["_id"] for contact in own], [], now, claimed=True)
    assert await offered(memory, now) == []
    await store.db.command({"profile": 0})
    looks = await store.db["system.profile"].find({"command.find": "contacts"}).to_list()
    assert looks
    assert max(look["keysExamined"] for look in looks) <= 10
    assert memory.next_alarm is None, "the campaign sleeps until somebody changes what it waits for"


async def test_of_many_campaigns_in_which_nobody_is_due_a_step_puts_some_to_sleep_and_the_next_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "LOOKS", 3)
    now = utc_now()
    organization = await add_organization(store)
    for _ in range(7):
        campaign = await add_campaign(store, organization, priority=5)
        await add_contacts(store, organization, campaign, 1, due_at=now + timedelta(hours=1))
    last = await add_campaign(store, organization, priority=1)
    [due] = await add_contacts(store, organization, last, 1, due_at=now - SOON)
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    left = []
    for _ in range(3):
        demands = await memory.demands(now, 100, {})
        left.append((memory.unfinished, len(memory.organizations[organization["_id"]].awake)))
    assert left == [(True, 5), (True, 2), (False, 1)]
    assert [waiting.contact_id for demand in demands for queue in demand.queues for waiting in queue.waiting] == [
        due["_id"]
    ]


async def test_a_shard_is_at_rest_while_nobody_is_called_or_due(store: Store) -> None:
    now = utc_now()
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    [contact] = await add_contacts(store, organization, campaign, 1, due_at=now + timedelta(hours=1))
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    assert await offered(memory, now) == []
    assert memory.is_at_rest
    assert await offered(memory, now + timedelta(hours=1)) == [contact["_id"]]
    assert not memory.is_at_rest
    memory.taken([contact["_id"]], [], now, claimed=True)
    assert memory.is_at_rest
    memory.account({organization["_id"]: 1}, {}, {})
    assert not memory.is_at_rest


@pytest.mark.parametrize("at_most", [1, 100])
async def test_contacts_of_no_campaign_are_offered_first_then_campaigns_by_priority_whatever_is_due_for_longer(
    store: Store, at_most: int
) -> None:
    now = utc_now()
    organization = await add_organization(store)
    low, high = [await add_campaign(store, organization, priority=priority) for priority in (1, 7)]
    expected = []
    for minutes, campaign in ((1, None), (2, high), (3, low)):
        due_at = now - timedelta(minutes=minutes)
        expected += [contact["_id"] for contact in await add_contacts(store, organization, campaign, 2, due_at=due_at)]
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    called: list[str] = []
    while len(called) < len(expected):
        [demand] = await memory.demands(now, at_most, {})
        called.append(next(in_order(demand.queues)).contact_id)
        await lock(store, called[-1])
        memory.taken(called[-1:], [], now, claimed=True)
    assert called == expected
