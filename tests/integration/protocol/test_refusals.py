"""What the carrier refuses for our sake rests, is asked about by one call, and counts for no limit of attempts.

One fixed order of events each, judged by the documents and by the carrier's own record.
"""

from datetime import timedelta

from shared.domain.contact import ContactStatus
from shared.domain.ids import organization_budget
from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject
from shared.store.client import Document, Store
from tests.integration.protocol import edits
from tests.integration.protocol.carrier import Fate
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import (
    ABE,
    ACME,
    AMY,
    ANN,
    BOB,
    CAT,
    DEFAULT_NUMBER,
    EXCLUSIVE,
    GUS,
    PHONES,
    SUMMER,
    Plan,
    new_world,
)
from tests.integration.protocol.test_traces import (
    ACME_SHARD,
    BETA_SHARD,
    UNTIL_GIVEN_UP,
    UNTIL_SETTLED,
    A,
    call,
    contact,
    is_missed,
    job_for,
    start,
    status,
    task_of,
)
from tests.integration.protocol.world import World

ROOMY = Plan(global_limit=5, grants=(4, 1), organization_limit=4)
RESTS = 31  # seconds: the first rest is over, and so is the time in which one call asks
DEFAULT_KEY, EXCLUSIVE_KEY = f"caller_number:{DEFAULT_NUMBER}", f"caller_number:{EXCLUSIVE}"


async def claim(world: World, *contact_ids: str) -> list[str]:
    """Claim in this order, and hand the jobs to an executor; who was claimed."""
    jobs = await world.work(ACME_SHARD, ACME_SHARD, claim=contact_ids)
    await world.publish(ACME_SHARD)
    await world.poll(A)
    return [job.contact_id for job in jobs]


async def dial(world: World, *contact_ids: str, fate: Fate = Fate.PLACED) -> None:
    """Dial those that are claimed, and have the scheduler hear of it."""
    for contact_id in contact_ids:
        await world.dial(A, task_of(world, A, contact_id), fate)
    await heard(world)


async def heard(world: World) -> None:
    await world.flush(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())


async def ends(world: World, contact_id: str, outcome: Outcome, refusal: Refusal | None = None) -> None:
    """The contact's call ends, and the scheduler hears of it."""
    [live] = [live for live in world.carrier.live() if live.request.contact_id == contact_id]
    world.carrier.end(live, outcome, refusal)
    await world.report(live)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())


async def rests(world: World) -> dict[str, Document]:
    """What rests in the organization of Acme, by key."""
    budget = await world.store["budgets"].find_one({"_id": organization_budget(ACME)})
    found: dict[str, Document] = (budget or {}).get("rests", {})
    return found


async def rest(world: World, key: str = "account") -> tuple[timedelta, int, bool]:
    """For how much longer it rests, after how many refusals in a row, and whether a call asks."""
    found = (await rests(world))[key]
    return found["until"] - world.now, found["refusals"], found["asking"]


def called(world: World) -> list[str]:
    """Whom the carrier was asked to call, and took."""
    return [placed.request.contact_id for placed in world.carrier.calls]


async def refused(world: World, *contact_ids: str, what: str = "account") -> None:
    """These are dialed while the carrier takes no such call."""
    world.carrier.refused.add(what)
    assert await claim(world, *contact_ids) == list(contact_ids)
    await dial(world, *contact_ids)
    assert world.carrier.calls == []


async def asking(world: World, contact_id: str) -> None:
    """The account was refused, its rest is over, and this contact's call asks again."""
    await refused(world, CAT)
    await world.pass_time(RESTS)
    assert await claim(world, contact_id) == [contact_id]
    assert (await contact(world, contact_id))["lock"]["probing"] == ["account"]


# What rests, and who asks.


async def test_refused_account_rests_and_one_call_asks_again(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await refused(world, CAT)
    assert await rest(world) == (timedelta(seconds=30), 1, False)
    waits = await contact(world, CAT)
    assert (waits["status"], waits["attempts_made"], waits["put_off"]["reason"]) == ("pending", 0, "account_refused")
    assert await store["attempts"].count_documents({}) == 0
    await world.pass_time(29)
    assert await claim(world, CAT, AMY, GUS, ANN) == []
    await world.pass_time(2)
    assert await claim(world, AMY, CAT, GUS, ANN) == [AMY], "one asks, and the others wait for the answer"
    assert await rest(world) == (timedelta(seconds=30), 1, True)
    await dial(world, AMY)
    assert await rest(world) == (timedelta(seconds=60), 2, False)
    assert await store["attempts"].count_documents({}) == 0
    world.carrier.refused.clear()
    await world.pass_time(59)
    assert await claim(world, AMY, CAT, GUS) == []
    await world.pass_time(2)
    assert await claim(world, CAT, GUS) == [CAT]
    await dial(world, CAT)
    assert called(world) == [CAT]
    assert await rests(world) == {}
    assert await claim(world, AMY, GUS, BOB) == [AMY, GUS, BOB]
    await drain(world)


async def test_an_account_rests_for_one_organization(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await refused(world, CAT)
    world.carrier.refused.clear()
    await call(world, ABE, shard=BETA_SHARD)
    assert called(world) == [ABE]
    await drain(world)


async def test_rests_grow_to_a_quarter_of_an_hour(store: Store) -> None:
    world = await new_world(store)
    await refused(world, CAT)
    for refusals, seconds in ((2, 60), (3, 120), (4, 300), (5, 900), (6, 900)):
        lasts, _, _ = await rest(world)
        await world.pass_time(lasts.total_seconds())
        assert await claim(world, CAT) == [CAT]
        await dial(world, CAT)
        assert await rest(world) == (timedelta(seconds=seconds), refusals, False)
    assert await store["attempts"].count_documents({}) == 0
    await drain(world)


async def test_refusals_of_one_burst_are_one(store: Store) -> None:
    world = await new_world(store, ROOMY)
    world.carrier.refused.add("account")
    assert await claim(world, CAT, AMY, GUS) == [CAT, AMY, GUS]
    await world.dial(A, task_of(world, A, CAT))
    await world.dial(A, task_of(world, A, AMY))
    gus = await start(world, A, GUS)
    assert await world.gate(A, gus)
    await heard(world)
    assert await rest(world) == (timedelta(seconds=30), 1, False)
    # Past the gate when the others were refused, and heard of a moment later.
    await world.place(A, gus)
    await world.pass_time(1)
    await heard(world)
    assert await rest(world) == (timedelta(seconds=29), 1, False)
    assert world.carrier.denied == {job.attempt_id for job in world.jobs.records}
    for contact_id in (CAT, AMY, GUS):
        assert await status(world, contact_id) == ContactStatus.PENDING
    budget = await store["budgets"].find_one({"_id": organization_budget(ACME)})
    assert budget is not None
    assert [refusal["key"] for refusal in budget["refusals"]] == ["account"]
    await drain(world)


async def test_lifted_rest_ends_with_probe_placed(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await asking(world, AMY)
    world.carrier.refused.clear()
    await world.dial(A, task_of(world, A, AMY))
    assert await claim(world, CAT, GUS) == [], "taken, and nobody has heard of it"
    await heard(world)
    assert await rests(world) == {}
    [live] = world.carrier.live()
    assert live.request.contact_id == AMY
    assert await claim(world, CAT, GUS) == [CAT, GUS]
    await drain(world)


async def test_lifted_rest_ends_with_an_ending_when_probe_event_is_lost(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await asking(world, AMY)
    world.carrier.refused.clear()
    await world.dial(A, task_of(world, A, AMY))
    await world.kill_executor(A)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await rest(world) == (timedelta(seconds=30), 1, True)
    await ends(world, AMY, Outcome.NO_ANSWER)
    assert await rests(world) == {}
    assert (await contact(world, AMY))["outcomes"] == {"no_answer": 1}
    await drain(world)


async def test_a_probe_that_never_reached_the_carrier_ends_no_rest(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await asking(world, AMY)
    await dial(world, AMY, fate=Fate.VANISHED)
    await world.pass_time(UNTIL_SETTLED)
    assert await is_missed(world) == 1
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert (await contact(world, AMY))["outcomes"] == {"interrupted": 1}
    assert "account" in await rests(world), "nobody has taken a call"
    assert await claim(world, CAT, GUS) == [CAT]
    await dial(world, CAT)
    assert await rest(world) == (timedelta(seconds=60), 2, False)
    await drain(world)


async def test_probe_released_for_another_reason_asks_again_later(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await asking(world, GUS)
    await edits.list_number(world, ACME, PHONES[6])
    await start(world, A, GUS)
    assert not await world.gate(A, task_of(world, A, GUS))
    await heard(world)
    assert await status(world, GUS) == ContactStatus.PENDING
    assert await rest(world) == (timedelta(seconds=30), 1, True)
    await world.pass_time(29)
    assert await claim(world, AMY, GUS) == []
    world.carrier.refused.clear()
    await world.pass_time(2)
    assert await claim(world, AMY, GUS) == [AMY]
    await dial(world, AMY)
    assert called(world) == [AMY]
    assert await rests(world) == {}
    await drain(world)


async def test_a_claim_older_than_the_rest_does_not_ask_beside_the_one_that_asks(store: Store) -> None:
    world = await new_world(store, ROOMY)
    world.carrier.refused.add("account")
    assert await claim(world, CAT, AMY) == [CAT, AMY]
    await dial(world, CAT)
    await world.pass_time(RESTS)
    # Its claim is over, and no sweep has been by.
    old = await start(world, A, AMY)
    assert not await world.gate(A, old)
    await heard(world)
    assert await claim(world, GUS) == [GUS]
    await dial(world, GUS)
    assert await rest(world) == (timedelta(seconds=60), 2, False)
    assert len(world.carrier.denied) == 2
    await drain(world)


async def test_a_probe_that_slept_does_not_ask_beside_the_next_one(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await asking(world, AMY)
    await world.pass_time(RESTS)
    assert await claim(world, GUS) == [GUS]
    asleep = await start(world, A, AMY)
    assert not await world.gate(A, asleep), "its time to ask is over, and another call asks"
    await dial(world, GUS)
    assert len(world.carrier.denied) == 2
    assert await rest(world) == (timedelta(seconds=60), 2, False)
    await drain(world)


async def test_country_rest_puts_off_only_its_contacts(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await edits.add_contact(world, ACME, SUMMER, PHONES[7])
    neighbour = world.contacts[-1]
    await refused(world, GUS, what="country:GB")
    until = (await rests(world))["country:GB"]["until"]
    assert await claim(world, neighbour, CAT) == [CAT], "the country alone rests"
    assert "probing" not in (await contact(world, CAT))["lock"]
    for contact_id in (GUS, neighbour):
        waits = await contact(world, contact_id)
        assert waits["put_off"] == {"until": until, "reason": "country_refused"}
        assert waits["due_at"] == until
    await dial(world, CAT)
    world.carrier.refused.clear()
    await world.pass_time(RESTS)
    assert await claim(world, GUS, neighbour) == [GUS]
    assert (await contact(world, GUS))["lock"]["probing"] == ["country:GB"]
    await dial(world, GUS)
    assert called(world) == [CAT, GUS]
    assert await rests(world) == {}
    await drain(world)


async def test_number_rest_spares_contacts_with_own_number(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await refused(world, CAT, what=DEFAULT_KEY)
    assert (await rests(world)).keys() == {DEFAULT_KEY}
    assert await claim(world, CAT, AMY, GUS, ANN) == [ANN], "called from a number of its own"
    await dial(world, ANN)
    assert called(world) == [ANN]
    await drain(world)


async def test_rest_of_an_own_number_puts_off_only_its_contacts(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await refused(world, ANN, what=EXCLUSIVE_KEY)
    until = (await rests(world))[EXCLUSIVE_KEY]["until"]
    assert await claim(world, BOB, CAT) == [CAT]
    for contact_id in (ANN, BOB):
        assert (await contact(world, contact_id))["put_off"] == {"until": until, "reason": "caller_number_refused"}
    await dial(world, CAT)
    assert called(world) == [CAT]
    await drain(world)


# Endings that speak of us.


async def test_a_call_that_failed_for_our_sake_counts_nothing_and_rests(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await call(world, CAT)
    await ends(world, CAT, Outcome.FAILED, Refusal(subject=RefusalSubject.CALLER_NUMBER, code=21210))
    assert await rest(world, DEFAULT_KEY) == (timedelta(seconds=30), 1, False)
    waits = await contact(world, CAT)
    assert (waits["status"], waits["attempts_made"], waits["uncounted"], waits["outcomes"]) == ("pending", 1, 1, {})
    assert waits["put_off"] == {"until": world.now + timedelta(seconds=30), "reason": "caller_number_refused"}
    for _ in range(2):
        await world.pass_time(RESTS)
        await call(world, CAT)
        await heard(world)
        await ends(world, CAT, Outcome.NO_ANSWER)
    assert await status(world, CAT) == ContactStatus.EXHAUSTED, "two calls that count, and three in all"
    assert called(world) == [CAT] * 3
    await drain(world)


async def test_a_lost_call_that_turns_out_to_have_failed_for_our_sake_counts_nothing(store: Store) -> None:
    world = await new_world(store, Plan(can_look_up=False))
    await world.dial(A, await job_for(world, CAT), Fate.LOST)
    [lost] = world.carrier.live()
    world.carrier.end(lost, Outcome.FAILED, Refusal(subject=RefusalSubject.ACCOUNT))
    await world.pass_time(UNTIL_GIVEN_UP)
    await world.reconcile(ACME_SHARD, ACME_SHARD)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    assert await status(world, CAT) == ContactStatus.ERROR
    await world.report(lost)
    await world.work(ACME_SHARD, ACME_SHARD, claim=())
    waits = await contact(world, CAT)
    assert (waits["status"], waits["uncounted"], waits["outcomes"]) == ("pending", 1, {})
    assert waits["due_at"] == world.now + timedelta(seconds=30)
    assert await rest(world) == (timedelta(seconds=30), 1, False)
    await drain(world)
