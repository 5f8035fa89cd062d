"""Orders and reports that name what does not belong together; each of these once did harm to somebody else."""

from shared.clock import utc_now
from shared.domain.call_limits import CallLimits
from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.events import CallAnswered, CallFinished, JobReleased
from shared.store.client import Document, Store
from shared.store.dialing import starts
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from shared.telephony.provider import CallMode
from tests.factories import new_id
from tests.integration.topic_fuzz.people import Case, People, owner_of, people

LIMITS = CallLimits(ring_seconds=10, max_call_seconds=40, around_seconds=10)


async def two(store: Store, *, other_shard: int = 3) -> tuple[People, People]:
    """Two organizations."""
    owner = await owner_of(store, 3)
    mine = await people(store, owner, locked=1, running=2, others=1)
    elsewhere = owner if other_shard == 3 else await owner_of(store, other_shard)
    return mine, await people(store, elsewhere, locked=1, running=2, others=1)


def ending(who: People, contact: Case, attempt: Case) -> CallFinished:
    return who.ending(Case(contact.contact_id, attempt.attempt_id), Outcome.BUSY)


def released(who: People, contact: Case, attempt: Case, nonce: str | None) -> JobReleased:
    ids = {"organization_id": who.id, "shard": who.shard, "contact_id": contact.contact_id}
    return JobReleased.model_validate({**ids, "attempt_id": attempt.attempt_id, "nonce": nonce, "reason": "test"})


def answered(who: People, contact: Case, attempt: Case) -> CallAnswered:
    ids = {"organization_id": who.id, "shard": who.shard, "contact_id": contact.contact_id}
    return CallAnswered.model_validate({**ids, "attempt_id": attempt.attempt_id, "answered_at": utc_now()})


async def contact(store: Store, case: Case) -> Document:
    return await store["contacts"].find_one({"_id": case.contact_id}) or {}


async def work(who: People, *ended: CallFinished, released: tuple[JobReleased, ...] = ()) -> list[str]:
    """What this shard's scheduler makes of it; the attempts recorded."""
    return list((await do_shard_work(who.store, who.owner, ShardWork(ended, released), utc_now())).recorded.new)


async def test_an_ending_told_of_another_organization_does_not_stand_in_the_way_of_the_true_one(store: Store) -> None:
    """It was recorded as this attempt's, and the call's own ending came too late: its slot was never freed."""
    mine, other = await two(store)
    running = other.running[0]
    for foreign in (
        ending(mine, running, running),
        ending(mine, mine.running[0], running),
        ending(mine, mine.done[0], running),
    ):
        before = await other.documents()
        assert await work(mine, foreign) == []
        await other.is_as(before)
    # Also when both come at once, and the foreign one first.
    assert await work(mine, ending(mine, running, running), other.ending(running)) == [running.attempt_id]
    assert (await contact(store, running))["status"] == ContactStatus.COMPLETED


async def test_an_ending_of_a_contact_of_another_shard_is_not_recorded(store: Store) -> None:
    mine, other = await two(store, other_shard=11)
    before = await other.documents()
    here = {"organization_id": other.id, "shard": mine.shard}
    for case in (other.running[0], other.locked[0], other.doubtful[0], Case(other.done[0].contact_id, new_id())):
        assert await work(mine, other.ending(case).model_copy(update=here)) == []
        assert await work(mine, mine.ending(Case(new_id(), other.running[0].attempt_id))) == []
    await other.is_as(before)


async def test_an_ending_of_the_attempt_of_another_contact_is_not_recorded(store: Store) -> None:
    mine, _ = await two(store)
    first, second = mine.running
    assert await work(mine, ending(mine, first, second), ending(mine, mine.done[0], second)) == []
    assert await work(mine, mine.ending(second)) == [second.attempt_id]
    assert (await contact(store, first))["status"] == ContactStatus.IN_PROGRESS


async def test_two_reports_of_one_unknown_attempt_are_one_attempt(store: Store) -> None:
    mine, _ = await two(store)
    unknown = Case(new_id(), new_id())
    assert await work(mine, mine.ending(unknown), mine.ending(Case(new_id(), unknown.attempt_id))) == [
        unknown.attempt_id
    ]


async def test_an_outcome_is_made_better_only_by_its_own_organization(store: Store) -> None:
    mine, other = await two(store)
    before = await other.documents()
    await work(mine, ending(mine, other.doubtful[0], other.doubtful[0]))
    await work(mine, ending(mine, mine.done[0], other.doubtful[0]))
    await other.is_as(before)
    await work(other, other.ending(other.doubtful[0]))
    assert (await contact(store, other.doubtful[0]))["status"] == ContactStatus.COMPLETED


async def test_nobody_gives_back_another_organizations_job(store: Store) -> None:
    """The contact was called once more while its call was up."""
    mine, other = await two(store)
    before = await other.documents()
    for case in (other.running[0], other.locked[0]):
        await work(mine, released=(released(mine, case, case, case.nonce),))
    await other.is_as(before)
    await work(other, released=(released(other, other.locked[0], other.locked[0], None),))
    assert (await contact(store, other.locked[0]))["status"] == ContactStatus.PENDING


async def test_an_answer_counts_for_its_own_call_alone(store: Store) -> None:
    """One of an old attempt, told at the same time, stood for the running one's."""
    mine, other = await two(store)
    first, second = mine.running
    true = answered(mine, first, first)
    wrong = [
        answered(mine, first, mine.done[0]),
        answered(mine, first, second),
        answered(mine, second, first),
        answered(mine, other.running[0], other.running[0]),
        answered(other, second, second),
    ]
    before = await other.documents()
    await starts.note_answers(store, mine.shard, [*wrong, true])
    await starts.note_answers(store, mine.shard + 1, [answered(mine, second, second)])
    assert (await contact(store, first))["start"]["answered_at"].timestamp() == int(
        true.answered_at.timestamp() * 1000
    ) / 1000
    assert "answered_at" not in (await contact(store, second))["start"]
    await other.is_as(before)


async def test_a_job_starts_nobody_of_another_organization_or_claim(store: Store) -> None:
    mine, other = await two(store)
    before = await other.documents()
    [locked] = other.locked
    true = other.job(locked)
    wrong = [true.model_copy(update={"organization_id": mine.id}), true.model_copy(update={"claim_id": new_id()})]
    for job in wrong:
        await starts.start(store, starts.StartOrder([job], new_id(), "executor", CallMode.CALLBACK, LIMITS))
    await other.is_as(before)
    await starts.start(store, starts.StartOrder([true], new_id(), "executor", CallMode.CALLBACK, LIMITS))
    assert (await contact(store, locked))["status"] == ContactStatus.IN_PROGRESS
