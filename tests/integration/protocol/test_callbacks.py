"""Callbacks and what is asked of them: carried out once, or void; the person is called back, and never too often.

One fixed order of events each, judged by the documents and by the carrier's own record.
"""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.contact import Tier
from shared.domain.outcome import Outcome
from shared.domain.queue_order import tier_in
from shared.domain.wishes import WishKind
from shared.errors import Clash, Conflict, WrongState
from shared.store.client import Document, Store
from shared.store.contacts.asking import AskedBefore, Asking, write_wish
from shared.store.documents.contacts import contact_of
from tests.integration.protocol import edits
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ACME, AMY, CAT, PHONES, SUMMER, new_world
from tests.integration.protocol.test_refusals import called, claim, ends
from tests.integration.protocol.test_resets import (
    counters,
    ended_as,
    exhausted,
    wishes,
)
from tests.integration.protocol.test_traces import ACME_SHARD, A, call, contact, job_for, start, status, task_of
from tests.integration.protocol.world import START_OF_TIME, World

IN_A_MINUTE, IN_AN_HOUR = 60.0, 3600.0


async def carried_out(world: World) -> None:
    await world.carry_out(ACME_SHARD, ACME_SHARD)
    assert await wishes(world) == []


async def retry(world: World, contact_id: str = AMY) -> Document:
    """A contact that was not answered once and waits for its retry."""
    await call(world, contact_id)
    await ends(world, contact_id, Outcome.NO_ANSWER)
    return await contact(world, contact_id)


async def requested(world: World, contact_id: str = AMY, seconds: float = 0.0) -> None:
    assert await edits.ask(world, contact_id, WishKind.CALLBACK, seconds)
    await carried_out(world)
    found = await contact(world, contact_id)
    assert (found["status"], tier_in(found["tier"])) == ("pending", Tier.REQUESTED)


async def refused(world: World, contact_id: str, kind: WishKind, **more: Any) -> Clash:
    with pytest.raises(Conflict) as refusal:
        await edits.ask_or_raise(world, contact_id, kind, **more)
    return refusal.value.clash


# What S4 pins.


async def test_wish_on_a_claimed_contact(store: Store) -> None:
    world = await new_world(store)
    await retry(world)
    await world.pass_time(6)
    await job_for(world, AMY)
    for kind in (WishKind.NOW, WishKind.SKIP, WishKind.GIVE_UP, WishKind.CALLBACK):
        assert await refused(world, AMY, kind, waiting=1 if kind is not WishKind.CALLBACK else None) is (
            Clash.CALLBACK_UNDER_WAY
        )
    assert await wishes(world) == []
    await start(world, A, AMY)
    await world.dial(A, task_of(world, A, AMY))
    assert called(world) == [AMY] * 2
    await drain(world)


async def test_claim_takes_a_wished_one(store: Store) -> None:
    world = await new_world(store)
    await retry(world)
    await world.pass_time(6)
    assert await edits.ask(world, AMY, WishKind.GIVE_UP, waiting=1)
    assert await claim(world, AMY) == [], "what is asked comes first"
    await carried_out(world)
    assert await ended_as(world, AMY) == ("exhausted", "given_up")
    assert await claim(world, AMY) == []
    assert (await counters(world, SUMMER))["ended"] == {"given_up": 1}
    await drain(world)
    assert called(world).count(AMY) == 1


async def test_wish_then_callback(store: Store) -> None:
    world = await new_world(store)
    await retry(world)
    assert await edits.ask(world, AMY, WishKind.GIVE_UP, waiting=1)
    assert await edits.ask(world, AMY, WishKind.CALLBACK, IN_A_MINUTE)
    assert [row["_id"] for row in await wishes(world)] == [AMY]
    await carried_out(world)
    waits = await contact(world, AMY)
    assert (waits["status"], waits["due_at"]) == ("pending", world.now + timedelta(minutes=1))
    assert waits["waiting"] == 2, "given up never happened"
    await drain(world)


async def test_callback_then_wish(store: Store) -> None:
    world = await new_world(store)
    await retry(world)
    assert await edits.ask(world, AMY, WishKind.CALLBACK, IN_A_MINUTE)
    assert await refused(world, AMY, WishKind.SKIP, waiting=1) is Clash.CALLBACK_OVER, "the retry waits no more"
    with pytest.raises(AskedBefore):
        await edits.ask_or_raise(world, AMY, WishKind.GIVE_UP, waiting=2)
    # Of the contact, whatever it waits for: the later one takes the place of the earlier.
    assert await edits.ask(world, AMY, WishKind.GIVE_UP)
    await carried_out(world)
    assert await ended_as(world, AMY) == ("exhausted", "given_up")
    await drain(world)
    assert called(world).count(AMY) == 1


# What each wish does.


async def test_a_retry_at_another_time_keeps_its_id(store: Store) -> None:
    world = await new_world(store)
    before = await retry(world)
    assert before["waiting"] == 1
    assert await edits.ask(world, AMY, WishKind.AT, IN_AN_HOUR, waiting=1, notes="after lunch")
    await carried_out(world)
    waits = await contact(world, AMY)
    assert (waits["due_at"], waits["waiting"], tier_in(waits["tier"])) == (
        world.now + timedelta(hours=1),
        1,
        Tier.RETRY,
    )
    assert waits["callback"]["notes"] == "after lunch"
    await world.pass_time(6)
    assert await claim(world, AMY) == []
    assert await edits.ask(world, AMY, WishKind.NOW, waiting=1)
    await carried_out(world)
    await call(world, AMY)
    await ends(world, AMY, Outcome.NO_ANSWER)
    assert await ended_as(world, AMY) == ("exhausted", "no_answer"), "it was retry 1 of 1"
    await drain(world)


async def test_called_now_outside_the_window_waits_until_the_window_opens(store: Store) -> None:
    world = await new_world(store)
    await retry(world)
    opens = START_OF_TIME + timedelta(minutes=10)  # in the configurations' zone
    window = {"days": ["tue"], "start": "00:05", "end": "24:00"}
    await store["configurations"].update_one({"_id": SUMMER}, {"$set": {"default_windows": [window]}})
    world.rules.windows_open[SUMMER].set(world.steps, False)
    assert await edits.ask(world, AMY, WishKind.NOW, waiting=1)
    await carried_out(world)
    waits = await contact(world, AMY)
    assert (waits["status"], waits["waiting"], waits["due_at"]) == ("pending", 1, world.now)
    await world.pass_time((opens - world.now).total_seconds() - 1)
    assert await claim(world, AMY) == []
    assert await status(world, AMY) == "pending"
    await world.pass_time(1)
    world.rules.windows_open[SUMMER].set(world.steps, True)
    await call(world, AMY)
    await drain(world)
    assert called(world).count(AMY) == 2


async def test_skipped_retries_are_used_up(store: Store) -> None:
    world = await new_world(store)
    await store["configurations"].update_one({"_id": SUMMER}, {"$set": {"max_attempts": 3}})
    world.rules.ceilings[SUMMER] = 3
    before = await retry(world)
    assert await edits.ask(world, AMY, WishKind.SKIP, waiting=1)
    await carried_out(world)
    waits = await contact(world, AMY)
    assert (waits["waiting"], waits["retries_skipped"], waits["outcomes"]) == (2, 1, {"no_answer": 2})
    assert waits["due_at"] == before["due_at"] + timedelta(seconds=5), "the delay of the rule, from when it was due"
    assert await refused(world, AMY, WishKind.SKIP, waiting=1) is Clash.CALLBACK_OVER
    await world.pass_time(11)
    await call(world, AMY)
    assert (await contact(world, AMY))["lock"]["attempt_number"] == 2
    await ends(world, AMY, Outcome.NO_ANSWER)
    assert await ended_as(world, AMY) == ("exhausted", "no_answer"), "two calls and the skipped one"
    await edits.reset(world, AMY)
    await carried_out(world)
    assert (await contact(world, AMY))["retries_skipped"] == 0
    await drain(world)


async def test_the_last_retry_skipped_ends_the_contact(store: Store) -> None:
    world = await new_world(store)
    await retry(world)
    assert await edits.ask(world, AMY, WishKind.SKIP, waiting=1)
    await carried_out(world)
    assert await ended_as(world, AMY) == ("exhausted", "no_answer")
    await drain(world)


async def test_done_is_completed_and_called_no_more(store: Store) -> None:
    world = await new_world(store)
    await retry(world)
    assert await edits.ask(world, AMY, WishKind.DONE, waiting=1)
    await carried_out(world)
    assert await ended_as(world, AMY) == ("completed", "done")
    assert await edits.reset(world, AMY) == 0
    await drain(world)
    assert called(world).count(AMY) == 1


async def test_what_is_asked_of_a_callback_is_void_once_it_was_called(store: Store) -> None:
    world = await new_world(store)
    await retry(world)
    await world.pass_time(6)
    await call(world, AMY)
    await ends(world, AMY, Outcome.NO_ANSWER)
    assert await ended_as(world, AMY) == ("exhausted", "no_answer")
    assert await refused(world, AMY, WishKind.NOW, waiting=1) is Clash.CALLBACK_OVER
    await drain(world)


# Requested callbacks.


async def test_an_ended_contact_is_called_back_with_tries_of_its_own(store: Store) -> None:
    world = await new_world(store)
    await exhausted(world)
    await requested(world, seconds=IN_A_MINUTE)
    assert await claim(world, AMY) == [], "not before its time"
    await world.pass_time(61)
    for _ in range(2):
        await call(world, AMY)
        await ends(world, AMY, Outcome.NO_ANSWER)
        await world.pass_time(6)
    assert await ended_as(world, AMY) == ("exhausted", "no_answer")
    assert (await contact(world, AMY))["waiting"] == 3, "a retry, the callback, and its second try"
    assert called(world) == [AMY] * 4
    assert await edits.reset(world, AMY) == 1
    await drain(world)


async def test_a_requested_callback_takes_the_place_of_a_retry(store: Store) -> None:
    world = await new_world(store)
    await retry(world)
    await requested(world, seconds=IN_A_MINUTE)
    await world.pass_time(6)
    assert await claim(world, AMY) == [], "the retry's time is not the callback's"
    await world.pass_time(55)
    await call(world, AMY)
    await ends(world, AMY, Outcome.ANSWERED)
    assert await ended_as(world, AMY) == ("completed", "answered")
    await drain(world)
    assert called(world).count(AMY) == 2


@pytest.mark.parametrize("outcome", [Outcome.NO_ANSWER, Outcome.DECLINED, Outcome.INVALID_NUMBER])
async def test_who_was_answered_before_ends_completed_whatever_becomes_of_it(store: Store, outcome: Outcome) -> None:
    world = await new_world(store)
    await call(world, AMY)
    await ends(world, AMY, Outcome.ANSWERED)
    await requested(world)
    for _ in range(2 if outcome is Outcome.NO_ANSWER else 1):
        assert await status(world, AMY) == "pending"
        await call(world, AMY)
        await ends(world, AMY, outcome)
        await world.pass_time(6)
    assert await ended_as(world, AMY) == ("completed", "answered")
    assert await edits.reset(world, AMY) == 0
    await drain(world)


async def test_who_was_answered_and_is_on_the_list_now_stays_completed(store: Store) -> None:
    world = await new_world(store)
    await call(world, AMY)
    await ends(world, AMY, Outcome.ANSWERED)
    await requested(world, seconds=IN_A_MINUTE)
    await edits.list_number(world, ACME, PHONES[0])
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert await ended_as(world, AMY) == ("completed", "answered")
    assert await refused(world, AMY, WishKind.CALLBACK) is Clash.NEVER_CALLED_AGAIN
    await drain(world)


async def test_who_opted_out_is_not_called_back(store: Store) -> None:
    world = await new_world(store)
    await call(world, AMY)
    await ends(world, AMY, Outcome.DO_NOT_CALL)
    assert await refused(world, AMY, WishKind.CALLBACK) is Clash.NEVER_CALLED_AGAIN
    await drain(world)


async def test_a_dropped_callback_ends_its_contact_or_leaves_its_first_call(store: Store) -> None:
    world = await new_world(store)
    await retry(world, CAT)
    for contact_id in (AMY, CAT):
        await requested(world, contact_id, IN_AN_HOUR)
        assert await edits.ask(world, contact_id, WishKind.SKIP)
    await carried_out(world)
    assert await ended_as(world, CAT) == ("exhausted", "given_up")
    fresh = await contact(world, AMY)
    assert (fresh["status"], tier_in(fresh["tier"]), fresh["due_at"]) == ("pending", Tier.FRESH, fresh["created_at"])
    assert fresh["callback"] is None
    await drain(world)


async def test_nobody_is_called_back_in_a_campaign_that_is_over(store: Store) -> None:
    world = await new_world(store)
    await exhausted(world)
    await store["campaigns"].update_one(
        {"_id": SUMMER}, {"$set": {"run": {"generation": 1, "state": "completed", "reason": None, "at": world.now}}}
    )
    with pytest.raises(WrongState):
        await edits.ask_or_raise(world, AMY, WishKind.CALLBACK)
    await store["campaigns"].update_one({"_id": SUMMER}, {"$set": {"intent": "cancelled"}})
    with pytest.raises(WrongState):
        await edits.ask_or_raise(world, AMY, WishKind.CALLBACK)
    assert await wishes(world) == []


async def test_closed_meanwhile(store: Store) -> None:
    world = await new_world(store)
    await exhausted(world)
    await edits.ask(world, AMY, WishKind.CALLBACK, IN_A_MINUTE)
    await store["campaigns"].update_one({"_id": SUMMER}, {"$set": {"intent": "cancelled"}})
    await world.carry_out(ACME_SHARD, ACME_SHARD)
    assert await ended_as(world, AMY) == ("skipped", "cancelled")
    assert await wishes(world) == []


# A claim that is taken back keeps what was asked, and its waiting.


async def test_a_claim_taken_back_is_no_new_waiting(store: Store) -> None:
    world = await new_world(store)
    await retry(world)
    await world.pass_time(6)
    await job_for(world, AMY)
    await world.pass_time(31)
    assert await world.expire(ACME_SHARD, ACME_SHARD) == 1
    assert ((await contact(world, AMY))["waiting"], await status(world, AMY)) == (1, "pending")
    assert await edits.ask(world, AMY, WishKind.DONE, waiting=1)
    await carried_out(world)
    assert await ended_as(world, AMY) == ("completed", "done")
    await drain(world)


async def test_a_callback_asked_for_in_a_call_that_was_none_is_void(store: Store) -> None:
    world = await new_world(store)
    await retry(world)
    await world.pass_time(6)
    task = await job_for(world, AMY)
    locked = await contact(world, AMY)

    async def asks(session: Any) -> None:
        asking = Asking(WishKind.CALLBACK, world.now)
        await write_wish(store, session, contact_of(locked), asking, world.now)

    await store.in_transaction(asks)
    await world.give_back(A, task)
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    waits = await contact(world, AMY)
    assert (waits["status"], waits["waiting"], waits["asked"]["kind"]) == ("pending", 1, "callback")
    await carried_out(world)
    assert tier_in((await contact(world, AMY))["tier"]) is Tier.RETRY
    await drain(world)
