"""Registered caller numbers from the scheduler's memory to the carrier."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from services.scheduler.shards.memory import FRESH_FOR, ShardMemory
from shared.clock import utc_now
from shared.domain.caller_numbers import NumberUse, end_of_day, utc_day
from shared.domain.outcome import Outcome
from shared.store.client import Document, Store
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work, expire_claims
from shared.telephony.scripts import ScriptedCall, always
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_caller_number, add_campaign, add_contacts, add_organization, open_limits
from tests.integration.test_shard_memory import offered

A, B, OWN = "+14155550181", "+14155550182", "+14155550183"
# Midday, so that no midnight comes between.
NOON = datetime.combine(utc_now().date(), datetime.min.time(), UTC) + timedelta(hours=12)


async def organization_with(store: Store, *numbers: str, **limits: Any) -> tuple[Document, Document]:
    """An organization and its campaign, which calls from a pool of numbers with these limits."""
    organization = await add_organization(store, default_agent_number=None)
    for number in numbers:
        await add_caller_number(store, organization, number, pools=["west"], **limits)
    campaign = await add_campaign(store, organization, caller_number_pool="west", caller_number_choice="rotate")
    return organization, campaign


async def claim(store: Store, organization: Document, *contacts: Document, now: datetime = NOON) -> Any:
    owner = Ownership(organization["shard"], 0)
    order = ClaimOrder([contact["_id"] for contact in contacts])
    return await do_shard_work(store, owner, ShardWork(claim=order), now)


async def test_a_campaign_whose_numbers_are_spent_sleeps_until_midnight(store: Store) -> None:
    organization, campaign = await organization_with(store, A, daily_limit=1)
    contacts = await add_contacts(store, organization, campaign, 3, due_at=NOON - timedelta(minutes=1))
    await open_limits(store, organization["shard"], 10)
    memory = ShardMemory(store, organization["shard"])
    await memory.load(NOON)
    queue = await offered(memory, NOON)
    done = await claim(store, organization, *contacts)
    assert (len(done.jobs), done.left, done.moved) == (1, [], 0), "nothing is written to those who wait"
    spent = (organization["_id"], A)
    assert done.numbers == {spent: NumberUse(1, utc_day(NOON), 1)}
    memory.taken(queue, done.left, NOON, claimed=True)
    memory.counted(done.numbers, NOON)
    assert await offered(memory, NOON) == []
    midnight = end_of_day(utc_day(NOON))
    assert memory.next_alarm == midnight
    assert len(await offered(memory, midnight)) == 2


async def test_what_is_given_back_wakes_the_campaign(store: Store) -> None:
    organization, campaign = await organization_with(store, A, daily_limit=1)
    contacts = await add_contacts(store, organization, campaign, 2, due_at=NOON - timedelta(minutes=1))
    await open_limits(store, organization["shard"], 10)
    memory = ShardMemory(store, organization["shard"])
    await memory.load(NOON)
    await offered(memory, NOON)
    done = await claim(store, organization, *contacts)
    memory.counted(done.numbers, NOON)
    assert await offered(memory, NOON) == []
    later = NOON + timedelta(seconds=31)
    swept = await expire_claims(store, Ownership(organization["shard"], 0), later)
    assert swept.numbers == {(organization["_id"], A): None}
    memory.counted(swept.numbers, later)
    assert len(await offered(memory, later)) == 2


async def test_a_higher_limit_and_another_number_wake_the_campaign(store: Store) -> None:
    organization, campaign = await organization_with(store, A, daily_limit=1)
    await add_contacts(store, organization, campaign, 2, due_at=NOON - timedelta(minutes=1))
    spent = {(organization["_id"], A): NumberUse(0, utc_day(NOON), 1)}
    memory = ShardMemory(store, organization["shard"])
    await memory.load(NOON)
    memory.counted(spent, NOON)
    assert await offered(memory, NOON) == []
    await store["caller_numbers"].update_one({"number": A}, {"$set": {"daily_limit": 2}})
    await memory.renew([organization["_id"]], NOON)
    assert len(await offered(memory, NOON)) == 2
    await store["caller_numbers"].update_one({"number": A}, {"$set": {"daily_limit": 1}})
    later = NOON + 2 * FRESH_FOR
    await memory.renew([organization["_id"]], later)
    assert await offered(memory, later) == []
    await add_caller_number(store, organization, B, pools=["west"])
    await memory.renew([organization["_id"]], later)
    assert len(await offered(memory, later)) == 2


async def test_contacts_with_a_number_of_their_own_are_called_while_the_pool_is_spent(store: Store) -> None:
    organization, campaign = await organization_with(store, A, daily_limit=1)
    await add_contacts(store, organization, campaign, 2, due_at=NOON - timedelta(minutes=1))
    [own] = await add_contacts(store, organization, campaign, 1, due_at=NOON - timedelta(minutes=1), agent_number=OWN)
    memory = ShardMemory(store, organization["shard"])
    await memory.load(NOON)
    memory.counted({(organization["_id"], A): NumberUse(0, utc_day(NOON), 1)}, NOON)
    assert await offered(memory, NOON) == [own["_id"]]


async def test_contacts_that_find_all_numbers_full_keep_their_places(store: Store) -> None:
    organization, campaign = await organization_with(store, A, B, max_calls=1)
    contacts = await add_contacts(store, organization, campaign, 4, due_at=NOON - timedelta(minutes=1))
    await open_limits(store, organization["shard"], 10)
    done = await claim(store, organization, *contacts)
    assert [job.contact_id for job in done.jobs] == [contact["_id"] for contact in contacts[:2]]
    assert done.left == [contact["_id"] for contact in contacts[2:]]


async def test_a_choice_of_a_later_version_stops_no_shard(store: Store) -> None:
    organization, campaign = await organization_with(store, A)
    await store["campaigns"].update_one({"_id": campaign["_id"]}, {"$set": {"caller_number_choice": "by moonlight"}})
    contacts = await add_contacts(store, organization, campaign, 1, due_at=NOON - timedelta(minutes=1))
    await open_limits(store, organization["shard"], 10)
    assert len((await claim(store, organization, *contacts)).jobs) == 1


async def test_calls_stay_within_the_limits_of_their_numbers(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization, campaign = await organization_with(store, A, B, max_calls=2, daily_limit=8)
    await store["organizations"].update_one({"_id": organization["_id"]}, {"$set": {"concurrency_limit": 50}})
    await add_contacts(store, organization, campaign, 30)
    script = always(ScriptedCall(outcome=Outcome.BUSY))
    async with running_engine(store, kafka_address, topic_prefix, script=script) as engine:
        await engine.start_executor(calls_per_second=1000)
        await engine.start_scheduler()
        carrier = engine.carriers[0]

        async def placed(calls: int) -> bool:
            assert not engine.failures()
            assert carrier.peak_live <= 4
            return carrier.placed >= calls

        await eventually(lambda: placed(16), timeout=30)
        await store["caller_numbers"].update_one({"number": A}, {"$set": {"daily_limit": 20}})
        await store["organizations"].update_one({"_id": organization["_id"]}, {"$currentDate": {"changed_at": True}})
        await eventually(lambda: placed(28), timeout=30)
        count = Counter(call.caller_number for call in carrier.placements)
        today = utc_now()
    budgets = {b["_id"]: b async for b in store["budgets"].find({"_id": {"$regex": "^number:"}})}
    if {b["day"] for b in budgets.values()} == {utc_day(today)}:
        assert count == {A: 20, B: 8}, "no call of another day among them"
        assert sorted((b["held"], b["used"]) for b in budgets.values()) == [(0, 8), (0, 20)]
