"""Completion beside all else that happens: one fixed order of events each, named as in the model that broke them (S2).

`beside` lets something happen, whole, after the completion's transaction has read what is left and before it writes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta

import pytest
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.campaign import CampaignMove, CampaignState
from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.store.client import Document, Store
from shared.store.contacts import upsert
from shared.store.contacts.counting_in import count_in, register_source
from shared.store.contacts.matching import ContactsOf
from shared.store.dialing import completion
from shared.store.dialing.completion import Remaining, complete_campaign
from shared.store.dialing.ledger import Ledger
from tests.integration.protocol import edits, ends
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ACME, ANN, BOB, PHONES, SPRING, new_world
from tests.integration.protocol.test_refusals import ends as call_ends
from tests.integration.protocol.test_resets import ended_as, exhausted
from tests.integration.protocol.test_runs import CLOCKS_APART, ROOMY, claimed, scheduled_world, spring
from tests.integration.protocol.test_traces import ACME_SHARD, BETA_SHARD, call, contact, status
from tests.integration.protocol.world import World

NEW_PHONE = PHONES[5]


async def finished_world(store: Store) -> World:
    """A world in which the campaign of Ann and Bob completes by itself, and both have been answered."""
    world = await new_world(store, ROOMY)
    assert await ends.auto_complete(world, SPRING, on=True)
    await finish(world)
    return world


async def finish(world: World) -> None:
    for contact_id in (ANN, BOB):
        await call(world, contact_id)
        await call_ends(world, contact_id, Outcome.ANSWERED)


async def complete(world: World) -> set[str]:
    return await ends.complete(world, ACME_SHARD, ACME_SHARD)


async def state(world: World) -> CampaignState:
    return (await spring(world)).shown(world.now).state


async def added(world: World, source: str = "api-0") -> str:
    [contact_id] = await edits.add_contact(world, ACME, SPRING, NEW_PHONE, source)
    return contact_id


async def called_and_completed(world: World, contact_id: str) -> None:
    """The contact is called in the run that goes on, and only then the campaign is completed."""
    assert await state(world) is CampaignState.RUNNING
    assert await complete(world) == set()
    await call(world, contact_id)
    assert await complete(world) == set(), "a call is up"
    await call_ends(world, contact_id, Outcome.ANSWERED)
    assert await complete(world) == {SPRING}
    assert await state(world) is CampaignState.COMPLETED
    await drain(world)


def beside(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Awaitable[object]]) -> list[int]:
    """Have it happen during the next completion of the campaign; one entry for each run of that transaction."""
    reads: list[int] = []
    read = completion.read_remaining

    async def reading(
        store: Store, shard: int, campaign_ids: Collection[str], session: AsyncClientSession | None = None
    ) -> dict[str, Remaining]:
        remaining = await read(store, shard, campaign_ids, session)
        if SPRING in campaign_ids:
            reads.append(len(reads))
            if len(reads) == 1:
                await happens()
        return remaining

    monkeypatch.setattr(completion, "read_remaining", reading)
    return reads


async def test_a_campaign_is_completed_with_its_last_contact_and_not_before(store: Store) -> None:
    world = await new_world(store, ROOMY)
    assert await ends.auto_complete(world, SPRING, on=True)
    await call(world, ANN)
    await call_ends(world, ANN, Outcome.NO_ANSWER)
    assert await complete(world) == set(), "it waits for its retry"
    await world.pass_time(6)
    await finish(world)
    before = await spring(world)
    assert await complete(world) == {SPRING}
    after = await spring(world)
    assert after.shown(world.now).state is CampaignState.COMPLETED
    assert (after.started_at, after.completed_at) == (before.started_at or world.now, world.now)
    await world.pass_time(2)
    assert await complete(world) == set()
    assert await spring(world) == after, "once"
    await drain(world)


async def test_completion_beside_upsert(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contact that is stored while the completion runs is called in the run that goes on."""
    world = await finished_world(store)
    reads = beside(monkeypatch, lambda: added(world))
    assert await complete(world) == set()
    assert len(reads) == 2, "the completion collided, and looked again"
    await called_and_completed(world, world.contacts[-1])


async def test_completion_beside_upsert_that_comes_second(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contact whose upload looks again, because the completion was first, waits in a completed campaign."""
    world = await finished_world(store)
    counted: list[int] = []

    async def counting(*args: object, **kwargs: object) -> None:
        counted.append(len(counted))
        if len(counted) == 1:
            assert await complete_campaign(store, world.schedulers[ACME_SHARD].owned[ACME_SHARD], SPRING, world.now)
            world.rules.active[SPRING].set(world.steps, False)
        await count_in(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(upsert, "count_in", counting)
    late = await added(world)
    assert len(counted) == 2
    assert await state(world) is CampaignState.COMPLETED
    assert await claimed(world, late) == set()
    assert await status(world, late) == ContactStatus.PENDING
    assert await complete(world) == set()
    await edits.move(world, SPRING, CampaignMove.START)
    await called_and_completed(world, late)


@pytest.mark.parametrize("is_registered", [False, True])
async def test_completion_beside_a_new_source(
    store: Store, monkeypatch: pytest.MonkeyPatch, is_registered: bool
) -> None:
    """A process that has never added to the campaign does so while the completion runs, which knows nothing of it."""
    world = await finished_world(store)
    if is_registered:
        await register_source(store, ContactsOf(ACME, ACME_SHARD, SPRING), "ingest-3")
    reads = beside(monkeypatch, lambda: added(world, "ingest-3"))
    assert await complete(world) == set()
    assert len(reads) == 2
    await called_and_completed(world, world.contacts[-1])


async def test_completion_beside_a_wish(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contact that is asked to be called again while the completion runs is called in the run that goes on."""
    world = await new_world(store, ROOMY)
    assert await ends.auto_complete(world, SPRING, on=True)
    await exhausted(world, ANN)
    await call(world, BOB)
    await call_ends(world, BOB, Outcome.ANSWERED)
    reads = beside(monkeypatch, lambda: edits.reset(world, ANN))
    assert await complete(world) == set()
    assert len(reads) == 2
    assert await complete(world) == set(), "the wish is not carried out yet"
    await world.carry_out(ACME_SHARD, ACME_SHARD)
    await called_and_completed(world, ANN)


async def test_completion_beside_an_import(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that is accepted while the completion runs keeps the campaign going until its last contact's end."""
    world = await finished_world(store)
    imports = store["campaigns"]
    reads = beside(monkeypatch, lambda: imports.update_one({"_id": SPRING}, {"$inc": {"imports": 1}}))
    assert await complete(world) == set()
    assert len(reads) == 2
    assert await state(world) is CampaignState.SYNCING
    assert await complete(world) == set(), "the import has stored nothing yet"
    imported = await added(world, "ingest-0")
    await imports.update_one({"_id": SPRING}, {"$inc": {"imports": -1}})
    await called_and_completed(world, imported)


async def test_contacts_that_are_in_are_called_while_their_import_is_still_under_way(store: Store) -> None:
    world = await finished_world(store)
    imports = store["campaigns"]
    await imports.update_one({"_id": SPRING}, {"$inc": {"imports": 1}})
    first = await added(world, "ingest-0")
    assert await state(world) is CampaignState.SYNCING
    await call(world, first)
    await call_ends(world, first, Outcome.ANSWERED)
    assert await ended_as(world, first) == ("completed", "answered")
    assert await state(world) is CampaignState.SYNCING
    assert await complete(world) == set(), "the import may store more"
    await imports.update_one({"_id": SPRING}, {"$inc": {"imports": -1}})
    assert await complete(world) == {SPRING}
    await drain(world)


@pytest.mark.parametrize("move", [CampaignMove.PAUSE, CampaignMove.START, CampaignMove.CANCEL])
async def test_completion_beside_a_move(store: Store, monkeypatch: pytest.MonkeyPatch, move: CampaignMove) -> None:
    """Of the two one is first: a pause or a close is obeyed, and a new run is completed as the one before."""
    world = await finished_world(store)
    reads = beside(monkeypatch, lambda: edits.move(world, SPRING, move))
    completes = move is CampaignMove.START
    assert await complete(world) == ({SPRING} if completes else set())
    assert len(reads) == 2
    after = await spring(world)
    assert after.course.generation == (2 if completes else 1)
    assert (after.completed_at is not None) == completes
    await drain(world)


async def test_two_schedulers_complete_a_run_once(store: Store) -> None:
    world = await finished_world(store)
    await world.take_over(BETA_SHARD, ACME_SHARD)
    both = (ends.complete(world, seat, ACME_SHARD) for seat in (ACME_SHARD, BETA_SHARD))
    assert sorted(map(len, await asyncio.gather(*both))) == [0, 1]
    after = await spring(world)
    assert after.completed_at == world.now
    assert not world.owns(ACME_SHARD, ACME_SHARD) or await complete(world) == set()
    assert await spring(world) == after
    await drain(world)


async def test_an_old_owner_completes_nothing(store: Store) -> None:
    world = await finished_world(store)
    await world.take_over(BETA_SHARD, ACME_SHARD)
    assert await complete(world) == set()
    assert not world.owns(ACME_SHARD, ACME_SHARD)
    assert await state(world) is CampaignState.RUNNING
    assert await ends.complete(world, BETA_SHARD, ACME_SHARD) == {SPRING}
    await drain(world)


async def test_a_completion_that_was_cut_off_has_written_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheduler is killed after all its writes and before the commit; another one does it, once."""
    world = await finished_world(store)
    before = await documents(store)

    async def killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "write", killed)
        with pytest.raises(SystemExit):
            await complete(world)
    assert await documents(store) == before
    await world.kill_scheduler(ACME_SHARD)
    await world.take_over(ACME_SHARD, ACME_SHARD)
    assert await complete(world) == {SPRING}
    await drain(world)


async def documents(store: Store) -> list[Document]:
    counted = await store["counters_in"].find({"campaign_id": SPRING}).to_list()
    return [*counted, *await store["campaigns"].find({"_id": SPRING}).to_list()]


async def test_with_a_clock_that_is_off_a_run_starts_once_and_completes_once(store: Store) -> None:
    """A scheduler five seconds ahead opens, calls and completes; one with the right clock finds all of it done."""
    world = await scheduled_world(store, 2)
    assert await ends.auto_complete(world, SPRING, on=True)
    assert await claimed(world, ANN, BOB, ahead=CLOCKS_APART) == {ANN}, "both are called from one exclusive number"
    world.rules.active[SPRING].set(world.steps, True)
    opened = await spring(world)
    # By the clock of the API the campaign's time has not come, and yet this contact came while it was running.
    late = await added(world)
    await world.pass_time(41)
    await world.expire(ACME_SHARD, ACME_SHARD)
    await finish(world)
    fast, owner = world.now + timedelta(seconds=CLOCKS_APART), world.schedulers[ACME_SHARD].owned[ACME_SHARD]
    assert not await complete_campaign(store, owner, SPRING, fast), "somebody is left"
    await call(world, late)
    await call_ends(world, late, Outcome.ANSWERED)
    assert await complete_campaign(store, owner, SPRING, fast)
    world.rules.active[SPRING].set(world.steps, False)
    completed = await spring(world)
    assert (completed.started_at, completed.completed_at) == (opened.started_at, fast)
    assert await complete(world) == set()
    assert await spring(world) == completed
    await drain(world)


async def test_a_scheduled_campaign_with_nobody_left_is_completed_when_its_time_has_come(store: Store) -> None:
    world = await scheduled_world(store, 31)
    assert await ends.auto_complete(world, SPRING, on=True)
    for contact_id in (ANN, BOB):
        await edits.delete(world, contact_id)
    await world.sweep(ACME_SHARD, ACME_SHARD)
    assert await complete(world) == set()
    await world.pass_time(31)
    assert await complete(world) == {SPRING}
    after = await spring(world)
    assert (after.started_at, after.completed_at) == (world.now, world.now)
    await drain(world)


@pytest.mark.parametrize(("reason", "completes"), [("max_calls", True), ("circuit_breaker", False)])
async def test_a_halted_run_is_completed_only_where_all_its_calls_are_made(
    store: Store, reason: str, completes: bool
) -> None:
    world = await finished_world(store)
    run = {"generation": 1, "state": "halted", "reason": reason, "at": world.now}
    await store["campaigns"].update_one({"_id": SPRING}, {"$set": {"run": run}})
    world.rules.active[SPRING].set(world.steps, False)
    assert await complete(world) == ({SPRING} if completes else set())
    assert await state(world) is (CampaignState.COMPLETED if completes else CampaignState.PAUSED)
    await drain(world)


async def test_a_paused_campaign_is_completed_once_it_is_resumed(store: Store) -> None:
    world = await finished_world(store)
    await edits.move(world, SPRING, CampaignMove.PAUSE)
    assert await complete(world) == set()
    await edits.move(world, SPRING, CampaignMove.START)
    assert await complete(world) == {SPRING}
    await drain(world)


async def test_a_completed_campaign_takes_contacts_that_wait_until_it_is_started_again(store: Store) -> None:
    world = await finished_world(store)
    assert await complete(world) == {SPRING}
    before = await spring(world)
    late = await added(world)
    assert await claimed(world, late) == set()
    assert await ended_as(world, late) == ("pending", None)
    await edits.move(world, SPRING, CampaignMove.START)
    again = await spring(world)
    assert (again.course.generation, again.completed_at) == (2, None)
    assert again.last_completed_at == before.completed_at is not None
    assert (await contact(world, late))["attempts_made"] == 0
    await called_and_completed(world, late)


async def test_without_auto_complete_a_campaign_goes_on(store: Store) -> None:
    world = await new_world(store, ROOMY)
    await finish(world)
    assert await complete(world) == set()
    assert await state(world) is CampaignState.RUNNING
    await drain(world)
