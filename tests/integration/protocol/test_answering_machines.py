"""A message is left once at most, and nobody is called again after one, whatever is lost on the way."""

import pytest

from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.store.client import Document, Store
from tests.integration.protocol import edits
from tests.integration.protocol.carrier import Call, Fate
from tests.integration.protocol.drain import drain
from tests.integration.protocol.machines import machine_answers
from tests.integration.protocol.setting import AMY, ANN, EVE, MACHINES, SUMMER, Plan, new_world
from tests.integration.protocol.test_refusals import ends
from tests.integration.protocol.test_traces import ACME_SHARD, BETA_SHARD, SETTLE, UNTIL_SETTLED, call, contact, status
from tests.integration.protocol.world import World

MESSAGE = MACHINES[SUMMER]["message"]


async def to(world: World, contact_id: str, *, shard: int = ACME_SHARD) -> Call:
    """A call to the contact that is up."""
    await call(world, contact_id, shard=shard)
    return world.carrier.live()[-1]


async def reported(world: World, ended: Call, *, shard: int = ACME_SHARD) -> None:
    await world.report(ended)
    await world.work(shard, shard, claim=())


async def attempt_of(world: World, ended: Call) -> Document:
    found = await world.store["attempts"].find_one({"_id": ended.request.attempt_id})
    assert found is not None
    return found


async def test_a_message_is_left_and_the_contact_is_not_called_again(store: Store) -> None:
    world = await new_world(store)
    up = await to(world, AMY)
    await machine_answers(world, up, times=2)
    assert (up.message, up.live) == (MESSAGE, False)
    await reported(world, up)
    attempt = await attempt_of(world, up)
    assert (attempt["outcome"], attempt["message_left"]) == (Outcome.VOICEMAIL, True)
    ended = await contact(world, AMY)
    assert (ended["status"], ended["ended_because"]) == (ContactStatus.EXHAUSTED, "voicemail")
    await drain(world)


async def test_with_after_message_the_contact_is_called_again(store: Store) -> None:
    world = await new_world(store)
    again = {"retry": True, "delay_seconds": 5, "after_message": True}
    await store["configurations"].update_one({"_id": SUMMER}, {"$set": {"retry_rules.voicemail": again}})
    up = await to(world, AMY)
    await machine_answers(world, up)
    await reported(world, up)
    assert (await attempt_of(world, up))["message_left"] is True
    assert await status(world, AMY) == ContactStatus.PENDING
    # The judge of calls does not know of `after_message`.
    up.message = None
    await world.pass_time(6)
    assert (await to(world, AMY)).request.attempt_id != up.request.attempt_id
    await drain(world)


async def test_a_machine_is_hung_up_on_and_the_contact_called_again_by_its_rule(store: Store) -> None:
    world = await new_world(store)
    up = await to(world, EVE, shard=BETA_SHARD)
    await machine_answers(world, up)
    assert not up.live
    await reported(world, up, shard=BETA_SHARD)
    attempt = await attempt_of(world, up)
    assert (attempt["outcome"], "message_left" in attempt) == (Outcome.VOICEMAIL, False)
    assert await status(world, EVE) == ContactStatus.PENDING
    await drain(world)


async def test_what_is_frozen_in_the_claim_holds_although_the_configuration_is_changed(store: Store) -> None:
    world = await new_world(store)
    up = await to(world, AMY)
    await store["configurations"].update_one({"_id": SUMMER}, {"$set": {"voicemail": None}})
    await machine_answers(world, up)
    assert up.message == MESSAGE
    await drain(world)


async def test_a_call_of_a_campaign_that_says_nothing_of_machines_is_left_alone(store: Store) -> None:
    world = await new_world(store)
    up = await to(world, ANN)
    assert up.request.voicemail is None
    await machine_answers(world, up)
    assert up.live
    assert await store["answering_machines"].count_documents({}) == 0
    await drain(world)


@pytest.mark.parametrize("fate", [Fate.LOST, Fate.VANISHED])
async def test_a_message_that_may_have_been_left_is_not_left_again_and_counts_as_left(store: Store, fate: Fate) -> None:
    world = await new_world(store)
    up = await to(world, AMY)
    await machine_answers(world, up, fate)
    await machine_answers(world, up)
    assert up.message == (MESSAGE if fate is Fate.LOST else None)
    if up.live:
        world.carrier.end(up, Outcome.ANSWERED)
    await reported(world, up)
    attempt = await attempt_of(world, up)
    assert (attempt["outcome"], attempt["message_left"]) == (Outcome.VOICEMAIL, True)
    assert await status(world, AMY) == ContactStatus.EXHAUSTED
    await drain(world)


async def test_while_the_carrier_is_away_nothing_is_left_and_it_may_say_so_again(store: Store) -> None:
    world = await new_world(store)
    up = await to(world, AMY)
    await machine_answers(world, up, Fate.UNSENT)
    assert (up.message, up.machine) == (None, False)
    await machine_answers(world, up)
    assert up.message == MESSAGE
    await drain(world)


async def test_a_lost_word_of_a_machine_leaves_the_call_to_its_own_end(store: Store) -> None:
    world = await new_world(store)
    await to(world, AMY)
    await ends(world, AMY, Outcome.VOICEMAIL)
    ended = world.carrier.calls[-1]
    attempt = await attempt_of(world, ended)
    assert (attempt["outcome"], "message_left" in attempt) == (Outcome.VOICEMAIL, False)
    assert await status(world, AMY) == ContactStatus.PENDING
    await drain(world)


async def test_a_message_is_known_also_when_no_report_of_the_call_ever_comes(store: Store) -> None:
    world = await new_world(store)
    up = await to(world, AMY)
    await machine_answers(world, up)
    await world.report(up, times=0)
    await world.pass_time(UNTIL_SETTLED)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 1
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    attempt = await attempt_of(world, up)
    assert (attempt["outcome"], attempt["message_left"]) == (Outcome.VOICEMAIL, True)
    assert await status(world, AMY) == ContactStatus.EXHAUSTED
    await drain(world)


async def test_a_contact_is_not_called_again_though_the_carrier_knows_its_call_no_more(store: Store) -> None:
    world = await new_world(store)
    up = await to(world, AMY)
    await machine_answers(world, up)
    await world.report(up, times=0)
    world.carrier.blind = True
    await world.pass_time(UNTIL_SETTLED)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 0
    await world.pass_time(SETTLE)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 1
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    attempt = await attempt_of(world, up)
    assert (attempt["outcome"], attempt["message_left"]) == (Outcome.INTERRUPTED, True)
    assert await status(world, AMY) == ContactStatus.ERROR
    world.carrier.blind = False
    world.carrier.reports.append(up)
    await reported(world, up)
    attempt = await attempt_of(world, up)
    assert (attempt["outcome"], attempt["message_left"]) == (Outcome.VOICEMAIL, True)
    assert await status(world, AMY) == ContactStatus.EXHAUSTED
    await drain(world)


async def test_a_contact_that_is_reset_after_a_message_is_called_again(store: Store) -> None:
    world = await new_world(store, Plan(organization_limit=3))
    up = await to(world, AMY)
    await machine_answers(world, up)
    await reported(world, up)
    await edits.reset(world, AMY)
    await world.carry_out(ACME_SHARD, ACME_SHARD)
    await to(world, AMY)
    await drain(world)


async def test_a_call_that_its_contact_is_not_on_any_more_is_left_alone(store: Store) -> None:
    world = await new_world(store)
    up = await to(world, AMY)
    await ends(world, AMY, Outcome.NO_ANSWER)
    up.outcome = None
    await machine_answers(world, up)
    assert up.message is None
    assert await store["answering_machines"].count_documents({}) == 0
