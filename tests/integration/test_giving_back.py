"""Slots that a shard frees and does not need: back in the transaction that frees them, and who hears of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.scheduler.sharing import global_limit as global_limit_module
from services.scheduler.sharing.global_limit import WAKE_ALL_SECONDS
from services.scheduler.sharing.grants import ASK_SECONDS, IN_VAIN_SECONDS, SETTLE_SECONDS, Grants
from shared.domain.outcome import Outcome
from shared.errors import Unavailable
from shared.store.client import Store
from shared.store.dialing import shards
from shared.store.dialing.ledger import Ledger
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shards import GrantMove
from shared.telephony.scripts import ScriptedCall, always
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ANN, BOB, Plan, new_world
from tests.integration.protocol.test_traces import ACME_SHARD, BETA_SHARD, A, job_for
from tests.integration.protocol.world import DIALING, World
from tests.integration.test_global_limit import LIMIT, clock, demand, granted, move, open_limit, question, states_of

__all__ = ["clock"]


async def a_call_has_ended(world: World, contact_id: str, *, told: int = 1) -> None:
    """Call, and let the carrier report its end so often."""
    await world.dial(A, await job_for(world, contact_id))
    [up] = world.carrier.live()
    world.carrier.end(up, Outcome.ANSWERED)
    await world.report(up, times=told)


async def grant_and_held(world: World) -> tuple[int, int]:
    state = (await states_of(world.store))[ACME_SHARD]
    return state.grant, state.held


async def test_a_freed_slot_that_is_not_needed_leaves_with_the_call_once(store: Store) -> None:
    world = await new_world(store, Plan(global_limit=3, grants=(2, 1), organization_limit=3))
    await a_call_has_ended(world, ANN, told=2)
    assert await grant_and_held(world) == (2, 1)
    await world.work(ACME_SHARD, ACME_SHARD, claim=(), needed=0, reply_lost=True)
    assert await grant_and_held(world) == (1, 0), "what was free before stays: it was granted for somebody"
    await world.work(ACME_SHARD, ACME_SHARD, claim=(), needed=0)
    assert await grant_and_held(world) == (1, 0), "told again, it frees nothing"
    assert await shards.read_global(store) == (3, 1)
    await drain(world)


async def test_a_freed_slot_that_is_taken_again_or_needed_stays(store: Store) -> None:
    world = await new_world(store, Plan(global_limit=2, grants=(1, 1)))
    await a_call_has_ended(world, ANN)
    assert await world.work(ACME_SHARD, ACME_SHARD, claim=[BOB], needed=0)
    assert await grant_and_held(world) == (1, 1)
    await world.pass_time(DIALING.lock_seconds + 1)
    assert await world.expire(ACME_SHARD, ACME_SHARD) == 1
    await a_call_has_ended(world, BOB)
    await world.work(ACME_SHARD, ACME_SHARD, claim=(), needed=1)
    assert await grant_and_held(world) == (1, 0)
    await drain(world)


async def test_who_takes_does_not_meet_who_gives_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await new_world(store, Plan(global_limit=3, grants=(1, 1)))
    await a_call_has_ended(world, ANN)
    written, goes_on, write = asyncio.Event(), asyncio.Event(), Ledger.write

    async def waits_before_its_commit(ledger: Ledger, *args: Any) -> None:
        await write(ledger, *args)
        written.set()
        await goes_on.wait()

    monkeypatch.setattr(Ledger, "write", waits_before_its_commit)
    gives = asyncio.create_task(world.work(ACME_SHARD, ACME_SHARD, claim=(), needed=0))
    await written.wait()
    beta = world.schedulers[BETA_SHARD].owned[BETA_SHARD]
    assert await shards.move_grants(store, [GrantMove(beta, 1)])
    assert not await shards.move_grants(store, [GrantMove(beta, 1)]), "what is not committed is not free"
    goes_on.set()
    await gives
    assert await shards.move_grants(store, [GrantMove(beta, 1)])
    assert [state.grant for state in await states_of(store)][:2] == [0, 3]
    await drain(world)


async def test_the_last_calls_take_their_slots_with_them(
    store: Store, kafka_address: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has to be given back by itself: who claims as much as was granted frees it call by call."""
    given_back: list[GrantMove] = []
    move_grants = shards.move_grants

    async def noted(store: Store, moves: Sequence[GrantMove]) -> bool:
        given_back.extend(move for move in moves if move.delta < 0)
        return await move_grants(store, moves)

    monkeypatch.setattr(shards, "move_grants", noted)
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await add_contacts(store, organization, campaign, 5)
    script = always(ScriptedCall(talk_seconds=0.3))
    async with running_engine(store, kafka_address, topic_prefix, script=script) as engine:
        await engine.start_executor()
        await engine.start_scheduler(global_concurrency_limit=LIMIT)

        async def all_ended() -> bool:
            assert not engine.failures()
            return await store["contacts"].count_documents({"status": "completed"}) == 5

        await eventually(all_ended, timeout=30)
        assert await granted(store) == 0
    assert not given_back


async def test_what_a_shard_gives_back_wakes_those_who_wait_in_its_process(store: Store) -> None:
    limit = await open_limit(store)
    waiting = asyncio.Event()
    with limit.wakes(1, waiting):
        limit.gave_back(0)
        assert not waiting.is_set()
        limit.gave_back(2)
    assert (waiting.is_set(), limit.free) == (True, 2)


async def test_slots_that_are_owed_to_others_wake_those_alone_for_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [1000.0]
    monkeypatch.setattr(global_limit_module, "monotonic", lambda: seconds[0])
    limit = await open_limit(store)
    assert await shards.move_grants(store, [move(0, LIMIT)])
    await limit.ask(question(1, room=3))
    owed, not_owed = asyncio.Event(), asyncio.Event()

    def woken_by(slots: int) -> tuple[bool, bool]:
        owed.clear()
        not_owed.clear()
        limit.gave_back(slots)
        return owed.is_set(), not_owed.is_set()

    with limit.wakes(1, owed), limit.wakes(2, not_owed):
        assert woken_by(1) == (True, True), "nobody has woken them all lately"
        assert woken_by(1) == (True, False)
        seconds[0] += WAKE_ALL_SECONDS
        assert woken_by(1) == (True, True), "what is known may be old"
        assert woken_by(1) == (True, True), "four are more than are owed"


async def test_who_is_owed_nothing_does_not_ask_for_what_others_are_owed(store: Store, clock: list[float]) -> None:
    limit = await open_limit(store)
    await shards.publish_wants(store, [question(0, room=10).demand])
    grants, wants = Grants(Ownership(1, 0), limit), demand("second", 9)
    await grants.adjust([wants], 0, 0)
    assert (grants.grant, limit.free) == (3, 7)
    assert limit.is_for(0)
    assert not limit.is_for(1)
    wants = replace(wants, held=3)
    clock[0] += 2 * ASK_SECONDS
    await grants.adjust([wants], 3, 3)
    assert grants.waits

    clock[0] += IN_VAIN_SECONDS / 2
    limit.exchanges.clear()
    limit.changes += 1
    await grants.adjust([wants], 3, 3)
    assert not limit.exchanges
    limit.gave_back(1)
    await grants.adjust([wants], 3, 3)
    assert limit.exchanges == [1]


async def test_what_has_left_the_grant_is_soon_said_so_that_others_may_take_it(
    store: Store, clock: list[float]
) -> None:
    """Until it is said what is wanted here, and what rests, all others are entitled to the rest of the limit alone."""
    limit = await open_limit(store)
    assert await shards.move_grants(store, [move(0, 6)])
    grants = Grants(Ownership(0, 0), limit)
    await grants.adjust([], 6, 6)
    assert (await limit.ask(question(1, room=LIMIT))).grant == 4
    await store["shards"].update_one({"_id": 0}, {"$set": {"held": 4, "grant": 4}})
    assert (await limit.ask(question(1, room=LIMIT))).grant == 6, "no more than is held rests"

    grants.gave_back(2)
    clock[0] += 2 * ASK_SECONDS
    await grants.adjust([], 4, 4)
    said = await store["shards"].find_one({"_id": 0})
    assert said is not None
    assert said["resting"] == 4


async def test_nothing_is_given_back_of_a_grant_that_nobody_knows(store: Store, clock: list[float]) -> None:
    limit = await open_limit(store)
    grants, wants = Grants(Ownership(1, 0), limit), [demand("first", 2)]
    assert grants.needed(wants, 0) is None, "nobody has asked yet"
    await grants.adjust(wants, 0, 0)
    assert (grants.needed(wants, 0), grants.needed(wants, 4), grants.needed([], 4)) == (2, 6, 4)
    grants.doubt()
    assert grants.needed(wants, 0) is None

    clock[0] += 2 * ASK_SECONDS
    await grants.adjust(wants, 0, 0)
    assert grants.needed(wants, 0) == 2
    clock[0] += 2 * SETTLE_SECONDS
    limit.hindrance = Unavailable("MongoDB", "gone")
    with pytest.raises(Unavailable):
        await grants.adjust([demand("first", 3)], 0, 0)
    assert grants.needed(wants, 0) is None
