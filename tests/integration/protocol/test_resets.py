"""Contacts that have ended and are asked to be called again: the wish is carried out once, or is void.

One fixed order of events each, judged by the documents and by the carrier's own record.
"""

import asyncio

from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.domain.reasons import EndReason
from shared.store.client import Document, Store
from tests.integration.protocol import edits
from tests.integration.protocol.carrier import Call, Fate
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ACME, AMY, BOB, CAT, PHONES, SPRING, SUMMER, Plan, new_world
from tests.integration.protocol.test_refusals import called, claim, ends
from tests.integration.protocol.test_traces import (
    ACME_SHARD,
    BETA_SHARD,
    UNTIL_GIVEN_UP,
    A,
    call,
    contact,
    job_for,
    start,
    status,
    task_of,
)
from tests.integration.protocol.world import World

NO_LOOK_UPS = Plan(can_look_up=False)


async def exhausted(world: World, contact_id: str = AMY) -> None:
    """Both calls that a contact may have are not answered."""
    for _ in range(2):
        await call(world, contact_id)
        await ends(world, contact_id, Outcome.NO_ANSWER)
        await world.pass_time(6)
    assert await ended_as(world, contact_id) == ("exhausted", "no_answer")


async def lost(world: World, contact_id: str, outcome: Outcome) -> Call:
    """A call whose ending nobody reports in time; the carrier still will."""
    await world.dial(A, await job_for(world, contact_id), Fate.LOST)
    [live] = world.carrier.live()
    world.carrier.end(live, outcome)
    await world.pass_time(UNTIL_GIVEN_UP)
    await world.reconcile(ACME_SHARD, ACME_SHARD)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await ended_as(world, contact_id) == ("error", "lost")
    return live


async def reported(world: World, late: Call) -> None:
    await world.report(late)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())


async def ended_as(world: World, contact_id: str) -> tuple[str, str | None]:
    found = await contact(world, contact_id)
    return found["status"], found["ended_because"]


async def wishes(world: World) -> list[Document]:
    return await world.store["asks"].find({}).to_list()


async def counters(world: World, campaign_id: str) -> Document:
    found = await world.store["counters"].find_one({"_id": campaign_id})
    assert found is not None
    return found


# Carried out.


async def test_reset_of_no_agent_calls_again(store: Store) -> None:
    world = await new_world(store)
    await store["configurations"].update_one({"_id": SUMMER}, {"$set": {"agent_id": None}})
    assert await claim(world, AMY) == []
    assert await ended_as(world, AMY) == ("error", "no_agent")
    await store["configurations"].update_one({"_id": SUMMER}, {"$set": {"agent_id": "agent-1"}})
    assert await claim(world, AMY) == [], "a changed setting moves nobody that has ended"
    assert await edits.reset_campaign(world, SUMMER, ContactStatus.ERROR, EndReason.LOST) == 0
    assert await edits.reset_campaign(world, SUMMER, ContactStatus.ERROR, EndReason.NO_AGENT) == 1
    assert await wishes(world) == [{"_id": AMY, "shard": ACME_SHARD, "campaign_id": SUMMER}]
    assert await edits.reset_campaign(world, SUMMER, ContactStatus.ERROR, EndReason.NO_AGENT) == 0, "asked already"
    assert await claim(world, AMY) == [], "not carried out yet"
    await world.sweep(ACME_SHARD, ACME_SHARD)
    waits = await contact(world, AMY)
    assert (waits["status"], waits["ended_because"], waits["due_at"]) == ("pending", None, world.now)
    assert "asked" not in waits
    assert await wishes(world) == []
    await call(world, AMY)
    assert called(world) == [AMY]
    await drain(world)


async def test_reset_keeps_attempts_and_counts_anew(store: Store) -> None:
    world = await new_world(store)
    await exhausted(world)
    assert await edits.reset(world, AMY, CAT) == 1, "who waits is not reset"
    await world.sweep(ACME_SHARD, ACME_SHARD)
    waits = await contact(world, AMY)
    assert (waits["attempts_made"], waits["uncounted"], waits["outcomes"]) == (2, 2, {})
    await call(world, AMY)
    assert (await contact(world, AMY))["lock"]["attempt_number"] == 3
    await ends(world, AMY, Outcome.NO_ANSWER)
    assert await status(world, AMY) == ContactStatus.PENDING
    assert await claim(world, AMY) == [], "the delay of the rule"
    await world.pass_time(6)
    await call(world, AMY)
    await ends(world, AMY, Outcome.NO_ANSWER)
    assert await ended_as(world, AMY) == ("exhausted", "no_answer")
    attempts = await store["attempts"].find({"contact_id": AMY}).sort("attempt_number").to_list()
    assert [attempt["attempt_number"] for attempt in attempts] == [1, 2, 3, 4]
    assert called(world) == [AMY] * 4
    assert (await counters(world, SUMMER))["ended"] == {"no_answer": 1}
    await drain(world)


async def test_invalid_numbers_are_tried_again_after_a_reset(store: Store) -> None:
    world = await new_world(store)
    await call(world, AMY)
    await ends(world, AMY, Outcome.INVALID_NUMBER)
    assert await ended_as(world, AMY) == ("exhausted", "invalid_number")
    await edits.reset(world, AMY)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert (await contact(world, AMY))["invalid_numbers"] == []
    await call(world, AMY)
    assert called(world) == [AMY] * 2
    await drain(world)


async def test_who_was_answered_or_opted_out_is_not_asked_for(store: Store) -> None:
    world = await new_world(store)
    for contact_id, outcome, because in (
        (AMY, Outcome.ANSWERED, ("completed", "answered")),
        (CAT, Outcome.DO_NOT_CALL, ("exhausted", "opted_out")),
    ):
        await call(world, contact_id)
        await ends(world, contact_id, outcome)
        assert await ended_as(world, contact_id) == because
    assert await edits.reset(world, AMY, CAT) == 0
    assert await edits.reset_campaign(world, SUMMER, ContactStatus.EXHAUSTED) == 0
    assert await edits.reset_campaign(world, SUMMER, ContactStatus.COMPLETED) == 0
    assert await wishes(world) == []
    await drain(world)


async def test_skipped_do_not_call_stays_skipped_while_listed(store: Store) -> None:
    world = await new_world(store)
    await edits.list_number(world, ACME, PHONES[5])
    await edits.add_contact(world, ACME, SUMMER, PHONES[5])
    newcomer = world.contacts[-1]
    await edits.list_number(world, ACME, PHONES[1])
    assert await claim(world, BOB) == []
    for contact_id in (newcomer, BOB):
        assert await ended_as(world, contact_id) == ("skipped", "do_not_call")
    assert await edits.reset(world, newcomer, BOB) == 2
    await world.sweep(ACME_SHARD, ACME_SHARD)
    for contact_id in (newcomer, BOB):
        assert await ended_as(world, contact_id) == ("skipped", "do_not_call")
    assert await wishes(world) == []
    assert await claim(world, newcomer, BOB) == []
    for number in (PHONES[5], PHONES[1]):
        await edits.list_number(world, ACME, number)
    assert await edits.reset_campaign(world, SUMMER, ContactStatus.SKIPPED, EndReason.DO_NOT_CALL) == 1
    assert await edits.reset_campaign(world, SPRING, ContactStatus.SKIPPED, EndReason.DO_NOT_CALL) == 1
    await world.sweep(ACME_SHARD, ACME_SHARD)
    # One was skipped as it was added, which another process has counted.
    assert (await counters(world, SUMMER))["ended"] == {"do_not_call": -1}
    assert (await counters(world, SPRING))["ended"] == {"do_not_call": 0}
    await call(world, newcomer)
    assert called(world) == [newcomer]
    await drain(world)


# Void, or made so by a deletion.


async def test_wish_void_after_a_better_ending(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    late = await lost(world, AMY, Outcome.ANSWERED)
    assert await edits.reset(world, AMY) == 1
    await reported(world, late)
    assert await ended_as(world, AMY) == ("completed", "answered")
    assert await wishes(world) == []
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert await ended_as(world, AMY) == ("completed", "answered")
    await drain(world)
    assert called(world).count(AMY) == 1


async def test_an_answer_heard_of_after_the_reset_ends_the_contact(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    late = await lost(world, AMY, Outcome.ANSWERED)
    await edits.reset(world, AMY)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert await status(world, AMY) == ContactStatus.PENDING
    await reported(world, late)
    assert await ended_as(world, AMY) == ("completed", "answered")
    await drain(world)
    assert called(world).count(AMY) == 1


async def test_answered_while_locked_is_not_called_again(store: Store) -> None:
    for outcome, ending in (
        (Outcome.ANSWERED, ("completed", "answered")),
        (Outcome.DO_NOT_CALL, ("exhausted", "opted_out")),
    ):
        world = await new_world(store, NO_LOOK_UPS)
        late = await lost(world, AMY, outcome)
        await edits.reset(world, AMY)
        await world.sweep(ACME_SHARD, ACME_SHARD)
        await job_for(world, AMY)
        await reported(world, late)
        await start(world, A, AMY)
        assert not await world.gate(A, task_of(world, A, AMY))
        await world.flush(A)
        await world.work(ACME_SHARD, ACME_SHARD, claim=())
        assert await ended_as(world, AMY) == ending
        assert await edits.reset(world, AMY) == 0
        await drain(world)
        assert called(world).count(AMY) == 1


async def test_answered_but_not_the_last_is_not_called_again(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    late = await lost(world, AMY, Outcome.ANSWERED)
    await edits.reset(world, AMY)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    await call(world, AMY)
    # Heard of while the second call is up, which ends without an answer.
    await reported(world, late)
    await ends(world, AMY, Outcome.NO_ANSWER)
    assert await ended_as(world, AMY) == ("completed", "answered")
    await drain(world)
    assert called(world).count(AMY) == 2


async def test_answered_before_the_last_call_ended_the_contact_otherwise(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    late = await lost(world, AMY, Outcome.ANSWERED)
    await edits.reset(world, AMY)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    await call(world, AMY)
    await ends(world, AMY, Outcome.DECLINED)
    assert await ended_as(world, AMY) == ("exhausted", "declined")
    await reported(world, late)
    assert await ended_as(world, AMY) == ("completed", "answered")
    assert await edits.reset(world, AMY) == 0
    await drain(world)


async def test_two_late_endings_of_one_contact_in_one_batch_move_it_once(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    first = await lost(world, AMY, Outcome.ANSWERED)
    await edits.reset(world, AMY)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    second = await lost(world, AMY, Outcome.NO_ANSWER)
    await world.report(second)
    await world.report(first)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await ended_as(world, AMY) == ("completed", "answered")
    await drain(world)
    assert called(world).count(AMY) == 2


async def test_what_becomes_known_of_a_call_before_the_reset_counts_for_no_limit(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    late = await lost(world, AMY, Outcome.NO_ANSWER)
    await edits.reset(world, AMY)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    await reported(world, late)
    waits = await contact(world, AMY)
    assert (waits["due_at"], waits["outcomes"], waits["uncounted"]) == (world.now, {}, 1)
    attempt = await store["attempts"].find_one({"contact_id": AMY})
    assert attempt is not None
    assert attempt["outcome"] == "no_answer"
    await exhausted(world)
    assert called(world) == [AMY] * 3, "the one before the reset, and as many as are allowed"
    await drain(world)


async def test_wish_then_deleted(store: Store) -> None:
    world = await new_world(store)
    await exhausted(world)
    await edits.reset(world, AMY)
    assert await edits.delete(world, AMY)
    # Whichever comes first removes the contact and its wish.
    assert await world.carry_out(ACME_SHARD, ACME_SHARD) == 1
    assert await store["contacts"].find_one({"_id": AMY}) is None
    assert await wishes(world) == []
    counted = await counters(world, SUMMER)
    assert (counted["ended"], counted["attempts"], counted["attempts_removed"]) == ({"no_answer": 0}, 2, 2)
    assert await edits.reset(world, AMY) == 0
    await drain(world)


async def test_attempts_of_a_contact_deleted_in_a_call_are_removed_with_it(store: Store) -> None:
    world = await new_world(store)
    await call(world, AMY)
    await edits.delete_at_once(world, AMY)
    await ends(world, AMY, Outcome.NO_ANSWER)
    assert await store["contacts"].find_one({"_id": AMY}) is None
    counted = await counters(world, SUMMER)
    assert (counted["attempts"], counted["attempts_removed"]) == (1, 1)
    await drain(world)


# Schedulers that come and go.


async def test_two_schedulers_carry_out_one_wish_once(store: Store) -> None:
    world = await new_world(store)
    await exhausted(world)
    await edits.reset(world, AMY)
    await world.take_over(BETA_SHARD, ACME_SHARD)
    old, new = await asyncio.gather(world.carry_out(ACME_SHARD, ACME_SHARD), world.carry_out(BETA_SHARD, ACME_SHARD))
    assert (old, new) == (0, 1)
    assert not world.owns(ACME_SHARD, ACME_SHARD), "the old owner has been told"
    waits = await contact(world, AMY)
    assert (waits["status"], waits["uncounted"]) == ("pending", 2)
    assert await world.carry_out(BETA_SHARD, ACME_SHARD) == 0
    await drain(world)
    assert called(world).count(AMY) == 3


async def test_killed_between_a_wish_and_the_call_it_asks_for(store: Store) -> None:
    world = await new_world(store)
    await exhausted(world)
    await edits.reset(world, AMY)
    await world.kill_scheduler(ACME_SHARD)
    await world.take_over(BETA_SHARD, ACME_SHARD)
    assert await world.carry_out(BETA_SHARD, ACME_SHARD) == 1, "found in the database, without a message"
    await world.kill_scheduler(BETA_SHARD)
    await world.take_over(ACME_SHARD, ACME_SHARD)
    assert await world.carry_out(ACME_SHARD, ACME_SHARD) == 0
    assert len(await world.work(ACME_SHARD, ACME_SHARD, claim=[AMY])) == 1
    # Claimed, and never published.
    await world.kill_scheduler(ACME_SHARD)
    await world.take_over(ACME_SHARD, ACME_SHARD)
    await world.pass_time(31)
    assert await world.expire(ACME_SHARD, ACME_SHARD) == 1
    await call(world, AMY)
    assert (await contact(world, AMY))["lock"]["attempt_number"] == 3
    await ends(world, AMY, Outcome.ANSWERED)
    assert await ended_as(world, AMY) == ("completed", "answered")
    assert called(world) == [AMY] * 3
    await drain(world)
