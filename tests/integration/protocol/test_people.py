"""People who are changed, flagged and deleted while their contacts are claimed, called and finished.

One fixed order of events each, judged by the documents and by the carrier's own record.
"""

import asyncio
from collections import Counter
from typing import Any

import pytest

from shared.domain.enrolment import Enrolment
from shared.domain.facts import FactType
from shared.domain.ids import contact_id_of_person
from shared.domain.outcome import Outcome
from shared.domain.reasons import EndReason
from shared.store.client import Store
from shared.store.dialing import gate
from shared.store.reports.counters import campaign_counts
from tests.integration.protocol import edits
from tests.integration.protocol import people_edits as people
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import SPRING, SUMMER, new_world
from tests.integration.protocol.test_refusals import ROOMY, called, claim, ends
from tests.integration.protocol.test_traces import ACME_SHARD, A, call, contact, job_for, start, task_of
from tests.integration.protocol.world import World

PHONE, OTHER = "+14152000008", "+14152000009"


async def ida(world: World) -> tuple[str, str]:
    """A person and its contact in Summer."""
    person_id = await people.new_person(world, first_name="Ida", phone=PHONE)
    [done] = await people.enrolled(world, person_id)
    assert done.contact_id == contact_id_of_person(SUMMER, person_id)
    return person_id, done.contact_id


async def ended(world: World, contact_id: str) -> tuple[str, str | None]:
    found = await contact(world, contact_id)
    return found["status"], found["ended_because"]


STOPS = pytest.mark.parametrize(
    ("stop", "because"),
    [
        (lambda world, person_id: people.change(world, person_id, do_not_call=True), "do_not_call"),
        (people.delete, "person_deleted"),
    ],
    ids=["flagged", "deleted"],
)


@STOPS
async def test_person_stopped_between_claim_and_gate(store: Store, stop: Any, because: str) -> None:
    world = await new_world(store)
    person_id, contact_id = await ida(world)
    await job_for(world, contact_id)
    task = await start(world, A, contact_id)
    await stop(world, person_id)
    assert (await gate.look(store, {contact_id: task.nonce}, world.now))[contact_id] is not None
    await world.pass_time(1)
    await world.dial(A, task)
    assert called(world) == [], "the carrier is never reached"
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await ended(world, contact_id) == ("skipped", because)
    await drain(world)


@STOPS
async def test_person_stopped_while_its_contact_waits_in_several_campaigns(
    store: Store, stop: Any, because: str
) -> None:
    world = await new_world(store)
    person_id, in_summer = await ida(world)
    [in_spring] = [each.contact_id for each in await people.enrolled(world, person_id, campaign_id=SPRING)]
    assert in_spring is not None
    await stop(world, person_id)
    assert await claim(world, in_summer) == [], "a claim that comes first ends it as well"
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert {await ended(world, each) for each in (in_summer, in_spring)} == {("skipped", because)}
    assert await store["asks"].count_documents({}) == 0
    assert (await campaign_counts(store, SPRING)).ended == {because: 1}
    await drain(world)


@STOPS
async def test_person_stopped_on_a_call(store: Store, stop: Any, because: str) -> None:
    world = await new_world(store)
    person_id, contact_id = await ida(world)
    await call(world, contact_id)
    await stop(world, person_id)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert [live.request.contact_id for live in world.carrier.live()] == [contact_id], "the call goes on"
    await ends(world, contact_id, Outcome.NO_ANSWER)
    assert await ended(world, contact_id) == ("skipped", because), "and is the last"
    assert (await contact(world, contact_id))["attempts_made"] == 1
    await drain(world)


async def test_answer_beside_a_deletion(store: Store) -> None:
    world = await new_world(store)
    person_id, contact_id = await ida(world)
    await call(world, contact_id)
    await people.delete(world, person_id)
    await ends(world, contact_id, Outcome.ANSWERED)
    assert await ended(world, contact_id) == ("completed", "answered"), "a real outcome is never replaced"
    await drain(world)


async def test_person_changed_while_claimed(store: Store) -> None:
    world = await new_world(store)
    person_id, contact_id = await ida(world)
    await job_for(world, contact_id)
    await people.change(world, person_id, phone=OTHER)
    await world.dial(A, task_of(world, A, contact_id))
    assert called(world) == [], "a number that was edited away is not called"
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    await world.pass_time(3)
    await call(world, contact_id)
    [live] = world.carrier.live()
    assert live.request.phone_number == OTHER
    await ends(world, contact_id, Outcome.ANSWERED)
    await drain(world)


async def test_person_changed_on_a_call_counts_for_the_retry(store: Store) -> None:
    world = await new_world(store)
    person_id, contact_id = await ida(world)
    await call(world, contact_id)
    await people.change(world, person_id, phone=OTHER, custom_fields={"plan": "pro"}, timezone="Europe/Berlin")
    [live] = world.carrier.live()
    assert (live.request.phone_number, (await contact(world, contact_id))["lock"]["number"]) == (PHONE, PHONE)
    await ends(world, contact_id, Outcome.NO_ANSWER)
    await world.pass_time(6)
    await call(world, contact_id)
    [live] = world.carrier.live()
    assert live.request.phone_number == OTHER
    waits = await contact(world, contact_id)
    assert (waits["timezone"], waits["data"]) == ("Europe/Berlin", {"plan": "pro", "first_name": "Ida"})
    zones = await store["counters_in"].distinct("zones", {"campaign_id": SUMMER})
    assert "Europe/Berlin" in zones, "the scheduler hears of the timezone"
    await ends(world, contact_id, Outcome.ANSWERED)
    await drain(world)


async def test_a_phone_taken_away_ends_a_contact_that_waits(store: Store) -> None:
    world = await new_world(store)
    person_id, contact_id = await ida(world)
    await people.change(world, person_id, phone=None)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert await ended(world, contact_id) == ("skipped", "no_phone")
    await people.change(world, person_id, phone=OTHER)
    [again] = await people.enrolled(world, person_id)
    assert (again.contact_id, again.enrolment) == (contact_id, Enrolment.AGAIN)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    await call(world, contact_id)
    await ends(world, contact_id, Outcome.ANSWERED)
    [over] = await people.enrolled(world, person_id)
    assert over.enrolment is Enrolment.DUPLICATE, "who was called stays as it is"
    await drain(world)


async def test_clearing_the_flag_calls_nobody_until_enrolled_again(store: Store) -> None:
    world = await new_world(store)
    person_id, contact_id = await ida(world)
    await people.change(world, person_id, do_not_call=True)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    [still] = await people.enrolled(world, person_id)
    assert still.enrolment is Enrolment.DUPLICATE
    await people.change(world, person_id, do_not_call=False)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert await ended(world, contact_id) == ("skipped", "do_not_call")
    [again] = await people.enrolled(world, person_id)
    assert again.enrolment is Enrolment.AGAIN
    await world.sweep(ACME_SHARD, ACME_SHARD)
    await call(world, contact_id)
    await ends(world, contact_id, Outcome.ANSWERED)
    await drain(world)


async def test_enrolment_beside_a_change_of_the_person(store: Store) -> None:
    """Whichever is first, the contact has the new number: neither may miss the other."""
    world = await new_world(store)
    for turn in range(8):
        person_id = await people.new_person(world, phone=PHONE)
        await asyncio.gather(
            people.change(world, person_id, phone=OTHER), people.enrolled(world, person_id), return_exceptions=False
        )
        found = await contact(world, contact_id_of_person(SUMMER, person_id))
        assert found["phone_numbers"] == [OTHER], turn
        await people.delete(world, person_id)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    await drain(world)


async def test_two_enrolments_at_once_make_one_contact(store: Store) -> None:
    world = await new_world(store)
    person_id = await people.new_person(world, phone=PHONE)
    both = await asyncio.gather(people.enrolled(world, person_id), people.enrolled(world, person_id))
    assert sorted(each.enrolment for [each] in both) == [Enrolment.ADDED, Enrolment.DUPLICATE]
    assert len({each.contact_id for [each] in both}) == 1
    await drain(world)


@pytest.mark.parametrize("by", ["result", "ending"])
async def test_an_opt_out_holds_in_all_campaigns_of_the_person(store: Store, by: str) -> None:
    """Also where the person has another number by now, which is on no list; it is told once."""
    world = await new_world(store)
    person_id, contact_id = await ida(world)
    [in_spring] = [each.contact_id for each in await people.enrolled(world, person_id, campaign_id=SPRING)]
    assert in_spring is not None
    await call(world, contact_id)
    await people.change(world, person_id, phone=OTHER)
    if by == "result":
        [live] = world.carrier.live()
        await edits.report_result(world, live.request, opt_out=True)
        await ends(world, contact_id, Outcome.ANSWERED)
    else:
        await ends(world, contact_id, Outcome.DO_NOT_CALL)
    person = await store["people"].find_one({"_id": person_id})
    assert person is not None
    assert person["do_not_call"]
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert await ended(world, in_spring) == ("skipped", EndReason.DO_NOT_CALL)
    assert await claim(world, in_spring) == []
    assert (await told_types(store))[FactType.PERSON_DO_NOT_CALL] == 1
    await drain(world)


async def test_an_opt_out_ends_a_retry_of_another_call_that_ends_with_it(store: Store) -> None:
    """Both calls of one person end in one transaction: the contact that would wait for a retry is called no more."""
    world = await new_world(store, ROOMY)
    person_id, contact_id = await ida(world)
    [in_spring] = [each.contact_id for each in await people.enrolled(world, person_id, campaign_id=SPRING)]
    assert in_spring is not None
    await call(world, contact_id)
    await people.change(world, person_id, phone=OTHER)
    await call(world, in_spring)
    for live in list(world.carrier.live()):
        opted_out = live.request.contact_id == contact_id
        world.carrier.end(live, Outcome.DO_NOT_CALL if opted_out else Outcome.NO_ANSWER)
        await world.report(live)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await ended(world, in_spring) == ("skipped", EndReason.DO_NOT_CALL)
    await drain(world)


async def told_types(store: Store) -> Counter[str]:
    """How often facts of each type were told, or wait to be."""
    waiting = [fact["type"] async for fact in store["facts_in"].find()]
    return Counter(waiting + [fact["type"] async for each in store["facts"].find() for fact in each["facts"]])


async def test_an_opt_out_keeps_the_person_out_of_the_claim_of_the_same_transaction(store: Store) -> None:
    """By the flag alone: the other contact of the person has another number, and was read before the call's end was."""
    world = await new_world(store, ROOMY)
    person_id, in_summer = await ida(world)
    [in_spring] = [each.contact_id for each in await people.enrolled(world, person_id, campaign_id=SPRING)]
    assert in_spring is not None
    await store["contacts"].update_one({"_id": in_spring}, {"$set": {"phone_numbers": [OTHER]}})
    world.rules.numbers[in_spring].set(world.steps, (OTHER,))
    await call(world, in_summer)
    [live] = [live for live in world.carrier.live() if live.request.contact_id == in_summer]
    world.carrier.end(live, Outcome.DO_NOT_CALL)
    await world.report(live)
    jobs = await world.work(ACME_SHARD, ACME_SHARD, claim=[in_spring])
    assert [job.contact_id for job in jobs] == []
    assert (await contact(world, in_spring))["stopped"] == "do_not_call"
