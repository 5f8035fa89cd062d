"""Callbacks asked for in a call, and those of contacts of whose earlier calls more becomes known.

One fixed order of events each, judged by the documents and by the carrier's own record.
"""

from datetime import timedelta

import pytest

from shared.domain.contact import Tier
from shared.domain.outcome import Outcome
from shared.domain.queue_order import tier_in
from shared.domain.wishes import WishKind
from shared.store.client import Store
from tests.integration.protocol import edits
from tests.integration.protocol.carrier import Fate
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import AMY, SUMMER, new_world
from tests.integration.protocol.test_callbacks import IN_A_MINUTE, carried_out, requested
from tests.integration.protocol.test_refusals import called, ends
from tests.integration.protocol.test_resets import (
    NO_LOOK_UPS,
    ended_as,
    lost,
    reported,
    wishes,
)
from tests.integration.protocol.test_traces import ACME_SHARD, A, call, contact, job_for, start, task_of


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.NO_ANSWER])
async def test_callback_before_finish(store: Store, outcome: Outcome) -> None:
    world = await new_world(store)
    await call(world, AMY)
    await edits.ask_in_call(world, world.carrier.live()[0].request, IN_A_MINUTE)
    await ends(world, AMY, outcome)
    waits = await contact(world, AMY)
    assert (waits["status"], tier_in(waits["tier"])) == ("pending", Tier.REQUESTED)
    assert (waits["due_at"], waits["uncounted"], waits["outcomes"]) == (
        world.now + timedelta(seconds=IN_A_MINUTE),
        1,
        {},
    )
    assert await wishes(world) == []
    await world.pass_time(61)
    await call(world, AMY)
    await ends(world, AMY, Outcome.DECLINED)
    reached = outcome is Outcome.ANSWERED
    assert await ended_as(world, AMY) == (("completed", "answered") if reached else ("exhausted", "declined"))
    await drain(world)


async def test_opted_out_in_the_call_in_which_a_callback_was_asked_for(store: Store) -> None:
    world = await new_world(store)
    await call(world, AMY)
    await edits.ask_in_call(world, world.carrier.live()[0].request, IN_A_MINUTE)
    await ends(world, AMY, Outcome.DO_NOT_CALL)
    assert await ended_as(world, AMY) == ("exhausted", "opted_out")
    assert await wishes(world) == []
    await drain(world)


async def test_callback_lost_by_a_better_ending(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    late = await lost(world, AMY, Outcome.ANSWERED)
    assert await edits.ask(world, AMY, WishKind.CALLBACK, IN_A_MINUTE)
    await reported(world, late)
    waits = await contact(world, AMY)
    assert (waits["status"], tier_in(waits["tier"]), waits["for_good"]) == ("pending", Tier.REQUESTED, "answered")
    assert await wishes(world) == []
    await world.pass_time(61)
    await call(world, AMY)
    await ends(world, AMY, Outcome.DECLINED)
    assert await ended_as(world, AMY) == ("completed", "answered")
    await drain(world)


async def test_a_callback_that_waits_is_not_ended_by_a_better_ending(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    late = await lost(world, AMY, Outcome.ANSWERED)
    await requested(world)
    await reported(world, late)
    waits = await contact(world, AMY)
    assert (waits["status"], tier_in(waits["tier"]), waits["for_good"]) == ("pending", Tier.REQUESTED, "answered")
    await call(world, AMY)
    await ends(world, AMY, Outcome.ANSWERED)
    assert called(world) == [AMY] * 2
    await drain(world)


async def test_answered_while_the_callback_is_claimed(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    late = await lost(world, AMY, Outcome.ANSWERED)
    await requested(world)
    await job_for(world, AMY)
    await reported(world, late)
    await start(world, A, AMY)
    assert await world.gate(A, task_of(world, A, AMY)), "it was asked for after that call"
    await drain(world)


async def test_opted_out_while_the_callback_is_claimed(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    late = await lost(world, AMY, Outcome.DO_NOT_CALL)
    await requested(world)
    await job_for(world, AMY)
    await reported(world, late)
    await start(world, A, AMY)
    assert not await world.gate(A, task_of(world, A, AMY))
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await ended_as(world, AMY) == ("exhausted", "opted_out")
    await drain(world)


async def test_a_callbacks_own_try_that_was_answered_after_all_ends_it(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    unknown = {"interrupted": {"retry": True, "delay_seconds": 5}, "unknown": {"retry": True, "delay_seconds": 5}}
    await store["configurations"].update_one({"_id": SUMMER}, {"$set": {"retry_rules": unknown, "max_attempts": 3}})
    world.rules.ceilings[SUMMER] = 3
    await requested(world)
    await world.dial(A, await job_for(world, AMY), Fate.LOST)
    [live] = world.carrier.live()
    world.carrier.end(live, Outcome.ANSWERED)
    await world.pass_time(121)
    await world.reconcile(ACME_SHARD, ACME_SHARD)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    waits = await contact(world, AMY)
    assert (waits["status"], tier_in(waits["tier"])) == ("pending", Tier.REQUESTED)
    await world.pass_time(6)
    await job_for(world, AMY)
    await reported(world, live)
    await start(world, A, AMY)
    assert not await world.gate(A, task_of(world, A, AMY)), "the callback has been answered"
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await ended_as(world, AMY) == ("completed", "answered")
    await drain(world)
    assert called(world).count(AMY) == 1


async def test_given_up_stays_so_whatever_becomes_known_of_its_call(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    unknown = {"unknown": {"retry": True, "delay_seconds": 5}, "no_answer": {"retry": True, "delay_seconds": 5}}
    await store["configurations"].update_one({"_id": SUMMER}, {"$set": {"retry_rules": unknown}})
    await world.dial(A, await job_for(world, AMY), Fate.LOST)
    [live] = world.carrier.live()
    world.carrier.end(live, Outcome.NO_ANSWER)
    await world.pass_time(121)
    await world.reconcile(ACME_SHARD, ACME_SHARD)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await edits.ask(world, AMY, WishKind.GIVE_UP, waiting=1)
    await carried_out(world)
    await reported(world, live)
    assert await ended_as(world, AMY) == ("exhausted", "given_up")
    await drain(world)
