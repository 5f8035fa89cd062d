"""Every single check of claim, start, gate, finish and reconcile alone: without it, its test here fails.

Most are also behind another check, so that a run in any order seldom misses one of them.
"""

import uuid
from datetime import timedelta

import pytest

from services.call_executor import placing
from shared.clock import monotonic
from shared.domain.campaign import CampaignMove
from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.events import CallFinished
from shared.store.client import Store
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from tests.integration.protocol import edits
from tests.integration.protocol.carrier import Fate
from tests.integration.protocol.drain import drain
from tests.integration.protocol.seats import Task
from tests.integration.protocol.setting import ACME, AMY, ANN, CAT, ONE_PHONE, PHONES, SPRING, SUMMER, Plan, new_world
from tests.integration.protocol.test_traces import (
    ACME_SHARD,
    SETTLE,
    UNTIL_GIVEN_UP,
    UNTIL_SETTLED,
    A,
    B,
    call,
    contact,
    job_for,
    start,
    status,
    task_of,
)
from tests.integration.protocol.world import DIALING, World

ROOMY = Plan(global_limit=4, grants=(3, 1), organization_limit=3)


async def claim(world: World, *contact_ids: str) -> int:
    return len(await world.work(ACME_SHARD, ACME_SHARD, claim=contact_ids))


async def say(world: World, attempt_id: str, *outcomes: Outcome) -> None:
    """Endings of one attempt of Ann's, in one batch."""
    for outcome in outcomes:
        ids = {"organization_id": ACME, "shard": ACME_SHARD, "contact_id": ANN, "attempt_id": attempt_id}
        event = CallFinished.model_validate({**ids, "outcome": outcome, "ended_at": world.now})
        world.events[ACME_SHARD].append(event)
    await claim(world)


async def refuse(world: World) -> None:
    """Call Ann, who is busy."""
    await world.dial(A, await job_for(world, ANN), Fate.REFUSED)
    await world.flush(A)
    await claim(world)


async def outcome_of(world: World, attempt_id: str) -> str:
    attempt = await world.store["attempts"].find_one({"_id": attempt_id})
    assert attempt is not None
    return str(attempt["outcome"])


# Claim.


async def test_nobody_is_claimed_while_the_campaign_is_paused_or_its_window_closed(store: Store) -> None:
    world = await new_world(store)
    await edits.move(world, SPRING, CampaignMove.PAUSE)
    assert await claim(world, ANN) == 0
    await edits.move(world, SPRING, CampaignMove.START)
    await edits.set_windows(world, SPRING, is_open=False)
    assert await claim(world, ANN) == 0
    await drain(world)


async def test_nobody_is_claimed_before_the_time(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    await world.give_back(A, task_of(world, A, ANN))
    await world.flush(A)
    assert await claim(world, ANN) == 0, "a job given back waits a second"
    await world.pass_time(2)
    assert await claim(world, ANN) == 1
    await drain(world)


async def test_a_campaign_is_claimed_up_to_its_own_limit(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await edits.limit_campaign(world, SUMMER, 1)
    assert await claim(world, AMY, CAT) == 1
    await drain(world)


async def test_the_number_that_may_be_called_is_the_one_that_is_called(store: Store) -> None:
    world = await new_world(store)
    await edits.list_number(world, ACME, PHONES[2])
    assert await claim(world, CAT) == 1
    assert (await contact(world, CAT))["lock"]["phone"] == PHONES[3]
    await drain(world)


@pytest.mark.parametrize("numbers", [ONE_PHONE, ONE_PHONE[::-1]])
async def test_one_phone_in_two_spellings_is_on_one_call_at_a_time(store: Store, numbers: tuple[str, str]) -> None:
    world = await new_world(store, ROOMY)
    for contact_id, number in zip((ANN, AMY), numbers, strict=True):
        await edits.edit_numbers(world, contact_id, number)
    assert await claim(world, ANN, AMY) == 1, "in one claim"
    assert (await contact(world, ANN))["lock"]["number"] == numbers[0], "dialed as it was written"
    await world.pass_time(11)
    assert await claim(world, AMY) == 0, "and in the next, once what it was put off for is over"
    waits = await contact(world, AMY)
    busy = {"reason": "number_busy", "until": world.now + timedelta(seconds=10)}
    assert (waits["status"], waits["put_off"]) == (ContactStatus.PENDING, busy)
    await drain(world)


async def test_who_is_offered_twice_is_moved_once(store: Store) -> None:
    world = await new_world(store)
    await edits.move(world, SPRING, CampaignMove.CANCEL)
    assert await claim(world, ANN, ANN) == 0
    assert await status(world, ANN) == ContactStatus.SKIPPED
    assert await claim(world, CAT, CAT) == 1
    await drain(world)


# Start.


async def test_a_job_of_an_earlier_claim_starts_nothing(store: Store) -> None:
    world = await new_world(store)
    await claim(world, ANN)
    await world.publish(ACME_SHARD, acknowledged=False)
    await claim(world)
    await world.pass_time(6)
    late = await job_for(world, ANN)
    [early] = [task for task in world.executors[A].tasks if task is not late]
    assert not await world.start(A, early)
    await world.dial(A, late)
    assert [placed.request.attempt_id for placed in world.carrier.calls] == [late.job.attempt_id]
    await drain(world)


# The gate.


async def test_the_gate_refuses_a_start_that_is_not_the_last(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN, executor=B)
    theirs = await start(world, B, ANN)
    stale = Task(theirs.job, str(uuid.uuid4()), theirs.started, theirs.contact)
    world.executors[A].tasks.append(stale)
    assert not await world.gate(A, stale)
    await world.flush(A)
    await claim(world)
    assert await status(world, ANN) == ContactStatus.IN_PROGRESS
    await drain(world)


async def test_the_gate_refuses_the_deleted(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    mine = await start(world, A, ANN)
    await edits.delete_at_once(world, ANN)
    assert not await world.gate(A, mine)
    await drain(world)


async def test_the_gate_refuses_outside_of_the_window(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    mine = await start(world, A, ANN)
    await edits.set_windows(world, SPRING, is_open=False)
    assert not await world.gate(A, mine)
    await drain(world)


async def test_the_gate_refuses_the_paused_and_the_listed(store: Store) -> None:
    world = await new_world(store, ROOMY)
    for contact_id in (ANN, CAT):
        await job_for(world, contact_id)
        await start(world, A, contact_id)
    await edits.move(world, SPRING, CampaignMove.PAUSE)
    assert not await world.gate(A, task_of(world, A, ANN))
    await edits.list_number(world, ACME, PHONES[2])
    assert not await world.gate(A, task_of(world, A, CAT))
    await drain(world)


async def test_the_gate_refuses_above_the_limit_of_a_campaign(store: Store) -> None:
    world = await new_world(store, ROOMY)
    for contact_id in (AMY, CAT):
        await job_for(world, contact_id)
        await start(world, A, contact_id)
    await edits.limit_campaign(world, SUMMER, 1)
    for contact_id in (AMY, CAT):
        assert not await world.gate(A, task_of(world, A, contact_id))
    await drain(world)


async def test_the_gate_refuses_above_the_limit_of_all(store: Store) -> None:
    world = await new_world(store, ROOMY)
    for contact_id in (ANN, CAT):
        await job_for(world, contact_id)
        await start(world, A, contact_id)
    await edits.limit_all(world, 1)
    for contact_id in (ANN, CAT):
        assert not await world.gate(A, task_of(world, A, contact_id))
    await drain(world)


async def test_an_old_look_at_the_gate_is_worth_nothing(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    mine = await start(world, A, ANN)
    assert await world.gate(A, mine)
    await world.pass_time(1)
    await edits.move(world, SPRING, CampaignMove.PAUSE)
    await world.dial(A, mine)
    assert world.carrier.calls == []
    await drain(world)


# The carrier's answer.


async def test_a_lost_answer_frees_nothing_and_a_request_that_never_left_does(store: Store) -> None:
    world = await new_world(store)
    await world.dial(A, await job_for(world, ANN), Fate.UNSENT)
    await world.flush(A)
    await claim(world)
    assert await status(world, ANN) == ContactStatus.PENDING
    await world.pass_time(2)
    await world.dial(A, await job_for(world, ANN), Fate.LOST)
    await world.flush(A)
    await claim(world)
    assert await status(world, ANN) == ContactStatus.IN_PROGRESS, "the call is up, for all we know"
    await drain(world)


# Finish and release.


async def test_a_release_of_an_earlier_claim_leaves_a_later_one_alone(store: Store) -> None:
    world = await new_world(store)
    early = await job_for(world, ANN)
    await world.pass_time(31)
    await world.expire(ACME_SHARD, ACME_SHARD)
    assert await claim(world, ANN) == 1
    await world.give_back(A, early)
    await world.flush(A)
    await claim(world)
    assert await status(world, ANN) == ContactStatus.LOCKED
    await drain(world)


async def test_retries_wait_and_come_to_an_end(store: Store) -> None:
    world = await new_world(store)
    await refuse(world)
    assert await status(world, ANN) == ContactStatus.PENDING
    assert await claim(world, ANN) == 0, "five seconds between two calls"
    await world.pass_time(6)
    await refuse(world)
    assert await status(world, ANN) == ContactStatus.EXHAUSTED
    await drain(world)


async def test_who_is_listed_meanwhile_does_not_wait_again(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    await edits.list_number(world, ACME, PHONES[0])
    await world.give_back(A, task_of(world, A, ANN))
    await world.flush(A)
    await claim(world)
    assert await status(world, ANN) == ContactStatus.SKIPPED
    await drain(world)


async def test_of_two_endings_in_one_batch_the_real_one_counts(store: Store) -> None:
    world = await new_world(store)
    job = (await job_for(world, ANN)).job
    await start(world, A, ANN)
    await say(world, job.attempt_id, Outcome.UNKNOWN, Outcome.BUSY)
    assert await outcome_of(world, job.attempt_id) == Outcome.BUSY
    assert await status(world, ANN) == ContactStatus.PENDING
    await say(world, job.attempt_id, Outcome.ANSWERED)
    assert await outcome_of(world, job.attempt_id) == Outcome.BUSY
    await drain(world)


async def test_a_late_ending_of_an_earlier_attempt_does_not_move_the_contact(store: Store) -> None:
    world = await new_world(store)
    early = (await job_for(world, ANN)).job
    await start(world, A, ANN)
    await say(world, early.attempt_id, Outcome.INTERRUPTED)
    await world.pass_time(6)
    await refuse(world)
    assert await status(world, ANN) == ContactStatus.EXHAUSTED
    before = await contact(world, ANN)
    await say(world, early.attempt_id, Outcome.NO_ANSWER)
    assert await outcome_of(world, early.attempt_id) == Outcome.NO_ANSWER
    assert await contact(world, ANN) == before
    await drain(world)


async def test_an_ending_of_another_attempt_leaves_the_call_alone(store: Store) -> None:
    world = await new_world(store)
    await call(world, ANN)
    ids = {"organization_id": ACME, "shard": ACME_SHARD, "contact_id": ANN, "attempt_id": str(uuid.uuid4())}
    strange = CallFinished.model_validate({**ids, "outcome": Outcome.BUSY, "ended_at": world.now})
    owner = world.schedulers[ACME_SHARD].owned[ACME_SHARD]
    # Not a step of the world: an attempt that nobody has made fits none of its promises.
    await do_shard_work(store, owner, ShardWork(ended=[strange]), world.now)
    assert await status(world, ANN) == ContactStatus.IN_PROGRESS


# Reconcile.


async def test_a_carrier_that_cannot_tell_frees_nothing_before_its_time_limit(store: Store) -> None:
    world = await new_world(store)
    await call(world, ANN)
    world.carrier.away = True
    await world.pass_time(UNTIL_SETTLED)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 0
    await world.pass_time(UNTIL_GIVEN_UP)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 1
    await drain(world)


async def test_a_look_up_that_is_wrong_for_a_moment_frees_no_call_that_is_up(store: Store) -> None:
    world = await new_world(store)
    await call(world, ANN)
    [live] = world.carrier.live()
    await world.pass_time(UNTIL_SETTLED)
    world.carrier.blind = True
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 0
    await world.pass_time(SETTLE - 15)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 0
    world.carrier.blind = False
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 0
    # Wrong again: that is a first time again.
    world.carrier.blind = True
    await world.pass_time(5)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 0
    assert live in world.carrier.live()
    world.carrier.blind = False
    await drain(world)


async def test_a_slot_is_held_for_as_long_as_a_call_can_last(store: Store) -> None:
    world = await new_world(store, Plan(can_look_up=False))
    await call(world, ANN)
    await world.pass_time(DIALING.ring_seconds + DIALING.max_call_seconds - 1)
    assert world.carrier.live()
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 0
    await drain(world)


async def test_a_job_that_came_back_was_no_attempt_whatever_the_search_for_it_found(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    asleep = await start(world, A, ANN)
    await world.pass_time(UNTIL_SETTLED)
    # The executor wakes and gives it back; what the carrier was asked meanwhile is applied only then.
    await world.place(A, asleep)
    await world.flush(A)
    await claim(world)
    assert await status(world, ANN) == ContactStatus.PENDING
    await say(world, asleep.job.attempt_id, Outcome.INTERRUPTED)
    assert await store["attempts"].count_documents({}) == 0
    await drain(world)


@pytest.mark.parametrize("just_now", [True, False])
async def test_the_gate_takes_what_a_start_has_read_for_a_moment_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch, just_now: bool
) -> None:
    """Its answer is then as old as that reading; whatever is not the contact's own is read all the same."""
    monkeypatch.setattr(placing, "JUST_NOW", 1000.0 if just_now else 0.0)
    world = await new_world(store)
    placer = world.executors[A].placer
    batch = await placer.start([(await job_for(world, ANN)).job])
    await store["contacts"].update_one({"_id": ANN}, {"$set": {"delete_requested": True}})
    before = monotonic()
    allowed, looked_at = await placer.gate(batch)
    assert [contact["_id"] for contact in allowed] == ([ANN] if just_now else [])
    assert (looked_at < before) is just_now
    if just_now:
        assert looked_at == batch.read_at
        await edits.move(world, batch.contacts[0]["campaign_id"], CampaignMove.PAUSE)
        allowed, _ = await placer.gate(batch)
        assert not allowed, "the campaign is looked at now"
