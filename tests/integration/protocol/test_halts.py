"""Runs that may make so many calls, and circuit breakers: fixed orders of events, named as in the model (S3, S1)."""

from datetime import timedelta
from typing import Any

from shared.domain.campaign import CampaignMove, CampaignState
from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject
from shared.events import JobReleased
from shared.store.client import Store
from shared.store.dialing import gate
from tests.integration.protocol import edits, ends, halting
from tests.integration.protocol.carrier import Fate
from tests.integration.protocol.drain import drain
from tests.integration.protocol.halting import campaign, counted, evidence
from tests.integration.protocol.seats import ending_of
from tests.integration.protocol.setting import AMY, BOB, CAT, GUS, SPRING, SUMMER, Plan, new_world
from tests.integration.protocol.test_traces import ACME_SHARD, A, call, contact, is_free_again, job_for, start, status
from tests.integration.protocol.world import World

ROOM = Plan(global_limit=8, grants=(4, 4), organization_limit=4)
CALLS, BREAKER = (CampaignState.PAUSED, "max_calls"), (CampaignState.PAUSED, "circuit_breaker")
RUNS = (CampaignState.RUNNING, None)
TRIPS = {"circuit_breaker": {"threshold": 0.5, "window_seconds": 100, "min_calls": 3}}
HALF = {"threshold": 0.5, "window_seconds": 100, "min_calls": 2}


async def limited_world(store: Store, max_calls: int, campaign_id: str = SUMMER) -> World:
    """A world in which each run of a campaign makes so many calls."""
    world = await new_world(store, ROOM)
    await halting.edit(world, campaign_id, max_calls=max_calls)
    return world


async def shown(world: World, campaign_id: str = SUMMER) -> tuple[CampaignState, str | None]:
    """The state of a campaign, and why."""
    state = (await campaign(world, campaign_id)).shown(world.now)
    return state.state, state.reason


async def hang_up(world: World, outcome: Outcome = Outcome.NO_ANSWER, *contact_ids: str, **refusal: Any) -> None:
    """End the calls of these contacts, or all, and let the scheduler know."""
    for live in world.carrier.live():
        if not contact_ids or live.request.contact_id in contact_ids:
            world.carrier.end(live, outcome, **refusal)
            await world.report(live)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())


async def claims(world: World, *contact_ids: str) -> list[str]:
    """The contacts among these that are claimed now; their jobs are never published."""
    return [job.contact_id for job in await world.work(ACME_SHARD, ACME_SHARD, claim=contact_ids)]


async def expire(world: World) -> None:
    """Claims that nobody has started run out."""
    await world.pass_time(31)
    await world.expire(ACME_SHARD, ACME_SHARD)


async def restart(world: World, campaign_id: str = SUMMER, **changes: Any) -> None:
    await edits.move(world, campaign_id, CampaignMove.START, **changes)


async def test_a_run_makes_its_calls_and_is_halted_when_the_last_has_ended(store: Store) -> None:
    world = await limited_world(store, 2)
    await call(world, AMY)
    await call(world, CAT)
    assert await claims(world, GUS) == []
    assert await shown(world) == RUNS, "the last calls are up"
    await hang_up(world, Outcome.ANSWERED, AMY)
    assert (await shown(world), await counted(world, SUMMER)) == (RUNS, (2, 1))
    await hang_up(world, Outcome.ANSWERED, CAT)
    assert (await shown(world), await counted(world, SUMMER)) == (CALLS, (2, 0))
    assert await claims(world, GUS) == []
    await restart(world)
    assert await shown(world) == RUNS
    await call(world, GUS)
    assert await counted(world, SUMMER) == (1, 1)
    await drain(world)


async def test_a_claim_that_frees_the_last_slot_takes_it_before_the_run_is_looked_at(store: Store) -> None:
    """FINISH claims in its own transaction: a run whose count is not full yet goes on."""
    world = await limited_world(store, 2)
    await call(world, AMY)
    live = world.carrier.live()[0]
    world.carrier.end(live, Outcome.ANSWERED)
    await world.report(live)
    assert await claims(world, CAT, GUS) == [CAT]
    assert (await shown(world), await counted(world, SUMMER)) == (RUNS, (2, 1))
    await expire(world)
    assert (await shown(world), await counted(world, SUMMER)) == (RUNS, (1, 0))
    await drain(world)


async def test_counted_when_it_ends(store: Store) -> None:
    """A call counts from its claim on: counted when it ends, two that are up at once would pass a limit of one."""
    world = await limited_world(store, 1)
    assert await claims(world, AMY, CAT) == [AMY]
    assert await claims(world, GUS) == []
    assert await counted(world, SUMMER) == (1, 1)
    await drain(world)


async def test_what_nobody_knows_of_stays_counted(store: Store) -> None:
    """`interrupted` and `unknown` were calls for all that is known."""
    world = await limited_world(store, 2)
    await call(world, AMY)
    await call(world, CAT)
    await hang_up(world, Outcome.INTERRUPTED, AMY)
    await hang_up(world, Outcome.UNKNOWN, CAT)
    assert (await shown(world), await counted(world, SUMMER)) == (CALLS, (2, 0))
    await drain(world)


async def test_what_comes_back_or_expires_is_given_back(store: Store) -> None:
    world = await limited_world(store, 1)
    task = await job_for(world, AMY)
    await world.give_back(A, task)
    await is_free_again(world, AMY)
    assert await counted(world, SUMMER) == (0, 0)
    assert await claims(world, AMY) == [AMY]
    await expire(world)
    assert await counted(world, SUMMER) == (0, 0)
    await call(world, AMY)
    await drain(world)


async def test_a_refusal_that_speaks_of_us_is_no_call_of_the_run(store: Store) -> None:
    world = await limited_world(store, 1)
    await world.dial(A, await job_for(world, AMY), Fate.DENIED)
    await is_free_again(world, AMY)
    assert (await shown(world), await counted(world, SUMMER)) == (RUNS, (0, 0))
    await drain(world)


async def test_old_claim_in_the_new_run(store: Store) -> None:
    """A claim of the run before is neither placed nor counted in the new one, which makes all its calls."""
    world = await limited_world(store, 1)
    await job_for(world, AMY)
    olds = await start(world, A, AMY)
    await restart(world)
    assert await claims(world, CAT) == [CAT], "the new run has made no call"
    assert await gate.look(store, {AMY: olds.nonce or ""}, world.now) == {AMY: "campaign started anew"}
    assert not await world.gate(A, olds)
    await is_free_again(world, AMY)
    assert await counted(world, SUMMER) == (1, 1)
    await drain(world)


async def test_an_old_call_that_is_up_does_not_hold_up_the_halt_of_the_new_run(store: Store) -> None:
    world = await limited_world(store, 1)
    await call(world, AMY)
    await restart(world)
    await call(world, CAT)
    await hang_up(world, Outcome.ANSWERED, CAT)
    assert await status(world, AMY) == ContactStatus.IN_PROGRESS
    assert (await shown(world), await counted(world, SUMMER)) == (CALLS, (1, 0))
    await hang_up(world, Outcome.ANSWERED, AMY)
    assert (await shown(world), await counted(world, SUMMER)) == (CALLS, (1, 0))
    await drain(world)


async def test_given_back_to_the_wrong_run(store: Store) -> None:
    """What comes back of the run before gives the new one no call more than it may make."""
    world = await limited_world(store, 1)
    task = await job_for(world, AMY)
    await restart(world)
    await call(world, CAT)
    await world.give_back(A, task)
    await is_free_again(world, AMY)
    assert await counted(world, SUMMER) == (1, 1)
    assert await claims(world, AMY, GUS) == []
    await drain(world)


async def test_cap_lowered_with_claims_out(store: Store) -> None:
    """Claims above a lowered limit come back at the gate, and the run is halted once none is left."""
    world = await limited_world(store, 3)
    await call(world, AMY)
    for waiting in (CAT, GUS):
        await job_for(world, waiting)
    started = [await start(world, A, waiting) for waiting in (CAT, GUS)]
    await halting.edit(world, SUMMER, max_calls=1)
    for mine in started:
        looked = await gate.look(store, {mine.job.contact_id: mine.nonce or ""}, world.now)
        assert looked == {mine.job.contact_id: "calls of the run lowered, or it is halted"}
        assert not await world.gate(A, mine)
    assert not await halting.look(world, ACME_SHARD, ACME_SHARD), "their claims are left"
    await is_free_again(world, CAT)
    assert (await shown(world), await counted(world, SUMMER)) == (RUNS, (1, 1)), "Amy's call is up"
    await hang_up(world, Outcome.ANSWERED)
    assert await shown(world) == CALLS
    await drain(world)


async def test_cap_lowered_to_what_is_done(store: Store) -> None:
    """No ending makes it true any more: the look once a second does."""
    world = await limited_world(store, 3)
    await call(world, AMY)
    await hang_up(world, Outcome.ANSWERED)
    await halting.edit(world, SUMMER, max_calls=1)
    assert await shown(world) == RUNS
    assert await halting.look(world, ACME_SHARD, ACME_SHARD)
    assert await shown(world) == CALLS
    assert not await halting.look(world, ACME_SHARD, ACME_SHARD), "it is halted already"
    await drain(world)


async def test_a_run_that_is_halted_with_its_last_contact_done_is_completed(store: Store) -> None:
    """It has done its work; a run whose breaker has tripped has not."""
    for halts_for, settings, outcome in (
        (CALLS, {"max_calls": 3}, Outcome.ANSWERED),
        (BREAKER, TRIPS, Outcome.UNKNOWN),
    ):
        world = await new_world(store, ROOM)
        await halting.edit(world, SUMMER, **settings)
        await ends.auto_complete(world, SUMMER, on=True)
        for waiting in (AMY, CAT, GUS):
            await call(world, waiting)
        await hang_up(world, outcome)
        assert await shown(world) == halts_for
        completed = SUMMER in await ends.complete(world, ACME_SHARD, ACME_SHARD)
        assert completed == (halts_for == CALLS)
        await drain(world)


async def test_a_limit_that_is_raised_again_before_the_claims_come_back_lets_them_be_placed(store: Store) -> None:
    world = await limited_world(store, 2)
    await call(world, AMY)
    await job_for(world, CAT)
    mine = await start(world, A, CAT)
    await halting.edit(world, SUMMER, max_calls=1)
    await halting.edit(world, SUMMER, max_calls=2)
    assert await world.gate(A, mine)
    await world.place(A, mine)
    await drain(world)


async def test_a_limit_that_is_set_during_a_run_counts_from_then_on(store: Store) -> None:
    world = await new_world(store, ROOM)
    task = await job_for(world, AMY)
    assert (await contact(world, AMY))["lock"].keys().isdisjoint({"counted"}), "a rule that is off writes nothing"
    await halting.edit(world, SUMMER, max_calls=1)
    await call(world, CAT)
    await world.give_back(A, task)
    await is_free_again(world, AMY)
    assert await counted(world, SUMMER) == (1, 1), "what was not counted takes nothing away"
    await halting.edit(world, SUMMER, max_calls=None)
    await call(world, GUS)
    assert await counted(world, SUMMER) == (2, 2), "a run that was counted once goes on to be"
    await drain(world)


async def test_a_start_says_how_many_calls_this_run_makes(store: Store) -> None:
    world = await new_world(store, ROOM)
    await restart(world, max_calls=1)
    await call(world, AMY)
    assert await claims(world, CAT) == []
    await restart(world, max_calls=None)
    assert await claims(world, CAT, GUS) == [CAT, GUS]
    assert (await campaign(world, SUMMER)).max_calls is None
    await drain(world)


async def test_late_after_halt(store: Store) -> None:
    """A call that was claimed before its run was halted is not placed, and its coming back halts nothing else."""
    world = await new_world(store, ROOM)
    await halting.edit(world, SUMMER, circuit_breaker=HALF | {"min_calls": 1})
    await job_for(world, CAT)
    mine = await start(world, A, CAT)
    await call(world, AMY)
    await hang_up(world, Outcome.FAILED)
    assert await shown(world) == BREAKER
    assert not await world.gate(A, mine)
    assert await claims(world, GUS) == []
    halted = await campaign(world, SUMMER)
    await is_free_again(world, CAT)
    assert (await campaign(world, SUMMER)).course == halted.course
    await restart(world)
    await call(world, CAT)
    await drain(world)


async def test_old_evidence_halts_new_generation(store: Store) -> None:
    """Calls of the run before that fail in the new one say nothing of it."""
    world = await new_world(store, ROOM)
    await halting.edit(world, SUMMER, circuit_breaker=HALF)
    await call(world, AMY)
    await call(world, CAT)
    await restart(world)
    await hang_up(world, Outcome.FAILED)
    assert (await shown(world), await evidence(world, SUMMER)) == (RUNS, (0, 0))
    await call(world, GUS)
    await hang_up(world, Outcome.FAILED)
    assert (await shown(world), await evidence(world, SUMMER)) == (RUNS, (1, 1))
    await drain(world)


async def test_the_breaker_trips_in_the_transaction_that_makes_it_true_and_claims_nobody_there(store: Store) -> None:
    world = await new_world(store, ROOM)
    await halting.edit(world, SUMMER, circuit_breaker=HALF)
    await call(world, AMY)
    await hang_up(world, Outcome.INVALID_NUMBER)
    assert (await shown(world), await evidence(world, SUMMER)) == (RUNS, (1, 1))
    await call(world, CAT)
    live = world.carrier.live()[0]
    world.carrier.end(live, Outcome.BUSY)
    await world.report(live)
    assert await claims(world, GUS) == []
    assert (await shown(world), await evidence(world, SUMMER)) == (BREAKER, (2, 1))
    assert (await contact(world, CAT))["outcomes"] == {"busy": 1}, "what has ended counts all the same"
    logged = await store["campaign_log"].find_one({"campaign_id": SUMMER, "event": "halted"})
    assert logged is not None
    assert logged["facts"] == {"failures": 1, "calls": 2, "threshold": 0.5, "window_seconds": 100}
    await restart(world)
    assert await claims(world, GUS) == [GUS], "a resume empties it"
    await drain(world)


async def test_refusals_are_failures_also_those_that_speak_of_us(store: Store) -> None:
    world = await new_world(store, ROOM)
    await halting.edit(world, SUMMER, circuit_breaker=HALF)
    await job_for(world, AMY)
    await job_for(world, CAT)
    for contact_id in (AMY, CAT):
        task = await start(world, A, contact_id)
        assert await world.gate(A, task)
        await world.place(A, task, Fate.DENIED)
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert (await shown(world), await evidence(world, SUMMER)) == (BREAKER, (2, 2))
    await drain(world)


async def test_a_call_that_the_carrier_ended_for_our_sake_is_a_failure_once(store: Store) -> None:
    world = await new_world(store, ROOM)
    await halting.edit(world, SUMMER, circuit_breaker=HALF)
    await call(world, AMY)
    await hang_up(world, Outcome.FAILED, refusal=Refusal(subject=RefusalSubject.ACCOUNT))
    assert await evidence(world, SUMMER) == (1, 1)
    world.events[ACME_SHARD].append(ending_of(world.carrier, world.carrier.calls[0]))
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await evidence(world, SUMMER) == (1, 1)
    await drain(world)


async def test_other_campaigns_go_on(store: Store) -> None:
    world = await new_world(store, ROOM)
    await halting.edit(world, SUMMER, circuit_breaker=HALF | {"min_calls": 1})
    await call(world, AMY)
    await hang_up(world, Outcome.FAILED)
    assert (await shown(world), await shown(world, SPRING)) == (BREAKER, RUNS)
    await call(world, BOB)
    await drain(world)


async def test_old_failures_leave_the_window(store: Store) -> None:
    world = await new_world(store, ROOM)
    await halting.edit(world, SUMMER, circuit_breaker=HALF)
    await call(world, AMY)
    await hang_up(world, Outcome.FAILED)
    await world.pass_time(101)
    await call(world, CAT)
    await hang_up(world, Outcome.FAILED)
    assert (await shown(world), await evidence(world, SUMMER)) == (RUNS, (1, 1))
    await drain(world)


async def test_a_paused_campaign_is_not_halted_by_calls_that_end_meanwhile(store: Store) -> None:
    world = await new_world(store, ROOM)
    await halting.edit(world, SUMMER, circuit_breaker=HALF | {"min_calls": 1}, max_calls=1)
    await call(world, AMY)
    await edits.move(world, SUMMER, CampaignMove.PAUSE)
    await hang_up(world, Outcome.FAILED)
    assert await shown(world) == (CampaignState.PAUSED, None)
    await drain(world)


async def test_a_release_told_twice_is_one_failure(store: Store) -> None:
    world = await new_world(store, ROOM)
    await halting.edit(world, SUMMER, circuit_breaker=HALF)
    await world.dial(A, await job_for(world, AMY), Fate.DENIED)
    [told] = [event for event in world.executors[A].spool.events if isinstance(event, JobReleased)]
    await world.flush(A)
    world.events[ACME_SHARD].append(told)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert (await shown(world), await evidence(world, SUMMER)) == (RUNS, (1, 1))
    await world.pass_time(timedelta(minutes=1).total_seconds())
    await drain(world)
