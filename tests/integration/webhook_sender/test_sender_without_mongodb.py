"""The sender while MongoDB is away, or goes back on its word: nothing is lost, and nothing stays in hand."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from services.webhook_sender.sender import TAKEN
from shared.domain.webhooks import DeliveryState
from shared.engine.engine import Engine
from shared.errors import Unavailable
from shared.store.client import Store
from shared.store.reports import deliveries as stored
from shared.store.reports.deliveries import Delivery, add_deliveries
from tests.eventually import eventually
from tests.integration.webhook_sender.conftest import Clock, subscribed
from tests.integration.webhook_sender.sending import (
    ACCEPTED,
    URL,
    always,
    fact,
    one_round,
    seen,
    sender_of,
    told,
)


async def test_answers_are_written_once_mongodb_is_back(
    engine: Engine, store: Store, organization_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await subscribed(engine, organization_id, URL)
    [delivery] = await told(store, clock, fact(organization_id, 1, clock))
    away = [True, True]
    write = stored.mark

    async def sometimes(*arguments: Any) -> None:
        if away:
            away.pop()
            raise Unavailable("MongoDB")
        await write(*arguments)

    monkeypatch.setattr("services.webhook_sender.sender.mark", sometimes)
    monkeypatch.setattr("services.webhook_sender.sender.AWAY_SECONDS", 0.01)
    post = always(ACCEPTED)
    sender = sender_of(engine, post, clock)
    running = asyncio.create_task(sender.run())

    async def delivered() -> bool:
        return (await seen(store, delivery)).state is DeliveryState.DELIVERED

    await eventually(delivered, saying="the mark")
    sender.end()
    await running
    assert len(post.got[URL]) == 1


async def test_what_was_taken_while_mongodb_goes_away_is_in_hand_no_more(
    engine: Engine, store: Store, organization_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a webhook deleted meanwhile: each time it was forgotten in vain, there was less room, and in the end none."""
    deleted = (await subscribed(engine, organization_id, URL + "/deleted")).webhook.id
    await told(store, clock, *(fact(organization_id, n, clock) for n in range(1, 4)))
    await store["webhooks"].delete_one({"_id": deleted})
    # Has waited less long: the room that there is goes to the other one first.
    clock.move(1)
    kept = (await subscribed(engine, organization_id, URL)).webhook.id
    await told(store, clock, *(fact(organization_id, n, clock) for n in range(4, 7)))

    async def away(*_: Any) -> None:
        raise Unavailable("MongoDB")

    post = always(ACCEPTED)
    sender = sender_of(engine, post, clock, connections=3)
    with monkeypatch.context() as patched:
        patched.setattr("services.webhook_sender.sender.drop_waiting", away)
        with pytest.raises(Unavailable):
            await sender.look()
    await sender.settled()
    clock.move(TAKEN.total_seconds())
    while await one_round(sender):
        pass
    assert len(post.got[URL]) == 3
    assert await store["deliveries"].count_documents({"webhook_id": kept, "state": "delivered"}) == 3
    assert await store["deliveries"].count_documents({"webhook_id": deleted}) == 0


async def test_a_sender_that_a_bug_keeps_from_writing_answers_ends(
    engine: Engine, store: Store, organization_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process ends with it and is started again; before, it went on with full hands and sent nothing."""
    await subscribed(engine, organization_id, URL)
    await told(store, clock, fact(organization_id, 1, clock))

    async def broken(*_: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("services.webhook_sender.sender.mark", broken)
    with pytest.raises(KeyError):
        await asyncio.wait_for(sender_of(engine, always(ACCEPTED), clock).run(), 20)


@pytest.mark.parametrize("code", [None, 189], ids=["unconfirmed", "stepped down"])
async def test_deliveries_that_no_majority_has_are_not_taken_for_stored(
    engine: Engine,
    store: Store,
    organization_id: str,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    code: int | None,
) -> None:
    """Facts that come again are there in part; the rest was taken for stored, or ended the reader for good."""
    await subscribed(engine, organization_id, URL)
    wrong = [{"code": 11000}] if code is None else [{"code": 11000}, {"code": code}]
    details = {"nInserted": 1, "writeErrors": wrong, "writeConcernErrors": [{"code": 64}] if code is None else []}

    async def in_part(*_: Any, **__: Any) -> None:
        raise BulkWriteError(details)

    monkeypatch.setattr(AsyncCollection, "insert_many", in_part)
    with pytest.raises(Unavailable):
        await told(store, clock, fact(organization_id, 1, clock))


async def test_looking_for_what_is_due_is_one_look_a_webhook_however_much_waits(store: Store, clock: Clock) -> None:
    for webhook_id in ("a", "b"):
        await add_deliveries(
            store,
            [
                Delivery(
                    id=f"{webhook_id}-{n}",
                    organization_id="o",
                    webhook_id=webhook_id,
                    event_id="evt_1",
                    event="call.ended",
                    at=clock.now(),
                    created_at=clock.now() + timedelta(seconds=n if webhook_id == "b" else -n),
                    fact=None,
                )
                for n in range(500)
            ],
        )
    assert await stored.waiting_webhooks(store, clock.now()) == ["a", "b"]
    assert await stored.waiting_webhooks(store, clock.now() - timedelta(seconds=1)) == ["a"]
    first = [
        {"$match": {"queue": {"$gt": ""}}},
        {"$sort": {"queue": 1, "due_at": 1}},
        {"$group": {"_id": "$queue", "due_at": {"$first": "$due_at"}}},
    ]
    plan = await store.db.command(
        "explain", {"aggregate": "deliveries", "pipeline": first, "cursor": {}}, verbosity="executionStats"
    )
    assert "DISTINCT_SCAN" in str(plan), plan
