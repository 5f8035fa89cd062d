"""Caller numbers under the protocol: named traces of their daily limits, and what is looked at where."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.caller_numbers import NumberChoice
from shared.domain.contact import ContactStatus
from shared.domain.ids import number_budget
from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject
from shared.errors import Conflict
from shared.store.catalog.caller_numbers import delete_number
from shared.store.client import Store
from tests.integration.protocol import edits
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import (
    ABE,
    ACME,
    AMY,
    AUTUMN,
    BETA,
    CAT,
    EVE,
    GUS,
    PHONES,
    REGISTERED,
    SECONDS_TO_MIDNIGHT,
    SUMMER,
    Plan,
    new_world,
)
from tests.integration.protocol.test_traces import (
    ACME_SHARD,
    BETA_SHARD,
    A,
    call,
    contact,
    is_free_again,
    job_for,
    start,
    status,
)
from tests.integration.protocol.world import World

ONE, OTHER = REGISTERED
# More than one call at once for everybody, so that numbers are what is in short supply.
ROOM = Plan(global_limit=8, grants=(4, 4), organization_limit=4, numbers=NumberChoice.ROTATE)


async def one_number_world(store: Store, **limits: Any) -> World:
    """A world in which Summer calls from one number alone, with these limits."""
    world = await new_world(store, ROOM)
    await edits.edit_number(world, ACME, OTHER, {"active": False})
    await edits.edit_number(world, ACME, ONE, {"max_calls": None, "daily_limit": None} | limits)
    return world


async def use(world: World, number: str = ONE, organization_id: str = ACME) -> tuple[int, int]:
    """What the number's budget holds, and counts on its day."""
    budget = await world.store["budgets"].find_one({"_id": number_budget(organization_id, number)})
    return (budget["held"], budget["used"]) if budget else (0, 0)


async def hang_up(world: World, outcome: Outcome = Outcome.NO_ANSWER, shard: int = ACME_SHARD) -> None:
    """End every call that is up, and let the schedulers know."""
    for live in world.carrier.live():
        world.carrier.end(live, outcome)
        await world.report(live)
    await world.work(shard, shard, claim=())


async def claims(world: World, *contact_ids: str, shard: int = ACME_SHARD) -> list[str]:
    """The contacts among these that can be claimed now."""
    return [job.contact_id for job in await world.work(shard, shard, claim=contact_ids)]


async def test_given_back_after_midnight(store: Store) -> None:
    world = await one_number_world(store, daily_limit=1)
    await job_for(world, AMY)
    assert await use(world) == (1, 1)
    await world.pass_time(SECONDS_TO_MIDNIGHT + 1)
    assert await claims(world, CAT) == [CAT], "a new day"
    await world.pass_time(12)
    assert await world.expire(ACME_SHARD, ACME_SHARD) == 1
    assert await use(world) == (1, 1), "Amy's claim counted on the day before, whose count is gone"
    assert await claims(world, GUS) == [], "or else there were two calls on the new day"
    await drain(world)


async def test_claim_carried_over_midnight(store: Store) -> None:
    world = await one_number_world(store, daily_limit=1)
    await world.pass_time(SECONDS_TO_MIDNIGHT - 2)
    await job_for(world, AMY)
    yesterdays = await start(world, A, AMY)
    # Within PLACE: nothing but the day speaks against the call.
    await world.pass_time(4)
    assert not await world.gate(A, yesterdays), "it would be a call of the new day, and is not counted there"
    await is_free_again(world, AMY)
    await call(world, AMY)
    assert await claims(world, CAT) == []
    await drain(world)


async def test_a_claim_that_was_no_call_is_given_back_on_its_day(store: Store) -> None:
    world = await one_number_world(store, daily_limit=1)
    await world.give_back(A, await job_for(world, AMY))
    await world.flush(A)
    assert await claims(world, CAT) == [CAT], "in the transaction that took it back"
    assert await use(world) == (1, 1)
    await drain(world)


@pytest.mark.parametrize("outcome", [Outcome.NO_ANSWER, Outcome.INTERRUPTED])
async def test_a_call_counts_for_its_day_however_it_ends(store: Store, outcome: Outcome) -> None:
    world = await one_number_world(store, daily_limit=1)
    await call(world, AMY)
    await hang_up(world, outcome)
    assert await use(world) == (0, 1)
    assert await claims(world, CAT) == []
    await world.pass_time(SECONDS_TO_MIDNIGHT + 1)
    assert await claims(world, CAT) == [CAT]
    await drain(world)


async def test_a_clock_behind_counts_on_the_day_that_has_begun_elsewhere(store: Store) -> None:
    world = await one_number_world(store, daily_limit=1)
    now = world.now
    world.now += timedelta(seconds=SECONDS_TO_MIDNIGHT + 1)
    assert await claims(world, AMY) == [AMY]
    world.now = now
    assert await claims(world, CAT) == [], "the budget counts the new day already"
    await drain(world)


async def test_a_daily_limit_lowered_below_what_is_claimed_stops_calls_at_the_gate(store: Store) -> None:
    world = await one_number_world(store)
    tasks = []
    for contact_id in (AMY, CAT):
        await job_for(world, contact_id)
        tasks.append(await start(world, A, contact_id))
    await edits.edit_number(world, ACME, ONE, {"daily_limit": 1})
    assert [await world.gate(A, task) for task in tasks] == [False, False]
    await is_free_again(world, AMY)
    assert await use(world) == (0, 0)
    assert await claims(world, AMY, CAT) == [AMY]
    await drain(world)


async def test_a_limit_on_calls_at_once_lowered_below_what_is_claimed_stops_calls_at_the_gate(store: Store) -> None:
    world = await one_number_world(store, max_calls=2)
    for contact_id in (AMY, CAT):
        await job_for(world, contact_id)
    assert await claims(world, GUS) == []
    await edits.edit_number(world, ACME, ONE, {"max_calls": 1})
    for contact_id in (AMY, CAT):
        assert not await world.gate(A, await start(world, A, contact_id))
    await is_free_again(world, AMY)
    assert await claims(world, AMY, CAT) == [AMY]
    await drain(world)


async def test_a_limit_set_later_holds_for_the_calls_that_are_up(store: Store) -> None:
    world = await one_number_world(store)
    await call(world, AMY)
    await call(world, CAT)
    await edits.edit_number(world, ACME, ONE, {"max_calls": 2})
    assert await claims(world, GUS) == []
    await hang_up(world)
    assert await claims(world, GUS) == [GUS]
    await drain(world)


async def test_a_number_switched_off_makes_no_call_and_answers_for_those_that_are_up(store: Store) -> None:
    world = await new_world(store, ROOM)
    await call(world, AMY)
    up = (await contact(world, AMY))["lock"]["caller_number"]
    assert up == ONE
    claimed = await job_for(world, CAT)
    assert (await contact(world, CAT))["lock"]["caller_number"] == OTHER
    for number in REGISTERED:
        await edits.edit_number(world, ACME, number, {"active": False})
    assert not await world.gate(A, await start(world, A, claimed.job.contact_id))
    assert await claims(world, GUS) == [], "no number is left"
    [live] = world.carrier.live()
    world.carrier.end(live, Outcome.ANSWERED)
    await world.report(live, times=0)
    await world.pass_time(41)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 1, "the carrier was asked about it"
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await status(world, AMY) == ContactStatus.COMPLETED
    assert await use(world, ONE) == (0, 1)
    await drain(world)


async def test_a_number_named_by_a_contact_has_its_limits_too(store: Store) -> None:
    world = await one_number_world(store, daily_limit=1)
    await store["contacts"].update_many({"_id": {"$in": [AMY, CAT]}}, {"$set": {"agent_number": ONE}})
    await store["campaigns"].update_one({"_id": SUMMER}, {"$set": {"caller_number_pool": None}})
    assert await claims(world, AMY, CAT) == [AMY]
    waiting = await contact(world, CAT)
    assert waiting["put_off"]["reason"] == "caller_number_spent"
    assert (waiting["due_at"] - world.now).total_seconds() == SECONDS_TO_MIDNIGHT
    await edits.edit_number(world, ACME, ONE, {"active": False})
    await world.pass_time(SECONDS_TO_MIDNIGHT + 1)
    assert await claims(world, CAT) == [], "off, whoever names it"
    waiting = await contact(world, CAT)
    assert waiting["put_off"]["reason"] == "no_caller_number", "it makes room for those behind it"
    assert waiting["due_at"] == world.now + timedelta(minutes=5)
    await drain(world)


async def test_a_number_with_a_call_up_or_a_campaign_is_not_deleted(store: Store) -> None:
    world = await new_world(store, ROOM)
    await call(world, AMY)
    number_id = world.numbers[ACME, ONE]
    with pytest.raises(Conflict):
        await delete_number(store, ACME, number_id, world.now)
    await store["campaigns"].update_one({"_id": SUMMER}, {"$set": {"caller_number_pool": None}})
    with pytest.raises(Conflict):
        await delete_number(store, ACME, number_id, world.now)
    await hang_up(world)
    await delete_number(store, ACME, number_id, world.now)
    assert await store["caller_numbers"].count_documents({"organization_id": ACME}) == 1
    del world.rules.registered[ACME, ONE]
    await drain(world)


async def test_a_claim_from_a_number_that_was_deleted_is_not_placed(store: Store) -> None:
    world = await one_number_world(store)
    mine = await job_for(world, AMY)
    # As if the claim was committed just after the deletion had looked for calls.
    await store["caller_numbers"].delete_one({"_id": world.numbers[ACME, ONE]})
    assert not await world.gate(A, await start(world, A, mine.job.contact_id))
    await is_free_again(world, AMY)
    assert await use(world) == (0, 0)
    del world.rules.registered[ACME, ONE]
    await drain(world)


async def test_calls_rotate_and_each_number_of_an_organization_is_its_own(store: Store) -> None:
    world = await new_world(store, ROOM)
    assert await claims(world, AMY, CAT, GUS) == [AMY, CAT, GUS]
    had = [(await contact(world, contact_id))["lock"]["caller_number"] for contact_id in (AMY, CAT, GUS)]
    assert had == [ONE, OTHER, OTHER], "the first carries one call, so the third goes on to the next"
    assert await claims(world, ABE, EVE, shard=BETA_SHARD) == [ABE, EVE]
    assert await use(world, ONE) == await use(world, ONE, BETA) == (1, 1)
    turns = {b["_id"]: b["turn"] async for b in store["budgets"].find({"turn": {"$exists": True}})}
    assert turns == {f"campaign:{SUMMER}": OTHER, f"campaign:{AUTUMN}": OTHER}
    await drain(world)


async def test_a_refused_number_passes_its_contacts_on_at_once(store: Store) -> None:
    world = await new_world(store, ROOM)
    world.carrier.refused.add(f"caller_number:{ONE}")
    await world.dial(A, await job_for(world, AMY))
    await is_free_again(world, AMY)
    await call(world, AMY)
    assert world.carrier.calls[-1].request.caller_number == OTHER
    await drain(world)


async def test_a_number_refused_in_an_ending_passes_its_contact_on_at_once(store: Store) -> None:
    world = await new_world(store, ROOM)
    await call(world, AMY)
    [live] = world.carrier.live()
    world.carrier.end(live, Outcome.FAILED, Refusal(subject=RefusalSubject.CALLER_NUMBER))
    await world.report(live)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    await world.pass_time(2)
    await call(world, AMY)
    assert [made.request.caller_number for made in world.carrier.calls] == [ONE, OTHER]
    await drain(world)


async def test_an_organization_without_registered_numbers_reads_and_counts_nothing_more(store: Store) -> None:
    world = await new_world(store, Plan(grants=(2, 1)))
    profile = store["system.profile"]
    await store.db.command("profile", 2)
    try:
        await call(world, CAT)
        assert await profile.count_documents({"ns": store["contacts"].full_name}) > 0, "the profile sees what is read"
        assert await profile.count_documents({"ns": store["caller_numbers"].full_name}) == 0
    finally:
        await store.db.command("profile", 0)
        await profile.drop()
    assert "day" not in (await contact(world, CAT))["lock"]
    assert await store["budgets"].find_one({"_id": {"$regex": "^number:"}}) is None
    await drain(world)


async def test_a_contact_edited_away_gives_its_number_back(store: Store) -> None:
    world = await one_number_world(store, daily_limit=1)
    mine = await job_for(world, AMY)
    await edits.edit_numbers(world, AMY, PHONES[5])
    assert not await world.gate(A, await start(world, A, mine.job.contact_id))
    await world.flush(A)
    assert await claims(world, CAT) == [CAT]
    await drain(world)
