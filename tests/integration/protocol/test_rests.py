"""What proves that a rest is over, whose call is judged by it, and documents of another version that stop no shard.

One fixed order of events each, judged by the documents and by the carrier's own record.
"""

from collections.abc import Sequence
from datetime import timedelta

from shared.domain.contact import ContactStatus
from shared.domain.ids import organization_budget
from shared.domain.outcome import Outcome
from shared.domain.refusal import MAX_RESTS, Refusal, RefusalSubject
from shared.events import DialJob, JobReleased
from shared.store.client import Document, Store
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from tests.factories import add_campaign, add_organization, contact_document, open_limits
from tests.integration.protocol.carrier import Fate
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ACME, AMY, ANN, BOB, CAT, GUS, SPRING, SUMMER, new_world
from tests.integration.protocol.test_refusals import (
    DEFAULT_KEY,
    RESTS,
    ROOMY,
    asking,
    called,
    claim,
    dial,
    ends,
    heard,
    rest,
    rests,
)
from tests.integration.protocol.test_traces import A, call, contact, start, status, task_of
from tests.integration.protocol.world import START_OF_TIME

OUR_NUMBER = Refusal(subject=RefusalSubject.CALLER_NUMBER, code=21210)


# What proves that a rest is over.


async def test_what_was_refused_in_an_ending_rests_until_a_call_that_asks_has_ended_otherwise(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await call(world, CAT)
    await ends(world, CAT, Outcome.FAILED, OUR_NUMBER)
    await world.pass_time(RESTS)
    assert await claim(world, AMY, GUS) == [AMY]
    await dial(world, AMY)
    assert called(world) == [CAT, AMY]
    assert await rest(world, DEFAULT_KEY) == (timedelta(seconds=30), 1, True), "taken, as the refused call was"
    assert await claim(world, CAT, GUS) == []
    await ends(world, AMY, Outcome.FAILED, OUR_NUMBER)
    assert await rest(world, DEFAULT_KEY) == (timedelta(seconds=60), 2, False)
    await world.pass_time(61)
    assert await claim(world, GUS, CAT) == [GUS]
    await dial(world, GUS)
    assert await rest(world, DEFAULT_KEY) == (timedelta(seconds=30), 2, True)
    await ends(world, GUS, Outcome.NO_ANSWER)
    assert await rests(world) == {}
    await drain(world)


async def test_a_probe_that_is_refused_for_the_persons_sake_ends_no_rest(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await asking(world, AMY)
    world.carrier.refused.clear()
    await dial(world, AMY, fate=Fate.REFUSED)
    assert (await contact(world, AMY))["outcomes"] == {"busy": 1}
    assert await rest(world) == (timedelta(seconds=30), 1, True), "the carrier looked at the number first"
    assert await claim(world, CAT, GUS) == []
    await world.pass_time(RESTS)
    assert await claim(world, CAT, GUS) == [CAT]
    await dial(world, CAT)
    assert await rests(world) == {}
    await drain(world)


async def test_the_gate_judges_the_call_that_was_claimed_though_the_campaign_has_another_number_now(
    store: Store,
) -> None:
    world = await new_world(store, ROOMY)
    world.carrier.refused.add(DEFAULT_KEY)
    assert await claim(world, CAT, AMY) == [CAT, AMY]
    await dial(world, AMY)
    assert (await rests(world)).keys() == {DEFAULT_KEY}
    await store["campaigns"].update_one({"_id": SUMMER}, {"$set": {"agent_number": "+14155550111"}})
    claimed = await start(world, A, CAT)
    assert not await world.gate(A, claimed), "its lock has the number that rests"
    await heard(world)
    assert await status(world, CAT) == ContactStatus.PENDING
    await world.pass_time(2)
    assert await claim(world, CAT) == [CAT]
    await dial(world, CAT)
    assert [placed.request.caller_number for placed in world.carrier.calls] == ["+14155550111"]
    await drain(world)


# How many are kept.


async def test_of_many_made_up_caller_numbers_the_newest_refusals_are_kept(store: Store) -> None:
    count = MAX_RESTS + 100
    organization = await add_organization(store, shard=0, concurrency_limit=1000)
    await open_limits(store, 0, 1000)
    campaign = await add_campaign(store, organization)
    numbers = [f"+1415555{number:04d}" for number in range(count)]
    contacts = [
        contact_document(organization, campaign, number, agent_number=own, created_at=START_OF_TIME)
        for number, own in enumerate(numbers)
    ]
    await store["contacts"].insert_many(contacts)
    owner, order = Ownership(0, 0), ClaimOrder([contact["_id"] for contact in contacts], {organization["_id"]: count})
    claimed = await do_shard_work(store, owner, ShardWork(claim=order), START_OF_TIME)
    assert len(claimed.jobs) == count
    for part in range(3):
        jobs = claimed.jobs[part * 100 : (part + 1) * 100]
        refusals = ShardWork(released=_refused(jobs))
        await do_shard_work(store, owner, refusals, START_OF_TIME + timedelta(seconds=part))
    budget = await store["budgets"].find_one({"_id": organization_budget(organization["_id"])})
    assert budget is not None
    assert set(budget["rests"]) == {f"caller_number:{number}" for number in numbers[-MAX_RESTS:]}
    assert budget["held"] == 0


def _refused(jobs: Sequence[DialJob]) -> list[JobReleased]:
    return [
        JobReleased(
            organization_id=job.organization_id,
            shard=job.shard,
            attempt_id=job.attempt_id,
            contact_id=job.contact_id,
            nonce=None,
            reason="refused",
            refusal=OUR_NUMBER,
        )
        for job in jobs
    ]


# Documents of another version.


async def test_a_rest_that_cannot_be_read_holds_nobody_back(store: Store) -> None:
    world = await new_world(store, ROOMY)
    unknown: Document = {
        "until": world.now + timedelta(seconds=30),
        "refusals": 1,
        "since": world.now,
        "refusal": {"subject": "weather", "code": None, "message": ""},
        "asking": False,
        "in_ending": False,
    }
    await store["budgets"].update_one(
        {"_id": organization_budget(ACME)}, {"$set": {"rests.weather": unknown}}, upsert=True
    )
    await call(world, CAT)
    await ends(world, CAT, Outcome.ANSWERED)
    assert await status(world, CAT) == ContactStatus.COMPLETED
    world.carrier.refused.add("account")
    assert await claim(world, AMY) == [AMY]
    await dial(world, AMY)
    assert (await rests(world)).keys() == {"weather", "account"}
    await drain(world)


async def test_a_contact_put_off_by_a_word_of_another_version_stops_no_shard(store: Store) -> None:
    fields = {"put_off": {"until": START_OF_TIME, "reason": "moonrise"}}
    world = await new_world(store, ROOMY)
    await store["contacts"].update_one({"_id": CAT}, {"$set": fields})
    assert await claim(world, CAT, AMY) == [CAT, AMY]
    await store["contacts"].update_one({"_id": CAT}, {"$set": fields})
    await dial(world, CAT, AMY)
    for contact_id in (CAT, AMY):
        await ends(world, contact_id, Outcome.NO_ANSWER)
        assert (await contact(world, contact_id))["outcomes"] == {"no_answer": 1}
    await drain(world)


async def test_a_contact_that_is_done_with_for_good_by_a_word_of_another_version_is_not_called(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await store["contacts"].update_one({"_id": CAT}, {"$set": {"for_good": "moved_to_the_moon"}})
    assert await claim(world, CAT, AMY) == [AMY]
    assert await status(world, CAT) == ContactStatus.EXHAUSTED
    await dial(world, AMY)
    await ends(world, AMY, Outcome.NO_ANSWER)
    await drain(world)


async def test_a_campaign_in_a_state_of_another_version_is_not_called_and_stops_no_shard(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await call(world, ANN)
    assert await claim(world, CAT) == [CAT]
    for campaign_id in (SPRING, SUMMER):
        await store["campaigns"].update_one({"_id": campaign_id}, {"$set": {"intent": "frozen"}})
    assert await claim(world, AMY, BOB) == []
    assert await status(world, AMY) == ContactStatus.PENDING
    await start(world, A, CAT)
    assert not await world.gate(A, task_of(world, A, CAT))
    await heard(world)
    assert await status(world, CAT) == ContactStatus.PENDING
    await ends(world, ANN, Outcome.NO_ANSWER)
    assert (await contact(world, ANN))["outcomes"] == {"no_answer": 1}
    assert called(world) == [ANN]
    for campaign_id in (SPRING, SUMMER):
        await store["campaigns"].update_one({"_id": campaign_id}, {"$set": {"intent": "running"}})
    await drain(world)


# What stands in the way of a call is looked at before the agent.


async def test_without_an_agent_nobody_ends_while_the_caller_number_is_on_a_call(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await call(world, ANN)
    await store["configurations"].update_one({"_id": SPRING}, {"$set": {"agent_id": None}})
    assert await claim(world, BOB) == []
    assert await status(world, BOB) == ContactStatus.PENDING, "its number is on Ann's call"
    await ends(world, ANN, Outcome.ANSWERED)
    assert await claim(world, BOB) == []
    assert (await contact(world, BOB))["ended_because"] == "no_agent", "nothing else stands in the way"
    await drain(world)
