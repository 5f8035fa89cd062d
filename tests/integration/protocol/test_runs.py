"""A campaign's intent and its runs: one fixed order of events each, named as in the model that broke them (S1)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from shared.domain.campaign import CampaignMove, CampaignState, RunState
from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.store.catalog import campaigns
from shared.store.catalog.campaigns import get_campaign
from shared.store.catalog.stored_campaign import Campaign
from shared.store.client import Store
from shared.store.dialing import breakers, claim, gate, halts
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from tests.integration.protocol import edits, halting
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ACME, ANN, BOB, SPRING, Plan, new_world
from tests.integration.protocol.test_traces import (
    ACME_SHARD,
    A,
    B,
    call,
    contact,
    is_free_again,
    job_for,
    start,
    status,
)
from tests.integration.protocol.world import World

ROOMY = Plan(global_limit=4, grants=(3, 1), organization_limit=3)
CLOCKS_APART = 5.0


async def spring(world: World) -> Campaign:
    return await get_campaign(world.store, ACME, SPRING)


async def claimed(world: World, *contact_ids: str, ahead: float = 0.0) -> set[str]:
    """Contacts claimed by a scheduler whose clock is so many seconds ahead."""
    owner = world.schedulers[ACME_SHARD].owned[ACME_SHARD]
    order = ShardWork(claim=ClaimOrder(contact_ids))
    done = await do_shard_work(world.store, owner, order, world.now + timedelta(seconds=ahead))
    return {job.contact_id for job in done.jobs}


async def scheduled_world(store: Store, seconds: float) -> World:
    """A world in which the campaign of Ann and Bob starts by itself after so many seconds."""
    world = await new_world(store, ROOMY)
    await edits.make_draft(world, SPRING)
    assert await edits.schedule(world, SPRING, seconds)
    return world


def beside(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, happens: Callable[[], Awaitable[object]]
) -> list[int]:
    """Have it happen, whole, when a transaction that has read all it goes by comes to this function of a module.

    The list has one entry for each time that a run of that transaction came there.
    """
    times: list[int] = []
    goes_on = getattr(module, name)

    async def delayed(*args: Any, **kwargs: Any) -> Any:
        times.append(len(times))
        if len(times) == 1:
            await happens()
        return await goes_on(*args, **kwargs)

    monkeypatch.setattr(module, name, delayed)
    return times


async def test_a_scheduled_campaign_is_running_from_its_time_on_without_a_write(store: Store) -> None:
    world = await scheduled_world(store, 31)
    await world.pass_time(30)
    assert await claimed(world, ANN) == set()
    assert await status(world, ANN) == ContactStatus.PENDING
    before = await spring(world)
    await world.pass_time(1)
    assert (await spring(world)) == before, "nothing was written"
    assert before.shown(world.now).state is CampaignState.RUNNING
    assert await claimed(world, ANN) == {ANN}
    after = await spring(world)
    assert after.course.run is not None
    assert (after.course.run.state, after.course.run.at, after.started_at) == (RunState.OPENED, world.now, world.now)
    await world.pass_time(31)
    await world.expire(ACME_SHARD, ACME_SHARD)
    await call(world, ANN)
    assert (await spring(world)).course == after.course, "the run is written when it changes, and not again"
    await drain(world)


async def test_a_draft_calls_nobody_until_it_is_started(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await edits.make_draft(world, SPRING)
    assert await claimed(world, ANN) == set()
    assert await status(world, ANN) == ContactStatus.PENDING
    await edits.move(world, SPRING, CampaignMove.START)
    await call(world, ANN)
    await drain(world)


async def test_a_job_claimed_in_an_older_generation_is_released(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await job_for(world, ANN)
    mine = await start(world, A, ANN)
    await edits.move(world, SPRING, CampaignMove.PAUSE)
    await edits.move(world, SPRING, CampaignMove.START)
    looked = await gate.look(world.store, {ANN: mine.nonce or ""}, world.now)
    assert looked == {ANN: "campaign started anew"}
    assert not await world.gate(A, mine)
    await is_free_again(world, ANN)
    await call(world, ANN, executor=B)
    assert (await contact(world, ANN))["lock"]["generation"] == 2
    await drain(world)


async def test_late_after_halt(store: Store) -> None:
    """A call that was claimed before its run was halted is placed neither then nor in the run that follows."""
    world = await new_world(store, ROOMY)
    await job_for(world, ANN)
    mine = await start(world, A, ANN)
    run = {"generation": 1, "state": "halted", "reason": "circuit_breaker", "at": world.now}
    halted = await store["campaigns"].update_one({"_id": SPRING, "generation": 1}, {"$set": {"run": run}})
    assert halted.modified_count == 1
    world.rules.active[SPRING].set(world.steps, False)
    shown = (await spring(world)).shown(world.now)
    assert (shown.state, shown.reason) == (CampaignState.PAUSED, "circuit_breaker")
    assert not await world.gate(A, mine)
    assert await claimed(world, BOB) == set()
    await edits.move(world, SPRING, CampaignMove.START)
    await is_free_again(world, ANN)
    await call(world, ANN)
    await drain(world)


async def test_old_evidence_halts_new_generation(store: Store) -> None:
    """It does not: what was known of the run before counts for that one alone, though it is told later."""
    world = await new_world(store, ROOMY)
    await edits.move(world, SPRING, CampaignMove.PAUSE)
    await edits.move(world, SPRING, CampaignMove.START)
    late = {"generation": 1, "state": "halted", "reason": "circuit_breaker", "at": world.now}
    await store["campaigns"].update_one({"_id": SPRING}, {"$set": {"run": late}})
    assert (await spring(world)).shown(world.now).state is CampaignState.RUNNING
    await call(world, ANN)
    await drain(world)


async def test_paused_before_started(store: Store) -> None:
    """A pause after a scheduled campaign's time, the first write since, opens the run that it pauses."""
    world = await scheduled_world(store, 2)
    await world.pass_time(6)
    await edits.move(world, SPRING, CampaignMove.PAUSE)
    paused = await spring(world)
    assert paused.course.run is not None
    assert (paused.course.run.state, paused.started_at) == (RunState.OPENED, world.now)
    assert paused.shown(world.now).state is CampaignState.PAUSED
    assert await claimed(world, ANN) == set()
    await edits.move(world, SPRING, CampaignMove.START)
    assert (await spring(world)).started_at == paused.started_at, "it was started then, and resumed now"
    await call(world, ANN)
    await drain(world)


async def test_paused_before_its_time_it_does_not_start_by_itself(store: Store) -> None:
    world = await scheduled_world(store, 31)
    await edits.move(world, SPRING, CampaignMove.PAUSE)
    await world.pass_time(41)
    assert await claimed(world, ANN) == set()
    assert (await spring(world)).started_at is None
    await drain(world)


async def test_opened_by_the_fast_clock(store: Store) -> None:
    """A scheduler whose clock is ahead opens the run; by no slower clock is the campaign before its time again."""
    world = await scheduled_world(store, 2)
    assert await claimed(world, ANN, ahead=CLOCKS_APART) == {ANN}
    world.rules.active[SPRING].set(world.steps, True)
    opened = await spring(world)
    assert opened.shown(world.now).state is CampaignState.RUNNING
    assert not await edits.schedule(world, SPRING, None), "it cannot be taken back"
    assert not await edits.schedule(world, SPRING, 121.0)
    assert (await spring(world)).course == opened.course
    # Its job was never published: the claim runs out, and a scheduler with the slower clock goes on.
    await world.pass_time(41)
    await world.expire(ACME_SHARD, ACME_SHARD)
    await call(world, ANN)
    await drain(world)


async def test_of_an_opening_and_a_move_at_once_one_is_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schedule is cleared while a claim opens the run: the claim looks again, and finds a draft."""
    world = await scheduled_world(store, 2)
    times = beside(monkeypatch, claim, "open_runs", lambda: edits.schedule(world, SPRING, None))
    assert await claimed(world, ANN, ahead=CLOCKS_APART) == set()
    assert len(times) == 2, "the claim collided, and looked again"
    after = await spring(world)
    assert (after.course.run, after.started_at) == (None, None)
    assert await status(world, ANN) == ContactStatus.PENDING
    await drain(world)


async def test_an_opening_beside_a_pause(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The campaign is paused while a claim opens its run: the claim looks again, and nobody is claimed."""
    world = await scheduled_world(store, 31)
    await world.pass_time(31)
    times = beside(monkeypatch, claim, "open_runs", lambda: edits.move(world, SPRING, CampaignMove.PAUSE))
    assert await claimed(world, ANN) == set()
    assert len(times) == 2, "the claim collided, and looked again"
    assert (await spring(world)).shown(world.now).state is CampaignState.PAUSED
    assert await status(world, ANN) == ContactStatus.PENDING
    await edits.move(world, SPRING, CampaignMove.START)
    await call(world, ANN)
    await drain(world)


async def test_a_pause_beside_an_opening(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim opens the run while the campaign is being paused: the pause looks again, and keeps what was opened."""
    world = await scheduled_world(store, 31)
    await world.pass_time(31)

    async def opens() -> None:
        assert await claimed(world, ANN) == {ANN}
        await world.pass_time(1)

    times = beside(monkeypatch, campaigns, "_write", opens)
    await edits.move(world, SPRING, CampaignMove.PAUSE)
    assert len(times) == 2, "the pause collided, and looked again"
    paused = await spring(world)
    assert paused.shown(world.now).state is CampaignState.PAUSED
    assert paused.course.run is not None
    assert paused.course.run.at == paused.started_at == world.now - timedelta(seconds=1), "opened once"
    # The job of the claim was never published.
    await world.pass_time(31)
    await world.expire(ACME_SHARD, ACME_SHARD)
    assert await claimed(world, ANN) == set()
    await drain(world)


ONE_CALL: dict[str, Any] = {"max_calls": 1}
ONE_FAILURE: dict[str, Any] = {"circuit_breaker": {"threshold": 0.5, "window_seconds": 100, "min_calls": 1}}


async def last_call(world: World, settings: dict[str, Any]) -> None:
    """Ann's call has failed, for which her campaign is halted once the scheduler hears of it."""
    await halting.edit(world, SPRING, **settings)
    await call(world, ANN)
    [live] = world.carrier.live()
    world.carrier.end(live, Outcome.FAILED)
    await world.report(live)


@pytest.mark.parametrize(("module", "settings"), [(halts, ONE_CALL), (breakers, ONE_FAILURE)])
async def test_a_halt_beside_a_new_start(
    store: Store, monkeypatch: pytest.MonkeyPatch, module: ModuleType, settings: dict[str, Any]
) -> None:
    """What halts the run before is heard while a new one is started: the new one goes on, and has counted nothing."""
    world = await new_world(store, ROOMY)
    await last_call(world, settings)
    started: list[Campaign] = []

    async def starts() -> None:
        await edits.move(world, SPRING, CampaignMove.START)
        started.append(await spring(world))

    times = beside(monkeypatch, module, "halt", starts)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert len(times) == 1, "in the run before there was a reason to halt, and in the new one none"
    assert (await contact(world, ANN))["outcomes"] == {"failed": 1}, "the ending is recorded all the same"
    after = await spring(world)
    assert [after] == started, "nothing was written to the new one"
    assert (after.course.generation, after.shown(world.now).state) == (2, CampaignState.RUNNING)
    assert await halting.evidence(world, SPRING) == (0, 0)
    await call(world, BOB)
    await drain(world)


@pytest.mark.parametrize("settings", [ONE_CALL, ONE_FAILURE])
async def test_a_new_start_beside_a_halt(
    store: Store, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    """A run is halted while a new one is being started: the start looks again, and ends the halt."""
    world = await new_world(store, ROOMY)
    await last_call(world, settings)
    before: list[str | None] = []

    async def halted() -> None:
        await world.work(ACME_SHARD, ACME_SHARD, claim=())
        before.append((await spring(world)).shown(world.now).reason)

    times = beside(monkeypatch, campaigns, "_write", halted)
    await edits.move(world, SPRING, CampaignMove.START)
    assert (len(times), before) == (2, [*settings]), "halted for what was set, and the start looked again"
    after = await spring(world)
    assert (after.course.generation, after.shown(world.now).state) == (2, CampaignState.RUNNING)
    await call(world, BOB)
    await drain(world)
