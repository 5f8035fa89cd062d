"""Thousands of campaigns may wake at once: those with anybody due are found, the others sleep and miss nobody."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.scheduler.planner import in_order
from services.scheduler.shards import memory as memory_module
from services.scheduler.shards import sleepers
from services.scheduler.shards.memory import FEW, ShardMemory
from shared.clock import utc_now
from shared.domain.contact import Tier
from shared.domain.queue_order import queue_of
from shared.store.client import Document, Store
from shared.store.dialing import ready
from tests.factories import ALWAYS_OPEN, add_campaign, add_configuration, add_contacts, add_organization

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MANY = 3 * FEW


async def shard_of_many(store: Store, now: datetime, count: int = MANY, **fields: Any) -> tuple[Document, ShardMemory]:
    """An organization with many campaigns in each of which one contact waits until tomorrow, in a shard just loaded."""
    organization = await add_organization(store)
    configuration = await add_configuration(store, organization)
    for _ in range(count):
        campaign = await add_campaign(store, organization, configuration)
        await add_contacts(store, organization, campaign, 1, **({"due_at": now + DAY} | fields))
    return organization, ShardMemory(store, organization["shard"])


async def offered(memory: ShardMemory, now: datetime) -> list[str]:
    """Who is at hand after one step."""
    demands = await memory.demands(now, 100, {})
    return [waiting.contact_id for demand in demands for waiting in in_order(demand.queues)]


async def until_all_sleep(memory: ShardMemory, now: datetime) -> int:
    """Steps until nothing is left to be put to sleep."""
    steps = 0
    while steps == 0 or memory.unfinished:
        await memory.demands(now, 100, {})
        steps += 1
        assert steps < 100
    return steps


async def requests(store: Store, memory: ShardMemory, now: datetime) -> int:
    """Questions about contacts until all sleep."""
    await store.db.command({"profile": 2})
    await until_all_sleep(memory, now)
    await store.db.command({"profile": 0})
    return await store.db["system.profile"].count_documents({"ns": f"{store.db.name}.contacts"})


async def test_who_is_due_is_at_hand_in_the_first_step_and_the_others_cost_a_few_questions_in_all(store: Store) -> None:
    now = utc_now()
    organization, memory = await shard_of_many(store, now)
    due = await add_contacts(store, organization, await add_campaign(store, organization), 2, due_at=now - MINUTE)
    await memory.load(now)
    assert await offered(memory, now) == [contact["_id"] for contact in due]
    assert await requests(store, memory, now) <= 1 + len(sleepers.AHEAD)


async def test_many_that_sleep_are_woken_before_their_time_and_offered_at_it(store: Store) -> None:
    now = utc_now()
    organization, memory = await shard_of_many(store, now)
    await memory.load(now)
    assert await offered(memory, now) == []
    await until_all_sleep(memory, now)
    while memory.next_alarm is not None and memory.next_alarm < now + DAY:
        at = memory.next_alarm
        assert await offered(memory, at) == []
        await until_all_sleep(memory, at)
        assert memory.next_alarm is not None
        assert memory.next_alarm > at
    assert memory.next_alarm == now + DAY, "to the second, when it is near"
    assert len(await offered(memory, now + DAY)) == MANY
    assert organization["_id"] in memory.organizations


@pytest.mark.parametrize("away", [timedelta(seconds=20), 5 * MINUTE, 40 * MINUTE])
async def test_nobody_who_becomes_due_is_slept_through(store: Store, away: timedelta) -> None:
    now = utc_now()
    organization, memory = await shard_of_many(store, now)
    [soon] = await add_contacts(store, organization, await add_campaign(store, organization), 1, due_at=now + away)
    await memory.load(now)
    await until_all_sleep(memory, now)
    while memory.next_alarm is not None and memory.next_alarm < now + away:
        await until_all_sleep(memory, memory.next_alarm)
    assert memory.next_alarm == now + away
    assert await offered(memory, now + away) == [soon["_id"]]


async def test_more_who_are_due_within_a_minute_than_one_step_looks_at_are_all_called_in_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "BY_THEMSELVES", 2)
    now = utc_now()
    _, memory = await shard_of_many(store, now, due_at=now + MINUTE / 2)
    await memory.load(now)
    await until_all_sleep(memory, now)
    seen: set[str] = set()
    while memory.next_alarm is not None and len(seen) < MANY:
        at = memory.next_alarm
        seen.update(await offered(memory, at))
        await until_all_sleep(memory, at)
        assert at <= now + MINUTE / 2 + memory_module.SOON
    assert len(seen) == MANY


async def test_a_contact_that_comes_while_its_campaign_is_about_to_sleep_is_seen(store: Store) -> None:
    now = utc_now()
    organization, memory = await shard_of_many(store, now)
    await memory.load(now)
    assert await offered(memory, now) == []
    assert memory.unfinished
    campaign = await store["campaigns"].find_one({"organization_id": organization["_id"]})
    assert campaign is not None
    [contact] = await add_contacts(store, organization, campaign, 1, due_at=now)
    await memory.contacts_changed([campaign["_id"]], now)
    assert await offered(memory, now) == [contact["_id"]]


async def test_one_due_behind_many_that_are_about_to_sleep_is_found_without_a_hint(store: Store) -> None:
    """The contact becomes due between the first question and the one for the time to sleep."""
    now = utc_now()
    organization, memory = await shard_of_many(store, now)
    await memory.load(now)
    assert await offered(memory, now) == []
    campaign = await store["campaigns"].find_one({"organization_id": organization["_id"]})
    [contact] = await add_contacts(store, organization, campaign, 1, due_at=now + timedelta(milliseconds=1))
    assert await offered(memory, now + timedelta(milliseconds=2)) == [contact["_id"]]


async def test_the_highest_priority_goes_first_also_where_not_all_have_been_looked_at(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sleepers, "TOGETHER", 5)
    now = utc_now()
    organization = await add_organization(store)
    configuration = await add_configuration(store, organization)
    expected = []
    for priority in range(MANY, 0, -1):
        campaign = await add_campaign(store, organization, configuration, priority=priority)
        # The lower the priority, the longer due.
        due_at = now - (MANY - priority + 1) * MINUTE if priority % 2 else now + DAY
        [contact] = await add_contacts(store, organization, campaign, 1, due_at=due_at)
        expected += [contact["_id"]] if priority % 2 else []
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    called: list[str] = []
    for _ in range(len(expected)):
        [demand] = await memory.demands(now, 1, {})
        called.append(next(in_order(demand.queues)).contact_id)
        await store["contacts"].update_one({"_id": called[-1]}, {"$set": {"status": "locked"}})
        memory.taken(called[-1:], [], now, claimed=True)
    assert called == expected


async def test_contacts_in_closed_zones_wake_their_campaigns_when_the_first_opens(store: Store) -> None:
    now = datetime.fromisoformat("2026-11-18T12:00:00+00:00")
    organization = await add_organization(store)
    morning = [{"days": ["wed"], "start": "09:00", "end": "10:00"}]
    configuration = await add_configuration(store, organization, default_windows=morning)
    for number in range(MANY):
        campaign = await add_campaign(store, organization, configuration)
        zone = ("America/New_York", "America/Denver")[number % 2]
        await add_contacts(store, organization, campaign, 1, timezone=zone, due_at=now - DAY)
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    assert await requests(store, memory, now) == 0, "no zone is open"
    opening = datetime.fromisoformat("2026-11-18T14:00:00+00:00")
    while memory.next_alarm is not None and memory.next_alarm < opening:
        at = memory.next_alarm
        assert await offered(memory, at) == []
        await until_all_sleep(memory, at)
    assert memory.next_alarm == opening
    assert len(await offered(memory, opening)) == MANY / 2


@pytest.mark.parametrize("prioritized", [False, True])
async def test_scheduled_contacts_have_windows_of_their_own(store: Store, prioritized: bool) -> None:
    now = utc_now()
    organization = await add_organization(store)
    windows = {"default_windows": [], "scheduled_windows": ALWAYS_OPEN}
    configuration = await add_configuration(store, organization, **windows)
    expected = set()
    for number in range(MANY):
        campaign = await add_campaign(store, organization, configuration)
        if number % 2:
            [contact] = await add_contacts(store, organization, campaign, 1, scheduled_at=now - MINUTE)
            expected.add(contact["_id"])
        else:
            await add_contacts(store, organization, campaign, 1, due_at=now - MINUTE)
    if prioritized:
        await store["counters_in"].update_many({}, {"$set": {"prioritized": True}})
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    assert set(await offered(memory, now)) == expected


async def test_contacts_with_a_priority_or_a_number_of_their_own_are_found_too(store: Store) -> None:
    now = utc_now()
    organization, memory = await shard_of_many(store, now)
    await store["organizations"].update_one({"_id": organization["_id"]}, {"$set": {"default_agent_number": None}})
    campaigns = [await add_campaign(store, organization) for _ in range(2)]
    [own] = await add_contacts(store, organization, campaigns[0], 1, due_at=now, agent_number="+14155550177")
    await add_contacts(store, organization, campaigns[1], 1, due_at=now)
    await memory.load(now)
    assert await offered(memory, now) == [own["_id"]]
    urgent = queue_of(9, Tier.FRESH, own_number=True)
    await store["contacts"].update_many({"_id": own["_id"]}, {"$set": {"tier": urgent}})
    await store["counters_in"].update_many({}, {"$set": {"prioritized": True}})
    memory = ShardMemory(store, organization["shard"])
    await memory.load(now)
    assert await offered(memory, now) == [own["_id"]]


async def test_of_campaigns_with_many_due_all_are_named_and_where_nearly_all_have_some_the_rest_is_not_asked_about(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "SAMPLED", 3)
    now = utc_now()
    organization = await add_organization(store)
    configuration = await add_configuration(store, organization)
    with_due: set[str] = set()
    others: set[str] = set()
    for number in range(40):
        campaign = await add_campaign(store, organization, configuration)
        is_due = number % 8 == 0
        await add_contacts(store, organization, campaign, 4, due_at=now - MINUTE if is_due else now + DAY)
        (with_due if is_due else others).add(campaign["_id"])
    ask = ready.campaigns_with_due
    assert await ask(store, with_due | others, None, {None}, now) == with_due
    assert await ask(store, with_due | others, [int(Tier.RETRY)], {None}, now) == set()
    assert await ask(store, with_due | others, None, {"Europe/Berlin"}, now) == set()
    monkeypatch.setattr(ready, "ENOUGH_ANSWERS", 2)
    assert await ask(store, with_due, None, {None}, now) == with_due
    assert await ask(store, others, None, {None}, now) == set()
