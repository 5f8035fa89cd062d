"""Caps on contacts and phones, one fixed order of events each; the carrier's own list of all calls is the judge."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.caps import CLOCKS
from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.store.client import Store
from tests.integration.protocol import edits
from tests.integration.protocol.carrier import Fate
from tests.integration.protocol.drain import drain
from tests.integration.protocol.rules_in_force import Caps
from tests.integration.protocol.setting import ABE, ACME, AMY, ANN, CAT, ONE_PHONE, PHONES, Plan, new_world
from tests.integration.protocol.test_refusals import called, claim, ends
from tests.integration.protocol.test_traces import ACME_SHARD, BETA_SHARD, A, B, call, contact, job_for, status, task_of
from tests.integration.protocol.world import START_OF_TIME, World

ROOMY = Plan(global_limit=5, grants=(4, 1), organization_limit=4)
MIDNIGHT = START_OF_TIME + timedelta(minutes=5)  # in the configurations' zone


def plan(**caps: int) -> Plan:
    return replace(ROOMY, caps=Caps(**caps))


async def waits_for(world: World, contact_id: str) -> tuple[str, object, object]:
    """Why a contact was put off, until when, and when it is due."""
    waiting = await contact(world, contact_id)
    return waiting["put_off"]["reason"], waiting["put_off"]["until"], waiting["due_at"]


async def move_to(world: World, seconds_after_midnight: float) -> None:
    await world.pass_time((MIDNIGHT - world.now).total_seconds() + seconds_after_midnight)


async def test_a_capped_phone_waits_until_the_next_day_in_every_campaign_of_its_organization(store: Store) -> None:
    world = await new_world(store, plan(day=1))
    await call(world, ANN)
    await ends(world, ANN, Outcome.NO_ANSWER)
    await world.pass_time(6)
    # Amy has the same phone in another campaign, Abe in another organization.
    assert await claim(world, ANN, AMY, CAT) == [CAT]
    opens = MIDNIGHT + CLOCKS
    assert await waits_for(world, ANN) == await waits_for(world, AMY) == ("number_day_cap", opens, opens)
    await call(world, ABE, executor=B, shard=BETA_SHARD)
    await move_to(world, 4)
    assert await claim(world, ANN, AMY) == []
    await move_to(world, 5)
    assert await claim(world, AMY) == [AMY]
    await drain(world)


async def test_a_phone_that_is_written_in_two_ways_is_capped_as_one(store: Store) -> None:
    world = await new_world(store, plan(day=2))
    for contact_id, number in zip((ANN, AMY), ONE_PHONE, strict=True):
        await edits.edit_numbers(world, contact_id, number)
    for contact_id in (ANN, AMY):
        await call(world, contact_id)
        await ends(world, contact_id, Outcome.NO_ANSWER)
    assert [made.request.phone_number for made in world.carrier.calls] == list(ONE_PHONE)
    await world.pass_time(6)
    assert await claim(world, ANN, AMY) == []
    opens = MIDNIGHT + CLOCKS
    assert await waits_for(world, ANN) == await waits_for(world, AMY) == ("number_day_cap", opens, opens)
    await drain(world)


async def test_a_phone_that_is_on_a_call_is_busy_and_not_capped(store: Store) -> None:
    world = await new_world(store, plan(day=1))
    await call(world, ANN)
    assert await claim(world, AMY) == []
    reason, until, _ = await waits_for(world, AMY)
    assert (reason, until) == ("number_busy", world.now + timedelta(seconds=10))
    await world.pass_time(11)
    await ends(world, ANN, Outcome.BUSY)
    assert await claim(world, AMY) == []
    assert (await waits_for(world, AMY))[0] == "number_day_cap"
    await drain(world)


async def test_a_call_that_ends_in_the_transaction_of_a_claim_counts_in_it(store: Store) -> None:
    world = await new_world(store, plan(day=1))
    await call(world, ANN)
    [live] = world.carrier.live()
    world.carrier.end(live, Outcome.NO_ANSWER)
    await world.report(live)
    assert await world.work(ACME_SHARD, ACME_SHARD, claim=[AMY]) == []
    assert (await waits_for(world, AMY))[0] == "number_day_cap"
    await drain(world)


async def test_started_before_midnight(store: Store) -> None:
    world = await new_world(store, plan(day=1))
    await move_to(world, -6)
    await job_for(world, ANN)
    assert await world.start(A, task_of(world, A, ANN))
    # The request arrives at the carrier on the next day, and the one after that is the first that is free.
    await move_to(world, 2)
    await world.dial(A, task_of(world, A, ANN))
    [placed] = world.carrier.calls
    assert placed.placed_at > MIDNIGHT
    await ends(world, ANN, Outcome.NO_ANSWER)
    await world.pass_time(600)
    assert await claim(world, ANN, AMY) == []
    tomorrow = MIDNIGHT + timedelta(days=1) + CLOCKS
    assert await waits_for(world, AMY) == ("number_day_cap", tomorrow, tomorrow)
    await drain(world)


async def test_a_contact_has_so_many_attempts_a_day_whichever_of_its_numbers_is_called(store: Store) -> None:
    world = await new_world(store, plan(contact_day=1))
    await call(world, CAT)
    await ends(world, CAT, Outcome.NO_ANSWER)
    await world.pass_time(6)
    assert await claim(world, CAT) == []
    assert (await waits_for(world, CAT))[0] == "contact_day_cap"
    await move_to(world, 5)
    await call(world, CAT)
    assert called(world) == [CAT, CAT]
    assert world.carrier.calls[1].request.phone_number == PHONES[3]
    await drain(world)


async def test_the_gap_counts_from_the_end_of_the_call(store: Store) -> None:
    world = await new_world(store, plan(gap_minutes=1))
    await call(world, ANN)
    await world.pass_time(30)
    await ends(world, ANN, Outcome.NO_ANSWER)
    await world.pass_time(6)
    over = world.now + timedelta(seconds=54) + CLOCKS
    assert await claim(world, ANN, AMY) == []
    assert await waits_for(world, ANN) == await waits_for(world, AMY) == ("number_gap", over, over)
    await world.pass_time(58)
    assert await claim(world, AMY) == []
    await world.pass_time(1)
    assert await claim(world, AMY) == [AMY]
    await drain(world)


async def test_a_week_has_168_hours(store: Store) -> None:
    world = await new_world(store, plan(week=1))
    await call(world, ANN)
    await ends(world, ANN, Outcome.NO_ANSWER)
    await world.pass_time(167 * 3600)
    assert await claim(world, AMY) == []
    await world.pass_time(3600 + 25)
    assert await claim(world, AMY) == [AMY]
    await drain(world)


async def test_an_attempt_of_which_nobody_knows_the_ending_counts_and_so_does_a_deleted_contacts(store: Store) -> None:
    world = await new_world(store, plan(day=2))
    world.carrier.can_look_up = True
    await world.dial(A, await job_for(world, ANN), Fate.VANISHED)
    await edits.delete_at_once(world, ANN)
    await world.pass_time(41)
    for _ in range(2):
        await world.reconcile(ACME_SHARD, ACME_SHARD)
        await world.pass_time(30)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await store["contacts"].find_one({"_id": ANN}) is None
    [lost] = await store["attempts"].find({}).to_list()
    assert (lost["outcome"], lost["capped"], lost["phone"]) == ("interrupted", True, PHONES[0])
    await call(world, AMY)
    await ends(world, AMY, Outcome.NO_ANSWER)
    await world.pass_time(6)
    assert await claim(world, AMY) == []
    assert (await waits_for(world, AMY))[0] == "number_day_cap"
    await drain(world)


async def test_a_reset_makes_no_room_under_a_cap(store: Store) -> None:
    world = await new_world(store, plan(contact_day=2))
    for _ in range(2):
        await call(world, ANN)
        await ends(world, ANN, Outcome.NO_ANSWER)
        await world.pass_time(6)
    assert await status(world, ANN) == "exhausted"
    await edits.reset(world, ANN)
    await world.carry_out(ACME_SHARD, ACME_SHARD)
    assert await claim(world, ANN) == []
    assert (await waits_for(world, ANN))[0] == "contact_day_cap"
    await drain(world)


async def test_a_cap_that_is_lifted_moves_nobody_who_waits_for_it(store: Store) -> None:
    world = await new_world(store, plan(day=1))
    await call(world, ANN)
    await ends(world, ANN, Outcome.NO_ANSWER)
    assert await claim(world, AMY) == []
    held_back = await waits_for(world, AMY)
    await edits.lift_caps(world, ACME)
    await world.pass_time(6)
    assert await claim(world, AMY, ANN) == [ANN]
    assert await waits_for(world, AMY) == held_back
    await drain(world)


async def test_a_looser_cap_brings_those_it_has_put_off_forward_by_a_reset_alone(store: Store) -> None:
    world = await new_world(store, plan(day=1))
    await call(world, ANN)
    await ends(world, ANN, Outcome.NO_ANSWER)
    await world.pass_time(6)
    assert await claim(world, AMY) == []
    assert (await waits_for(world, AMY))[0] == "number_day_cap"
    await edits.lift_caps(world, ACME)
    assert await claim(world, AMY) == [], "it comes at the time that was set"
    campaign_id = (await contact(world, AMY))["campaign_id"]
    assert await edits.reset_campaign(world, campaign_id, ContactStatus.PENDING) == 1
    await world.carry_out(ACME_SHARD, ACME_SHARD)
    waiting = await contact(world, AMY)
    assert (waiting.get("put_off"), waiting["due_at"]) == (None, world.now)
    assert await claim(world, AMY) == [AMY]
    await drain(world)


@pytest.mark.parametrize(
    ("caps", "marked", "indexed"),
    [({}, False, 0), ({"contact_day": 1}, False, 0), ({"week": 3}, True, 1), ({"gap_minutes": 1}, True, 1)],
)
async def test_attempts_are_marked_only_where_their_organization_has_a_cap(
    store: Store, caps: dict[str, int], marked: bool, indexed: int
) -> None:
    world = await new_world(store, plan(**caps))
    await call(world, ANN)
    await ends(world, ANN, Outcome.NO_ANSWER)
    [attempt] = await store["attempts"].find({}).to_list()
    assert [name in attempt for name in ("capped", "phone", "counted_at")] == [marked] * 3
    assert len(await store["attempts"].find({"capped": True}).hint("capped").to_list()) == indexed
    await drain(world)
