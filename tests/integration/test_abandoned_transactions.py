"""A process killed in the middle of a transaction leaves its locks to nobody."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure
from structlog.testing import capture_logs

from services.scheduler.timers import abandoned
from services.scheduler.timers.abandoned import ABANDONED_SECONDS, AbandonedTransactions
from shared.errors import PermanentError
from shared.store.client import Document, Store
from shared.store.dialing.open_transactions import end_transactions, idle_transactions
from shared.store.dialing.shards import ensure_shards
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization
from tests.seconds_clock import SecondsClock

CONTACTS: Final = 5
# Longer than a test waits, so that it is not the server who ends them.
SERVERS_OWN_LIMIT_SECONDS: Final = 120
# What a scheduler writes first and last, and everybody's document; then it stands still until it is killed.
WRITER: Final = """
import asyncio, sys
from shared.settings import MongoSettings
from shared.store.client import connect

async def write() -> None:
    address, database, organization_id, shard = sys.argv[1:]
    store = connect(MongoSettings(mongodb=address, mongodb_database=database))
    async with store.client.start_session() as session, await session.start_transaction():
        await store["contacts"].update_many(
            {"organization_id": organization_id}, {"$set": {"status": "locked"}}, session=session
        )
        await store["shards"].update_one({"_id": int(shard)}, {"$inc": {"held": 1}}, session=session)
        await store["global_budget"].update_one({}, {"$inc": {"moves": 1}}, session=session)
        print("open", flush=True)
        await asyncio.Event().wait()

asyncio.run(write())
"""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SecondsClock:
    made = SecondsClock()
    monkeypatch.setattr(abandoned, "monotonic", made)
    return made


@asynccontextmanager
async def open_transaction(store: Store, collection: str) -> AsyncIterator[AsyncClientSession]:
    """One that has written a document. Left open at the end unless the test commits it."""
    async with store.client.start_session() as session:
        await session.start_transaction()
        await store[collection].insert_one({}, session=session)
        yield session


async def test_a_transaction_nobody_works_on_is_ended_and_no_other(
    store: Store, mongodb_address: str, clock: SecondsClock
) -> None:
    for collection in ("abandoned", "at_work", "foreign"):
        await store["other_" + collection].insert_one({})
    foreign_client: AsyncMongoClient[Document] = AsyncMongoClient(mongodb_address, appname="somebody else")
    foreign = Store(foreign_client, foreign_client[store.db.name])
    watcher = AbandonedTransactions(store)
    async with (
        open_transaction(store, "other_abandoned") as left,
        open_transaction(store, "other_at_work") as at_work,
        open_transaction(foreign, "other_foreign") as not_ours,
    ):
        await watcher.look()
        await store["other_at_work"].insert_one({}, session=at_work)
        clock.now += ABANDONED_SECONDS
        await watcher.look()
        for session in (at_work, not_ours):
            await session.commit_transaction()
        with pytest.raises(OperationFailure) as refused:
            await left.commit_transaction()
    await foreign.close()
    assert refused.value.has_error_label("TransientTransactionError"), "whoever works on it begins it again"
    counts = {name: await store["other_" + name].count_documents({}) for name in ("abandoned", "at_work", "foreign")}
    assert counts == {"abandoned": 1, "at_work": 3, "foreign": 2}


async def test_one_that_stood_still_begins_its_transaction_again(store: Store, clock: SecondsClock) -> None:
    await store["things"].insert_one({"_id": 1, "writes": 0})
    written, ended, runs = asyncio.Event(), asyncio.Event(), 0

    async def write(session: AsyncClientSession) -> None:
        nonlocal runs
        runs += 1
        await store["things"].update_one({"_id": 1}, {"$inc": {"writes": 1}}, session=session)
        written.set()
        await ended.wait()

    writing = asyncio.create_task(store.in_transaction(write))
    await written.wait()
    watcher = AbandonedTransactions(store)
    await watcher.look()
    clock.now += ABANDONED_SECONDS
    await watcher.look()
    ended.set()
    await writing
    assert runs == 2
    assert await store["things"].find_one({}) == {"_id": 1, "writes": 1}


async def test_two_short_transactions_seen_one_after_the_other_are_not_taken_for_one(
    store: Store, clock: SecondsClock
) -> None:
    watcher = AbandonedTransactions(store)
    async with open_transaction(store, "things") as first:
        await watcher.look()
        await first.commit_transaction()
    clock.now += ABANDONED_SECONDS
    async with open_transaction(store, "things") as second:
        await watcher.look()
        await second.commit_transaction()
    assert await store["things"].count_documents({}) == 2


async def test_where_the_server_does_not_tell_its_own_limit_must_do(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object, **__: object) -> None:
        raise OperationFailure("not authorized", 13)

    async with open_transaction(store, "things"):
        idle = await idle_transactions(store)
        admin = type(store.client.admin)
        monkeypatch.setattr(admin, "aggregate", refused)
        monkeypatch.setattr(admin, "command", refused)
        with pytest.raises(PermanentError, match="code 13"):
            await end_transactions(store, idle)
        watcher = AbandonedTransactions(store)
        with capture_logs() as lines:
            await watcher.look()
        monkeypatch.undo()
    assert watcher.ending, "asking again would not help"
    assert [line["log_level"] for line in lines] == ["warning"]
    assert "code 13" in lines[0]["why"]


async def test_calls_go_on_though_a_process_was_killed_in_the_middle_of_a_transaction(
    store: Store, mongodb_address: str, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await add_contacts(store, organization, campaign, CONTACTS)
    await ensure_shards(store)
    async with (
        the_server_waits(store),
        running_engine(store, kafka_address, topic_prefix) as engine,
    ):
        writer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITER),
            *(mongodb_address, store.db.name, organization["_id"], str(organization["shard"])),
            stdout=asyncio.subprocess.PIPE,
        )
        assert writer.stdout is not None
        assert await writer.stdout.readline() == b"open\n"
        writer.kill()
        await writer.wait()
        await engine.start_executor()
        await engine.start_scheduler()

        async def all_called() -> bool:
            assert not engine.failures()
            return await store["contacts"].count_documents({"status": "completed"}) == CONTACTS

        await eventually(all_called, within=SERVERS_OWN_LIMIT_SECONDS / 2)
        placed = [call.contact_id for carrier in engine.carriers for call in carrier.placements]
    assert len(placed) == len(set(placed)) == CONTACTS


@asynccontextmanager
async def the_server_waits(store: Store) -> AsyncIterator[None]:
    """Its own limit raised, so that a test waits in vain for it."""
    name = "transactionLifetimeLimitSeconds"
    before = await store.client.admin.command({"getParameter": 1, name: 1})
    await store.client.admin.command({"setParameter": 1, name: SERVERS_OWN_LIMIT_SECONDS})
    try:
        yield
    finally:
        await store.client.admin.command({"setParameter": 1, name: before[name]})
