"""A campaign's end date: from then on no call of it starts, and who waits ends, whatever was under way."""

from datetime import timedelta

import pytest

from shared.domain.campaign import CampaignMove, CampaignState, RunState
from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.domain.wishes import WishKind
from shared.store.client import Store
from shared.store.dialing import gate
from tests.integration.protocol import edits, ends
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ACME, ANN, BOB, PHONES, SPRING, new_world
from tests.integration.protocol.test_completion import complete, state
from tests.integration.protocol.test_refusals import called
from tests.integration.protocol.test_refusals import ends as call_ends
from tests.integration.protocol.test_resets import ended_as
from tests.integration.protocol.test_runs import ROOMY, claimed, spring
from tests.integration.protocol.test_traces import ACME_SHARD, A, call, contact, job_for, start, status
from tests.integration.protocol.world import World

CAMPAIGN_ENDED = ("skipped", "campaign_ended")


async def ending_world(store: Store, seconds: float) -> World:
    """A world in which the campaign of Ann and Bob ends after so many seconds."""
    world = await new_world(store, ROOMY)
    assert await ends.end(world, SPRING, seconds)
    return world


async def swept(world: World) -> None:
    await world.sweep(ACME_SHARD, ACME_SHARD)


async def test_who_waits_when_it_comes_ends_and_the_campaign_is_completed(store: Store) -> None:
    world = await ending_world(store, 31)
    assert await complete(world) == set()
    await world.pass_time(31)
    assert await complete(world) == set(), "two contacts wait"
    assert await claimed(world, ANN) == set()
    assert await ended_as(world, ANN) == CAMPAIGN_ENDED, "the claim that finds somebody ends it"
    await swept(world)
    assert await ended_as(world, BOB) == CAMPAIGN_ENDED
    assert await complete(world) == {SPRING}
    assert (await spring(world)).completed_at == world.now
    await drain(world)


async def test_a_call_that_was_claimed_before_it_does_not_start_after_it(store: Store) -> None:
    world = await ending_world(store, 2)
    await job_for(world, ANN)
    mine = await start(world, A, ANN)
    await world.pass_time(2)
    assert await gate.look(world.store, {ANN: mine.nonce or ""}, world.now) == {ANN: "campaign_ended"}
    assert not await world.gate(A, mine)
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await ended_as(world, ANN) == CAMPAIGN_ENDED
    await drain(world)


async def test_a_claim_that_runs_out_after_it_ends_its_contact(store: Store) -> None:
    world = await ending_world(store, 2)
    assert await claimed(world, ANN) == {ANN}
    await world.pass_time(41)
    await world.expire(ACME_SHARD, ACME_SHARD)
    assert await ended_as(world, ANN) == CAMPAIGN_ENDED
    await drain(world)


@pytest.mark.parametrize(
    ("outcome", "ended"), [(Outcome.ANSWERED, ("completed", "answered")), (Outcome.NO_ANSWER, CAMPAIGN_ENDED)]
)
async def test_a_call_that_is_up_goes_on_and_nobody_is_tried_again(
    store: Store, outcome: Outcome, ended: tuple[str, str]
) -> None:
    world = await ending_world(store, 2)
    await call(world, ANN)
    await world.pass_time(11)
    await swept(world)
    assert await complete(world) == set(), "a call is up"
    await call_ends(world, ANN, outcome)
    assert await ended_as(world, ANN) == ended
    assert await complete(world) == {SPRING}
    await drain(world)


async def test_a_waiting_retry_ends(store: Store) -> None:
    world = await ending_world(store, 2)
    await call(world, ANN)
    await call_ends(world, ANN, Outcome.NO_ANSWER)
    assert await status(world, ANN) == ContactStatus.PENDING
    await world.pass_time(2)
    await swept(world)
    assert await ended_as(world, ANN) == CAMPAIGN_ENDED
    await drain(world)


@pytest.mark.parametrize(
    ("answered", "ended"), [(False, CAMPAIGN_ENDED), (True, ("completed", "answered"))], ids=["uncalled", "answered"]
)
@pytest.mark.parametrize("is_claimed", [False, True])
async def test_a_requested_callback_that_waits_ends_and_none_is_taken_for_later(
    store: Store, is_claimed: bool, answered: bool, ended: tuple[str, str]
) -> None:
    world = await ending_world(store, 31)
    if answered:
        await call(world, ANN)
        await call_ends(world, ANN, Outcome.ANSWERED)
    assert not await edits.ask(world, ANN, WishKind.CALLBACK, 31)
    assert await edits.ask(world, ANN, WishKind.CALLBACK, 21)
    await world.carry_out(ACME_SHARD, ACME_SHARD)
    found = await contact(world, ANN)
    assert (found["status"], found["due_at"]) == ("pending", world.now + timedelta(seconds=21))
    await world.pass_time(31)
    if is_claimed:
        assert await claimed(world, ANN) == set()
    else:
        await swept(world)
    assert await ended_as(world, ANN) == ended
    await drain(world)
    assert called(world).count(ANN) == int(answered)


@pytest.mark.parametrize("resumed", [False, True])
async def test_a_paused_campaign_stays_so_and_is_completed_when_it_is_started(store: Store, resumed: bool) -> None:
    world = await ending_world(store, 2)
    await edits.move(world, SPRING, CampaignMove.PAUSE)
    await world.pass_time(2)
    await swept(world)
    assert [await ended_as(world, who) for who in (ANN, BOB)] == [CAMPAIGN_ENDED] * 2
    assert await complete(world) == set()
    assert await state(world) is CampaignState.PAUSED
    if resumed:
        await edits.move(world, SPRING, CampaignMove.START)
        assert await complete(world) == {SPRING}
    await drain(world)


async def test_a_later_date_has_nobody_called_by_itself_and_a_reset_does(store: Store) -> None:
    world = await ending_world(store, 0)
    await swept(world)
    assert await complete(world) == {SPRING}
    assert await ends.end(world, SPRING, None)
    assert await claimed(world, ANN) == set()
    assert await ended_as(world, ANN) == CAMPAIGN_ENDED
    assert await edits.reset(world, ANN) == 1
    await world.carry_out(ACME_SHARD, ACME_SHARD)
    assert await claimed(world, ANN) == set(), "it waits in a completed campaign"
    await edits.move(world, SPRING, CampaignMove.START)
    await call(world, ANN)
    await drain(world)


async def test_a_reset_before_a_later_date_is_set_ends_the_same_way(store: Store) -> None:
    world = await ending_world(store, 0)
    await swept(world)
    assert await edits.reset(world, ANN) == 1
    await world.carry_out(ACME_SHARD, ACME_SHARD)
    assert await ended_as(world, ANN) == CAMPAIGN_ENDED
    await drain(world)


async def test_a_contact_that_comes_after_it_ends_too(store: Store) -> None:
    world = await ending_world(store, 0)
    await swept(world)
    assert await complete(world) == {SPRING}
    [late] = await edits.add_contact(world, ACME, SPRING, PHONES[5])
    await swept(world)
    assert await ended_as(world, late) == CAMPAIGN_ENDED
    await drain(world)


async def test_a_date_before_the_start_is_refused_whichever_of_the_two_is_set(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await edits.make_draft(world, SPRING)
    assert await edits.schedule(world, SPRING, 31)
    assert not await ends.end(world, SPRING, 31)
    assert await ends.end(world, SPRING, 41)
    assert not await edits.schedule(world, SPRING, 121)
    course = (await spring(world)).course
    assert course.start_at is not None
    assert course.end_at is not None
    assert (course.end_at - course.start_at).total_seconds() == 10
    await drain(world)


async def test_contacts_of_a_failed_campaign_end_as_those_of_a_closed_one(store: Store) -> None:
    world = await new_world(store, ROOMY)
    run = {"generation": 1, "state": RunState.FAILED, "reason": "job", "at": world.now}
    await store["campaigns"].update_one({"_id": SPRING}, {"$set": {"run": run}})
    world.rules.active[SPRING].set(world.steps, False)
    assert await state(world) is CampaignState.FAILED
    assert await claimed(world, ANN) == set()
    await swept(world)
    assert [await ended_as(world, who) for who in (ANN, BOB)] == [("skipped", "cancelled")] * 2
    assert await complete(world) == set()
    await drain(world)
