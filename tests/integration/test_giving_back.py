"""Slots that a shard frees and does not need: back in the transaction that frees them, and who hears of it."""

import asyncio
from dataclasses import replace

import pytest

from services.scheduler import global_limit as global_limit_module
from services.scheduler.fleet import Fleet
from services.scheduler.global_limit import WAKE_ALL_SECONDS
from services.scheduler.grants import ASK_SECONDS, IN_VAIN_SECONDS, SETTLE_SECONDS, Grants
from shared.domain.outcome import Outcome
from shared.errors import Unavailable
from shared.store import shards
from shared.store.client import Store
from shared.store.shard_transaction import Ownership
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ANN, BOB, Plan, new_world
from tests.integration.protocol.test_traces import ACME_SHARD, A, job_for
from tests.integration.protocol.world import DIALING, World
from tests.integration.test_global_limit import LIMIT, clock, demand, move, open_limit, question, sums

__all__ = ["clock"]


async def a_call_has_ended(world: World, contact_id: str, *, told: int = 1) -> None:
    """Call, and let the carrier report its end so often."""
    await world.dial(A, await job_for(world, contact_id))
    [up] = world.carrier.live()
    world.carrier.end(up, Outcome.ANSWERED)
    await world.report(up, times=told)


async def grant_and_held(world: World) -> tuple[int, int]:
    state = (await shards.read_shards(world.store))[ACME_SHARD]
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


async def test_who_takes_and_who_gives_back_do_not_meet(store: Store) -> None:
    await open_limit(store)
    assert await shards.move_grants(store, [move(0, 4)])
    async with store.client.start_session() as session, await session.start_transaction():
        await store["shards"].update_one({"_id": 0}, {"$inc": {"grant": -4}}, session=session)
        assert await shards.move_grants(store, [move(1, LIMIT - 4)])
        assert not await shards.move_grants(store, [move(2, 1)]), "what is not committed is not free"
    await shards.move_grants(store, [move(0, -4)])
    assert await shards.move_grants(store, [move(2, 4)])
    assert await sums(store) == (LIMIT, 0)


async def test_what_a_shard_gives_back_wakes_those_who_wait_in_its_process(store: Store) -> None:
    limit = await open_limit(store)
    waiting = asyncio.Event()
    with limit.wakes(waiting, owed=True):
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
    assert (await limit.ask(question(1, room=3))).owed == 3
    owed, not_owed = asyncio.Event(), asyncio.Event()

    def woken_by(slots: int) -> tuple[bool, bool]:
        owed.clear()
        not_owed.clear()
        limit.gave_back(slots)
        return owed.is_set(), not_owed.is_set()

    with limit.wakes(owed, owed=True), limit.wakes(not_owed, owed=False):
        assert woken_by(1) == (True, True), "nobody has woken them all lately"
        assert woken_by(1) == (True, False)
        seconds[0] += WAKE_ALL_SECONDS
        assert woken_by(1) == (True, True), "what is known may be old"
        assert woken_by(1) == (True, True), "four are more than are owed"


async def test_who_is_owed_nothing_does_not_ask_for_what_others_are_owed(store: Store, clock: list[float]) -> None:
    limit = await open_limit(store)
    await shards.publish_wants(store, [question(0, room=10).demand])
    grants, wants = Grants(Ownership(1, 0), Fleet(), limit), demand("second", 9)
    await grants.adjust([wants], 0, 0)
    assert (grants.grant, grants.owed, limit.free, limit.owed) == (3, 0, 7, 7)
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


async def test_nothing_is_given_back_of_a_grant_that_nobody_knows(store: Store, clock: list[float]) -> None:
    limit = await open_limit(store)
    grants, wants = Grants(Ownership(1, 0), Fleet(), limit), [demand("first", 2)]
    assert grants.needed(wants, 0) is None, "nobody has asked yet"
    await grants.adjust(wants, 0, 0)
    assert (grants.needed(wants, 0), grants.needed(wants, 4), grants.needed([], 4)) == (2, 6, 4)
    grants.doubt()
    assert grants.needed(wants, 0) is None

    clock[0] += 2 * SETTLE_SECONDS
    await grants.adjust(wants, 0, 0)
    assert grants.needed(wants, 0) == 2
    clock[0] += 2 * SETTLE_SECONDS
    limit.hindrance = Unavailable("MongoDB", "gone")
    with pytest.raises(Unavailable):
        await grants.adjust([demand("first", 3)], 0, 0)
    assert grants.needed(wants, 0) is None
