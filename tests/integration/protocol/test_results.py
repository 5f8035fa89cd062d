"""Results that agents report, beside all that a call's ending does: nobody is called who opted out, callbacks come.

One fixed order of events each, judged by the documents and by the carrier's own record (S5).
"""

from datetime import timedelta

import pytest

from shared.domain.call_results import ReportedResult, ResultRemark
from shared.domain.campaign import CampaignMove, CampaignState
from shared.domain.contact import Tier
from shared.domain.outcome import Outcome
from shared.domain.queue_order import tier_in
from shared.domain.reasons import EndReason
from shared.domain.wishes import WishKind
from shared.errors import NotFound
from shared.store.client import Store
from shared.store.contacts.reported_calls import Reported, ReportedCall, find_call, record_result
from tests.integration.protocol import edits
from tests.integration.protocol import ends as end_of_campaigns
from tests.integration.protocol.carrier import Call, Fate
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ACME, AMY, ANN, CAT, PHONES, SPRING, SUMMER, new_world
from tests.integration.protocol.test_callbacks import IN_A_MINUTE, carried_out
from tests.integration.protocol.test_completion import finished_world, state
from tests.integration.protocol.test_refusals import called, claim, ends
from tests.integration.protocol.test_resets import NO_LOOK_UPS, counters, ended_as, lost, reported, wishes
from tests.integration.protocol.test_traces import ACME_SHARD, A, call, contact, job_for, start, task_of
from tests.integration.protocol.world import World


def live_call(world: World) -> Call:
    [live] = world.carrier.live()
    return live


def last_call(world: World, contact_id: str) -> Call:
    return next(placed for placed in reversed(world.carrier.calls) if placed.request.contact_id == contact_id)


async def opted_out(world: World, of: Call) -> None:
    await edits.report_result(world, of.request, opt_out=True)


async def listed(world: World) -> dict[str, str]:
    return {entry["phone_number"]: entry["source"] for entry in await world.store["do_not_call"].find({}).to_list()}


# Opt-outs.


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.VOICEMAIL, Outcome.NO_ANSWER])
@pytest.mark.parametrize("when", ["in the call", "after it", "before it is heard of"])
async def test_an_opt_out_means_the_same_before_and_after_the_ending(store: Store, outcome: Outcome, when: str) -> None:
    world = await new_world(store)
    await call(world, AMY)
    live = live_call(world)
    if when == "in the call":
        await opted_out(world, live)
    world.carrier.end(live, outcome)
    if when == "before it is heard of":
        await opted_out(world, live)
    await reported(world, live)
    if when == "after it":
        await opted_out(world, live)
    await carried_out(world)
    expected = ("completed", "answered") if outcome is Outcome.ANSWERED else ("exhausted", "opted_out")
    assert await ended_as(world, AMY) == expected
    [attempt] = await store["attempts"].find({}).to_list()
    assert attempt["outcome"] == outcome, "an opt-out never changes an outcome"
    counts = await counters(world, SUMMER)
    assert (counts["opted_out"], counts["pending"], counts["active"]) == (1, counts["pending"], 0)
    assert (await listed(world))[PHONES[0]] == "call"
    await drain(world)
    assert called(world).count(AMY) == 1


async def test_opt_out_with_a_second_number(store: Store) -> None:
    """Cat has two numbers, and is called by the first; the second is not called either, in no campaign."""
    world = await new_world(store)
    numbers = (await contact(world, CAT))["phone_numbers"]
    await call(world, CAT)
    live = live_call(world)
    await ends(world, CAT, Outcome.NO_ANSWER)
    await opted_out(world, live)
    assert await listed(world) == dict.fromkeys(numbers, "call")
    await world.pass_time(6)
    assert await claim(world, CAT) == []
    assert await ended_as(world, CAT) == ("exhausted", "opted_out")
    [other] = await edits.add_contact(world, ACME, SPRING, numbers[1])
    assert (await contact(world, other))["status"] == "skipped"
    await drain(world)


async def test_opted_out_between_claim_and_gate(store: Store) -> None:
    world = await new_world(store)
    await call(world, AMY)
    earlier = live_call(world)
    await ends(world, AMY, Outcome.NO_ANSWER)
    await world.pass_time(6)
    await job_for(world, AMY)
    await opted_out(world, earlier)
    await start(world, A, AMY)
    assert not await world.gate(A, task_of(world, A, AMY))
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await ended_as(world, AMY) == ("exhausted", "opted_out")
    await carried_out(world)
    assert (await counters(world, SUMMER))["opted_out"] == 1
    await drain(world)


async def test_taken_off_the_list_an_opt_out_still_holds(store: Store) -> None:
    world = await new_world(store)
    await call(world, AMY)
    live = live_call(world)
    await ends(world, AMY, Outcome.NO_ANSWER)
    await opted_out(world, live)
    await edits.list_number(world, ACME, PHONES[0])
    assert await listed(world) == {}
    assert await edits.reset(world, AMY) == 0
    assert not await edits.ask(world, AMY, WishKind.CALLBACK)
    await opted_out(world, live)
    assert await listed(world) == {}, "the same result again has no second effect"
    await drain(world)
    assert called(world).count(AMY) == 1


async def test_opt_out_ends_the_callback_that_waits(store: Store) -> None:
    world = await new_world(store)
    await call(world, AMY)
    live = live_call(world)
    await edits.ask_in_call(world, live.request, IN_A_MINUTE)
    await ends(world, AMY, Outcome.ANSWERED)
    assert tier_in((await contact(world, AMY))["tier"]) is Tier.REQUESTED
    await opted_out(world, live)
    await carried_out(world)
    assert await ended_as(world, AMY) == ("exhausted", "opted_out")
    result = await store["call_results"].find_one({"_id": live.request.attempt_id})
    assert result is not None
    assert result["remarks"] == [ResultRemark.OPTED_OUT]
    await drain(world)


async def test_opt_out_unsets_what_was_asked(store: Store) -> None:
    world = await new_world(store)
    await call(world, AMY)
    live = live_call(world)
    await edits.ask_in_call(world, live.request, IN_A_MINUTE)
    await opted_out(world, live)
    assert "asked" not in await contact(world, AMY)
    await world.carry_out(ACME_SHARD, ACME_SHARD)
    assert len(await wishes(world)) == 1, "the end of the call counts it"
    await ends(world, AMY, Outcome.ANSWERED)
    assert await ended_as(world, AMY) == ("completed", "answered")
    assert (await wishes(world), (await counters(world, SUMMER))["opted_out"]) == ([], 1)
    await drain(world)


async def test_two_results_of_two_calls_of_one_person(store: Store) -> None:
    """Ann and Amy are one telephone in two campaigns: both opt out, and the list has it once."""
    world = await new_world(store)
    for contact_id in (ANN, AMY):
        await call(world, contact_id)
        await ends(world, contact_id, Outcome.ANSWERED)
        await opted_out(world, last_call(world, contact_id))
        await carried_out(world)
        await edits.list_number(world, ACME, PHONES[0])
    await drain(world)


async def test_a_call_that_ends_do_not_call_lists_its_number(store: Store) -> None:
    """An entry that is there already stays as it is, and another contact with the number is not claimed any more."""
    world = await new_world(store)
    await edits.list_number(world, ACME, PHONES[3])
    await call(world, AMY)
    await ends(world, AMY, Outcome.DO_NOT_CALL)
    assert await listed(world) == {PHONES[3]: "native", PHONES[0]: "call"}
    await world.pass_time(6)
    assert await claim(world, ANN) == []
    assert await ended_as(world, ANN) == ("skipped", "do_not_call")
    await drain(world)


async def test_a_better_ending_do_not_call_lists_its_number(store: Store) -> None:
    world = await new_world(store, NO_LOOK_UPS)
    late = await lost(world, AMY, Outcome.DO_NOT_CALL)
    assert await listed(world) == {}
    await reported(world, late)
    assert await listed(world) == {PHONES[0]: "call"}
    await drain(world)


# Callbacks: callback_before_finish and callback_lost_by_a_better_ending stand in test_callbacks_and_calls.py.


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.VOICEMAIL])
async def test_callback_after_finish(store: Store, outcome: Outcome) -> None:
    world = await new_world(store)
    await call(world, AMY)
    live = live_call(world)
    await ends(world, AMY, outcome)
    assert await edits.ask_in_call(world, live.request, IN_A_MINUTE)
    await carried_out(world)
    waits = await contact(world, AMY)
    assert (waits["status"], tier_in(waits["tier"])) == ("pending", Tier.REQUESTED)
    assert waits["due_at"] == world.now + timedelta(seconds=IN_A_MINUTE)
    await drain(world)
    assert called(world).count(AMY) >= 2


async def test_answered_but_not_the_last(store: Store) -> None:
    """What the earlier call's result asks for comes too late: the contact was called since."""
    world = await new_world(store, NO_LOOK_UPS)
    late = await lost(world, AMY, Outcome.ANSWERED)
    await edits.reset(world, AMY)
    await carried_out(world)
    await call(world, AMY)
    assert not await edits.ask_in_call(world, late.request, IN_A_MINUTE)
    result = await store["call_results"].find_one({"_id": late.request.attempt_id})
    assert result is not None
    assert result["remarks"] == [ResultRemark.CALLED_SINCE]
    await reported(world, late)
    assert (await contact(world, AMY))["for_good"] == EndReason.ANSWERED
    await ends(world, AMY, Outcome.NO_ANSWER)
    assert await ended_as(world, AMY) == ("completed", "answered")
    await drain(world)


async def test_answered_while_locked(store: Store) -> None:
    """The gate refuses it; a callback that the answered call's result asks for then comes all the same."""
    world = await new_world(store, NO_LOOK_UPS)
    late = await lost(world, AMY, Outcome.ANSWERED)
    await edits.reset(world, AMY)
    await carried_out(world)
    await job_for(world, AMY)
    await reported(world, late)
    await start(world, A, AMY)
    assert not await world.gate(A, task_of(world, A, AMY))
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await ended_as(world, AMY) == ("completed", "answered")
    assert await edits.ask_in_call(world, late.request, 0.0)
    await carried_out(world)
    await call(world, AMY)
    await ends(world, AMY, Outcome.NO_ANSWER)
    await drain(world)


async def test_a_callback_opens_a_completed_run_again(store: Store) -> None:
    world = await finished_world(store)
    assert await end_of_campaigns.complete(world, ACME_SHARD, ACME_SHARD) == {SPRING}
    assert await edits.ask_in_call(world, last_call(world, ANN).request, 0.0)
    await carried_out(world)
    assert await state(world) is CampaignState.RUNNING
    campaign = await store["campaigns"].find_one({"_id": SPRING})
    assert campaign is not None
    assert (campaign["completed_at"], campaign["run"]["generation"]) == (None, campaign["generation"])
    assert await end_of_campaigns.complete(world, ACME_SHARD, ACME_SHARD) == set()
    await call(world, ANN)
    await ends(world, ANN, Outcome.ANSWERED)
    assert await end_of_campaigns.complete(world, ACME_SHARD, ACME_SHARD) == {SPRING}, "once more, later"
    await drain(world)


async def test_an_opt_out_opens_no_completed_run(store: Store) -> None:
    world = await finished_world(store)
    assert await end_of_campaigns.complete(world, ACME_SHARD, ACME_SHARD) == {SPRING}
    await opted_out(world, last_call(world, ANN))
    await carried_out(world)
    assert await state(world) is CampaignState.COMPLETED
    assert (await ended_as(world, ANN), (await counters(world, SPRING))["opted_out"]) == (("completed", "answered"), 1)
    await drain(world)


async def test_a_callback_in_a_closed_campaign_is_kept_with_a_remark(store: Store) -> None:
    world = await new_world(store)
    await call(world, AMY)
    live = live_call(world)
    await ends(world, AMY, Outcome.ANSWERED)
    await edits.move(world, SUMMER, CampaignMove.CANCEL)
    told = await report(world, live, callback_at=world.now + timedelta(seconds=60))
    assert (told.result.remarks, told.asks) == ((ResultRemark.CAMPAIGN_OVER,), False)
    assert await wishes(world) == []
    await drain(world)


# What a result is, and whose.


async def report(world: World, of: Call, **fields: object) -> Reported:
    given = ReportedResult.model_validate(fields, strict=False).given
    this = ReportedCall(of.request.attempt_id, of.request.contact_id)
    return await record_result(world.store, of.request.organization_id, this, given, world.now)


async def test_the_same_result_again_writes_nothing(store: Store) -> None:
    world = await new_world(store)
    await call(world, AMY)
    live, later = live_call(world), world.now + timedelta(seconds=60)
    first = await report(world, live, summary="Hello", callback_at=later, extracted={"a": {"b": 1}})
    world.rules.ask(world.steps, AMY, WishKind.CALLBACK, later)
    asked = (await contact(world, AMY))["asked"]
    await world.pass_time(1)
    again = await report(world, live, summary="Hello", callback_at=later, extracted={"a": {"b": 1}})
    assert (again.result, again.asks, again.listed) == (first.result, False, False)
    assert (await contact(world, AMY))["asked"] == asked
    more = await report(world, live, extracted={"a": {"c": 2}}, tags=["late"])
    assert (more.result.extracted, more.result.summary, more.result.tags) == (
        {"a": {"b": 1, "c": 2}},
        "Hello",
        ("late",),
    )
    assert (more.result.created_at, more.result.updated_at) == (first.result.created_at, world.now)
    assert (await contact(world, AMY))["asked"] == asked, "the callback was asked for once"
    await ends(world, AMY, Outcome.ANSWERED)
    await drain(world)


async def test_a_call_is_found_by_both_ids_while_it_is_up_and_later(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, AMY)
    lock = (await contact(world, AMY))["lock"]
    with pytest.raises(NotFound):
        await find_call(store, ACME, lock["attempt"])
    await world.dial(A, task_of(world, A, AMY), Fate.PLACED)
    live = live_call(world).request
    for _ in range(2):
        for reference in (live.attempt_id, live.conversation_id):
            assert await find_call(store, ACME, reference) == ReportedCall(live.attempt_id, AMY)
            with pytest.raises(NotFound):
                await find_call(store, SPRING, reference)
        if world.carrier.live():
            await ends(world, AMY, Outcome.ANSWERED)
    await drain(world)


async def test_an_opt_out_of_a_deleted_contact_lists_the_number_called(store: Store) -> None:
    world = await new_world(store)
    await call(world, AMY)
    live = live_call(world)
    await ends(world, AMY, Outcome.NO_ANSWER)
    await edits.delete(world, AMY)
    told = await report(world, live, opt_out=True, callback_at=world.now)
    assert (told.result.remarks, told.listed, told.asks) == ((ResultRemark.OPTED_OUT,), True, False)
    assert await listed(world) == {PHONES[0]: "call"}
    await drain(world)
