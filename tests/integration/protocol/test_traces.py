"""The ways in which the protocol was broken before it was built: one fixed order of events each.

Every step checks every promise, and the carrier judges every call; what is asserted here besides is the
place where the run used to go wrong. The names are those of the model's violations.
"""

import asyncio
from datetime import timedelta

from shared.domain.campaign import CampaignMove
from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.store.client import Document, Store
from shared.store.dialing import in_progress
from tests.integration.protocol import edits
from tests.integration.protocol.carrier import Fate
from tests.integration.protocol.drain import drain
from tests.integration.protocol.seats import Task
from tests.integration.protocol.setting import ABE, ACME, AMY, ANN, BOB, CAT, EVE, PHONES, SPRING, Plan, new_world
from tests.integration.protocol.world import START_OF_TIME, World

A, B = 0, 1  # executors
ACME_SHARD, BETA_SHARD = 0, 1  # and their schedulers, of the same numbers
UNTIL_SETTLED = 41  # seconds: PLACE and SETTLE are over
SETTLE = 30  # seconds
UNTIL_GIVEN_UP = 121  # seconds: no call of that start can be up any more


async def contact(world: World, contact_id: str) -> Document:
    found = await world.store["contacts"].find_one({"_id": contact_id})
    assert found is not None
    return found


async def status(world: World, contact_id: str) -> str:
    return str((await contact(world, contact_id))["status"])


async def job_for(world: World, contact_id: str, *, executor: int = A, shard: int = ACME_SHARD) -> Task:
    """Claim one contact, publish its job, and hand it to an executor."""
    assert len(await world.work(shard, shard, claim=[contact_id])) == 1
    await world.publish(shard)
    await world.poll(executor)
    return task_of(world, executor, contact_id)


def task_of(world: World, executor: int, contact_id: str) -> Task:
    return next(task for task in reversed(world.executors[executor].tasks) if task.job.contact_id == contact_id)


async def call(world: World, contact_id: str, *, executor: int = A, shard: int = ACME_SHARD) -> None:
    """Claim one contact and call it."""
    await world.dial(executor, await job_for(world, contact_id, executor=executor, shard=shard))
    assert contact_id in {live.request.contact_id for live in world.carrier.live()}


async def start(world: World, executor: int, contact_id: str) -> Task:
    assert await world.start(executor, task_of(world, executor, contact_id))
    return task_of(world, executor, contact_id)


async def is_missed(world: World) -> int:
    """The carrier is asked twice, SETTLE apart; how many calls it knows nothing of."""
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 0, "one look-up may be wrong"
    await world.pass_time(SETTLE)
    return await world.reconcile(ACME_SHARD, ACME_SHARD)


async def is_free_again(world: World, contact_id: str, *, executor: int = A) -> None:
    """Apply what the executor has said, let a second pass, and see that the contact waits."""
    await world.flush(executor)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    await world.pass_time(6)
    assert await status(world, contact_id) == ContactStatus.PENDING


async def test_v1_two_executors_with_one_job_place_it_once(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN, executor=A)
    await world.poll(B, again=1)
    mine = await start(world, A, ANN)
    # The second start matches nothing; what tells B so is that nobody carries its nonce.
    assert not await world.start(B, task_of(world, B, ANN))
    assert world.executors[B].tasks == []
    await world.dial(A, mine)
    # The same job once more to the executor that has the call.
    await world.poll(A, again=1)
    assert not await world.start(A, task_of(world, A, ANN))
    assert len(world.carrier.calls) == 1
    await drain(world)


async def test_v1_a_job_published_though_nobody_knew_is_placed_once(store: Store) -> None:
    world = await new_world(store)
    await world.work(ACME_SHARD, ACME_SHARD, claim=[ANN])
    await world.publish(ACME_SHARD, acknowledged=False)
    await world.poll(A)
    mine = await start(world, A, ANN)
    # Released by its claim, because the acknowledgement was lost: that must not touch what has started.
    await world.work(ACME_SHARD, ACME_SHARD, claim=[ANN])
    assert await status(world, ANN) == ContactStatus.IN_PROGRESS
    await world.dial(A, mine)
    assert len(world.carrier.calls) == 1
    await drain(world)


async def test_v3_an_executor_that_slept_gives_the_job_back(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    asleep = await start(world, A, ANN)
    assert await world.gate(A, asleep)
    await world.pass_time(UNTIL_SETTLED)
    assert await is_missed(world) == 1
    await is_free_again(world, ANN)
    await call(world, ANN, executor=B)
    # Awake again, and even without another look at the gate: too late for this start.
    await world.place(A, asleep)
    assert len(world.carrier.calls) == 1
    # What A says of its old start must not free the slot of B's call.
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD)
    assert await status(world, ANN) == ContactStatus.IN_PROGRESS
    await drain(world)


async def test_v3_the_gate_knows_whose_start_it_is(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    mine = await start(world, A, ANN)
    # Lost to another start of another claim within PLACE: released by word of mouth, claimed, started by B.
    await world.give_back(A, _twin(world, A, mine))
    await world.start_unknown(A, _twin(world, A, mine), arrived=False)
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=[ANN])
    assert await status(world, ANN) == ContactStatus.IN_PROGRESS, "neither release belongs to this start"
    assert await world.gate(A, mine)
    await drain(world)


def _twin(world: World, executor: int, task: Task) -> Task:
    """The same job, delivered to the same executor once more."""
    twin = Task(task.job)
    world.executors[executor].tasks.append(twin)
    return twin


async def test_v4_a_redelivered_job_given_back_leaves_the_call_alone(store: Store) -> None:
    world = await new_world(store)
    await call(world, ANN, executor=A)
    await world.poll(B, again=1)
    await world.give_back(B, task_of(world, B, ANN))
    await world.flush(B)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await status(world, ANN) == ContactStatus.IN_PROGRESS
    await world.pass_time(2)
    assert await world.work(ACME_SHARD, ACME_SHARD, claim=[ANN]) == []
    await drain(world)


async def test_v5_nobody_is_called_again_because_we_lost_track(store: Store) -> None:
    world = await new_world(store, Plan(can_look_up=False))
    await world.dial(A, await job_for(world, ANN), Fate.LOST)
    [lost] = world.carrier.live()
    world.carrier.end(lost, Outcome.ANSWERED)
    await world.report(lost, times=0)
    await world.pass_time(UNTIL_SETTLED)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 0, "silence frees nothing"
    await world.pass_time(UNTIL_GIVEN_UP)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 1
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await status(world, ANN) == ContactStatus.ERROR
    await drain(world)
    assert [placed.request.contact_id for placed in world.carrier.calls].count(ANN) == 1


async def test_v6_the_real_outcome_replaces_the_guess(store: Store) -> None:
    world = await new_world(store, Plan(can_look_up=False))
    await world.dial(A, await job_for(world, ANN), Fate.LOST)
    await world.pass_time(UNTIL_GIVEN_UP)
    await world.reconcile(ACME_SHARD, ACME_SHARD)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await status(world, ANN) == ContactStatus.ERROR
    [late] = world.carrier.reports
    await world.report(late, times=2)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await status(world, ANN) == ContactStatus.COMPLETED
    await drain(world)


async def test_v7_two_schedulers_at_once_stay_within_the_global_limit(store: Store) -> None:
    world = await new_world(store, Plan(global_limit=2))
    both = await asyncio.gather(
        world.work(ACME_SHARD, ACME_SHARD, claim=[ANN, CAT]), world.work(BETA_SHARD, BETA_SHARD, claim=[ABE, EVE])
    )
    assert [len(jobs) for jobs in both] == [1, 1]
    assert not await world.move_grant(ACME_SHARD, ACME_SHARD, 1), "nothing is free"
    assert not await world.move_grant(BETA_SHARD, BETA_SHARD, -1), "what is held cannot be given back"
    for shard in (ACME_SHARD, BETA_SHARD):
        await world.publish(shard)
        await world.work(shard, shard)
    await world.poll(A)
    for task in list(world.executors[A].tasks):
        await world.dial(A, task)
    assert len(world.carrier.live()) == 2
    await drain(world)


async def test_v7_a_zombie_at_the_same_moment_commits_nothing(store: Store) -> None:
    world = await new_world(store, Plan(global_limit=2, grants=(2, 0)))
    await world.take_over(BETA_SHARD, ACME_SHARD)
    zombie, owner = await asyncio.gather(
        world.work(ACME_SHARD, ACME_SHARD, claim=[ANN, CAT]), world.work(BETA_SHARD, ACME_SHARD, claim=[AMY, CAT])
    )
    assert zombie == []
    assert len(owner) == 2
    assert not world.owns(ACME_SHARD, ACME_SHARD), "the zombie has been told"
    await drain(world)


async def test_v8_no_such_call_counts_only_when_no_request_can_be_on_its_way(store: Store) -> None:
    world = await new_world(store)
    await world.dial(A, await job_for(world, ANN), Fate.LATE)
    await world.pass_time(15)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 0
    assert await status(world, ANN) == ContactStatus.IN_PROGRESS
    [late] = world.carrier.late
    await world.pass_time(20)
    world.carrier.land(late)
    await world.pass_time(10)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 0, "the call is up"
    assert await world.work(ACME_SHARD, ACME_SHARD, claim=[ANN]) == []
    await drain(world)


async def test_v10_jobs_claimed_under_a_higher_limit_are_not_placed(store: Store) -> None:
    world = await new_world(store, Plan(global_limit=4, grants=(2, 2)))
    for contact_id in (ANN, CAT):
        await job_for(world, contact_id)
        await start(world, A, contact_id)
    await edits.limit_organization(world, ACME, 1)
    for contact_id in (ANN, CAT):
        await world.dial(A, task_of(world, A, contact_id))
    assert world.carrier.live() == []
    await drain(world)


async def test_v13_deleting_a_contact_in_hand_leaks_no_slot(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    assert not await edits.delete(world, ANN), "refused while she is being called"
    await edits.delete_at_once(world, ANN)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert await status(world, ANN) == ContactStatus.LOCKED, "only its claim's end may take it away"
    assert not await world.start(A, task_of(world, A, ANN))
    await world.pass_time(31)
    assert await world.expire(ACME_SHARD, ACME_SHARD) == 1
    assert await store["contacts"].find_one({"_id": ANN}) is None
    assert len(await world.work(ACME_SHARD, ACME_SHARD, claim=[BOB])) == 1, "her caller number is free"
    await drain(world)


async def test_v13_deleting_a_contact_in_a_call_keeps_the_slot_until_the_call_ends(store: Store) -> None:
    world = await new_world(store)
    await call(world, ANN)
    await edits.delete_at_once(world, ANN)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    await world.expire(ACME_SHARD, ACME_SHARD)
    assert await world.work(ACME_SHARD, ACME_SHARD, claim=[BOB, AMY, CAT]) == []
    [live] = world.carrier.live()
    world.carrier.end(live, Outcome.NO_ANSWER)
    await world.report(live)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await store["contacts"].find_one({"_id": ANN}) is None
    assert await store["attempts"].count_documents({"contact_id": ANN}) == 1
    await drain(world)


async def test_v14_an_expired_claim_gives_back_every_slot_once(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    await world.pass_time(31)
    assert await world.expire(ACME_SHARD, ACME_SHARD) == 1
    assert await world.expire(ACME_SHARD, ACME_SHARD) == 0
    # The job is still in Kafka, and so is a release of it.
    task = task_of(world, A, ANN)
    await world.give_back(A, task)
    await world.flush(A)
    assert len(await world.work(ACME_SHARD, ACME_SHARD, claim=[ANN])) == 1
    await drain(world)


async def test_v14b_the_number_being_dialed_counts_not_the_edited_field(store: Store) -> None:
    world = await new_world(store, Plan(grants=(2, 1)))
    await call(world, ANN)
    await edits.edit_numbers(world, ANN, PHONES[7])
    assert await world.work(ACME_SHARD, ACME_SHARD, claim=[AMY]) == [], "Ann is on the telephone that Amy shares"
    await drain(world)


async def test_v14b_a_number_edited_away_is_not_dialed(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    mine = await start(world, A, ANN)
    await edits.edit_numbers(world, ANN, PHONES[7])
    assert not await world.gate(A, mine)
    await is_free_again(world, ANN)
    await call(world, ANN)
    assert world.carrier.calls[0].request.phone_number == PHONES[7]
    await drain(world)


async def test_v17_whoever_still_waits_in_a_closed_campaign_is_skipped(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    await edits.move(world, SPRING, CampaignMove.CANCEL)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert await status(world, BOB) == ContactStatus.SKIPPED
    await world.dial(A, task_of(world, A, ANN))
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await status(world, ANN) == ContactStatus.SKIPPED
    await drain(world)


async def test_v19_an_ending_survives_without_kafka(store: Store) -> None:
    world = await new_world(store)
    await world.dial(A, await job_for(world, ANN), Fate.REFUSED)
    await world.flush(A, kafka=False)
    await world.kill_executor(A)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    attempt = await store["attempts"].find_one({"contact_id": ANN})
    assert attempt is not None
    assert attempt["outcome"] == Outcome.BUSY
    await drain(world)


async def test_a_retry_whose_order_was_lost_is_not_given_the_ending_of_the_call_before(store: Store) -> None:
    """The carrier's clock may be half a minute behind, and the retry came sooner than that."""
    world = await new_world(store)
    await call(world, ANN)
    [first] = world.carrier.live()
    world.carrier.end(first, Outcome.BUSY)
    await world.report(first)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    await world.pass_time(10)
    await world.dial(A, await job_for(world, ANN), Fate.VANISHED)
    assert await world.reconcile(ACME_SHARD, ACME_SHARD) == 0, "the call before is not its own"
    assert await status(world, ANN) == ContactStatus.IN_PROGRESS
    await drain(world)


async def test_an_answer_by_two_numbers_is_not_taken_for_the_call_of_a_start_given_back(store: Store) -> None:
    """The question is on its way while the start is given back and the contact is called from the next claim."""
    world = await new_world(store)
    await job_for(world, ANN)
    mine = await start(world, A, ANN)
    since = START_OF_TIME - timedelta(days=1)
    asked = await in_progress.started_between(store, [ACME_SHARD], [(since, world.now)], 500)
    assert [attempt.call_id for attempt in asked] == [None]
    await edits.move(world, SPRING, CampaignMove.PAUSE)
    assert not await world.gate(A, mine)
    await edits.move(world, SPRING, CampaignMove.START)
    await is_free_again(world, ANN)
    await call(world, ANN, executor=B)
    [live] = world.carrier.live()
    world.carrier.end(live, Outcome.NO_ANSWER)
    [ending] = await world.searches[ACME_SHARD].find_endings(asked, world.now)
    assert (ending.attempt_id, ending.provider_call_id, ending.by_numbers) == (mine.job.attempt_id, live.call_id, True)
    # Its own ending comes too late to be the first one, and is not lost by that.
    world.schedulers[ACME_SHARD].inbox[ACME_SHARD].append(ending)
    await world.report(live)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    [recorded] = await store["attempts"].find({"contact_id": ANN}).to_list()
    assert recorded["_id"] == live.request.attempt_id
    await drain(world)
