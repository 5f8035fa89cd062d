"""What a scheduler's safety net finds in its shards, and what it leaves to others."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.clock import utc_now
from shared.store.client import Document, Store
from shared.store.dialing import executors, safety_look
from shared.store.dialing.deletions import note_deletion
from shared.store.dialing.executors import Heartbeat
from shared.store.dialing.expiries import note_expiries
from shared.store.dialing.facts import note_relayed
from shared.store.dialing.safety_look import Work
from shared.store.dialing.shard_catalog import server_now
from shared.store.dialing.shards import ensure_shards, set_global_limit
from tests.factories import add_campaign, add_contacts, add_organization, new_id

MINE, OTHER = [3, 5], 4
AGO = timedelta(minutes=1)
NOW = utc_now()


async def expired(store: Store, shard: int) -> None:
    lock = {"claim": new_id(), "attempt": new_id(), "phone": "+14155550100", "expires_at": NOW - AGO}
    organization = await add_organization(store, shard=shard)
    await add_contacts(store, organization, await add_campaign(store, organization), 3, status="locked", lock=lock)


async def in_the_second_sink(store: Store, shard: int) -> None:
    await store["results"].insert_many([{"shard": shard} for _ in range(3)])


async def to_be_deleted(store: Store, shard: int) -> None:
    async with store.client.start_session() as session:
        await note_deletion(store, session, {"_id": new_id(), "shard": shard, "campaign_id": new_id()})


async def over(store: Store, shard: int) -> None:
    await note_expiries(store, shard, {new_id(): NOW - AGO})


async def asked(store: Store, shard: int) -> None:
    await store["asks"].insert_one({"shard": shard, "campaign_id": new_id()})


async def told_by_others(store: Store, shard: int) -> None:
    await store["facts_in"].insert_one({"shard": shard, "at": NOW})


async def not_relayed(store: Store, shard: int) -> None:
    await store["shards"].update_one({"_id": shard}, {"$set": {"facts": 7}})
    await note_relayed(store, shard, 6)


WAITING: list[tuple[Work, Callable[[Store, int], Awaitable[None]]]] = [
    (Work.EXPIRED, expired),
    (Work.RESULTS, in_the_second_sink),
    (Work.DELETIONS, to_be_deleted),
    (Work.EXPIRIES, over),
    (Work.ASKS, asked),
    (Work.FACTS, told_by_others),
    (Work.UNTOLD, not_relayed),
]


async def found(store: Store, now: datetime = NOW) -> dict[Work, set[int]]:
    """The work that is found in our shards."""
    looked = await safety_look.look(store, MINE, now, now)
    return {work: set(shards) for work, shards in looked.work.items() if shards}


@pytest.mark.parametrize(("work", "add"), WAITING)
async def test_each_kind_of_work_is_found_in_its_shard_and_none_of_other_owners(
    store: Store, work: Work, add: Callable[[Store, int], Awaitable[None]]
) -> None:
    await ensure_shards(store)
    await add(store, OTHER)
    assert await found(store) == {}
    await add(store, MINE[0])
    assert await found(store) == {work: {MINE[0]}}


async def test_everything_at_once(store: Store) -> None:
    await ensure_shards(store)
    for _, add in WAITING:
        for shard in MINE:
            await add(store, shard)
    assert await found(store) == {work: set(MINE) for work in Work}


async def test_what_is_not_due_yet_and_what_is_relayed_is_no_work(store: Store) -> None:
    await ensure_shards(store)
    await expired(store, MINE[0])
    await over(store, MINE[0])
    await not_relayed(store, MINE[0])
    await note_relayed(store, MINE[0], 7)
    assert await found(store, NOW - 2 * AGO) == {}


async def test_stamps_are_found_from_shortly_before_the_last_look(store: Store) -> None:
    now = await server_now(store)
    recent, old = now - timedelta(seconds=4), now - timedelta(seconds=6)
    seen = [await add_organization(store, shard=shard, changed_at=recent) for shard in (*MINE, OTHER)]
    await add_organization(store, shard=MINE[0], changed_at=old)
    given: list[Document] = [{"campaign_id": f"{shard}", "shard": shard, "changed_at": recent} for shard in MINE]
    await store["counters_in"].insert_many([*given, {"campaign_id": "old", "shard": MINE[0], "changed_at": old}])
    looked = await safety_look.look(store, MINE, now, now)
    assert looked.organizations == {seen[0]["_id"]: 3, seen[1]["_id"]: 5}
    assert looked.campaigns == {"3": 3, "5": 5}


async def test_the_global_limit_is_told_as_it_is_stored(store: Store) -> None:
    assert (await safety_look.look(store, MINE, NOW, NOW)).global_limit is None
    await ensure_shards(store)
    await set_global_limit(store, 17)
    assert (await safety_look.look(store, MINE, NOW, NOW)).global_limit == 17


async def test_the_servers_time_is_told_with_the_limit(store: Store) -> None:
    assert (await safety_look.look(store, MINE, NOW, NOW)).asked_at is None
    await ensure_shards(store)
    await set_global_limit(store, 17)
    before = await server_now(store)
    asked_at = (await safety_look.look(store, MINE, NOW, NOW)).asked_at
    assert asked_at is not None
    assert before <= asked_at <= await server_now(store)


async def test_the_latest_heartbeat_of_every_executor_of_the_last_day_is_told(store: Store) -> None:
    assert (await safety_look.look(store, MINE, NOW, NOW)).heartbeats == []
    first, second = Heartbeat("executor-0", 7, 100, 12.5, draining=False), Heartbeat("executor-1", 1, 5, 1.0, True)
    for heartbeat in (first, replace(first, sequence=8), second, replace(second, executor="executor-2")):
        await executors.beat(store, heartbeat)
    long_ago = await server_now(store) - timedelta(seconds=executors.FORGET_SECONDS + 1)
    await store["executors"].update_one({"_id": "executor-2"}, {"$set": {"seen_at": long_ago}})
    told = (await safety_look.look(store, MINE, NOW, NOW)).heartbeats
    assert sorted(told, key=lambda each: each.executor) == [replace(first, sequence=8), second]
    assert await executors.read_heartbeats(store) == told
