"""What a transaction does when others are in its way, and what an attempt's times look like."""

import asyncio
from datetime import UTC, datetime

import pytest
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConfigurationError

from shared.errors import Unavailable
from shared.store import client
from shared.store.client import Store
from shared.store.dialing.finish import in_order


async def test_a_transaction_in_whose_way_another_one_stays_is_given_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TRANSACTION_SECONDS", 0.5)
    await store["shards"].insert_one({"_id": 1, "held": 0})

    async def hold_one(session: AsyncClientSession) -> None:
        await store["shards"].update_one({"_id": 1}, {"$inc": {"held": 1}}, session=session)

    async with store.client.start_session() as session, await session.start_transaction():
        await hold_one(session)
        with pytest.raises(Unavailable, match="did not get through"):
            await store.in_transaction(hold_one)
        await session.commit_transaction()
    await store.in_transaction(hold_one)
    assert await store["shards"].find_one({}) == {"_id": 1, "held": 2}


async def test_transactions_in_turn_do_not_make_each_other_start_again(store: Store) -> None:
    await store["shards"].insert_one({"_id": 1, "held": 0})
    runs = 0

    async def hold_one(session: AsyncClientSession) -> None:
        nonlocal runs
        runs += 1
        await store["shards"].update_one({"_id": 1}, {"$inc": {"held": 1}}, session=session)

    await asyncio.gather(*(store.in_transaction(hold_one, in_turn="one") for _ in range(12)))
    assert runs == 12
    assert await store["shards"].find_one({}) == {"_id": 1, "held": 12}


async def test_a_turn_is_waited_for_as_long_as_a_transaction_may_take_and_keeps_no_other_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, leave = asyncio.Event(), asyncio.Event()

    async def stay(session: AsyncClientSession) -> None:
        begun.set()
        await leave.wait()

    async def nothing(session: AsyncClientSession) -> None:
        await store["shards"].find_one({}, session=session)

    staying = asyncio.create_task(store.in_transaction(stay, in_turn="one"))
    await begun.wait()
    await store.in_transaction(nothing, in_turn="another")
    monkeypatch.setattr(client, "TRANSACTION_SECONDS", 0.2)
    with pytest.raises(Unavailable, match="did not get through"):
        await store.in_transaction(nothing, in_turn="one")
    leave.set()
    await staying
    await store.in_transaction(nothing, in_turn="one")


async def test_a_session_that_finds_no_server_yet_is_to_be_tried_again() -> None:
    with pytest.raises(Unavailable):
        async with client.translated():
            raise ConfigurationError("Sessions are not supported by this MongoDB deployment")


def test_no_time_of_an_attempt_lies_before_an_earlier_one() -> None:
    started = datetime(2026, 6, 1, 12, 0, 3, 223_000, tzinfo=UTC)
    whole = datetime(2026, 6, 1, 12, 0, 3, tzinfo=UTC)
    later = datetime(2026, 6, 1, 12, 0, 9, tzinfo=UTC)
    ending = {"started_at": started, "answered_at": None, "ended_at": whole, "outcome": "invalid_number"}
    assert in_order(ending) == {**ending, "ended_at": started}
    assert in_order({**ending, "answered_at": whole, "ended_at": later})["answered_at"] == started
    unknown = {"started_at": None, "answered_at": None, "ended_at": whole}
    assert in_order(unknown) == unknown
