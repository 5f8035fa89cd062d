"""Fixtures that every test may use: real servers for the session, an empty database and new topics for a test."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from deploy.create_topics import create_topics, delete_topics
from deploy.local.servers import Addresses
from shared.settings import KafkaSettings, MongoSettings
from shared.store.client import Store, connect
from shared.store.indexes import INDEXES
from shared.store.migrations.schema import read_version
from tests.databases import drop_database
from tests.hanging import show_tasks
from tests.servers import servers_for_tests

# To drop a collection and make its indexes anew is faster from about here on.
FEW = 1000


@pytest.fixture(autouse=True)
async def _shown_when_hanging(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Shortly before a test's time is over, its tasks say what they wait for."""
    loop = asyncio.get_running_loop()
    its_own = request.node.get_closest_marker("timeout")
    seconds = float(its_own.args[0] if its_own else request.config.getini("timeout"))
    alarm = loop.call_later(seconds * 0.9, show_tasks, loop)
    yield
    alarm.cancel()


@pytest.fixture(scope="session")
async def servers() -> AsyncIterator[Addresses]:
    """Kafka and MongoDB; see tests/servers.py for where they come from."""
    async with servers_for_tests() as addresses:
        yield addresses


@pytest.fixture(scope="session")
def kafka_address(servers: Addresses) -> str:
    """Bootstrap servers."""
    return servers.kafka


@pytest.fixture(scope="session")
def mongodb_address(servers: Addresses) -> str:
    """Connection string of a replica set."""
    return servers.mongodb


@pytest.fixture(scope="session")
async def database(mongodb_address: str) -> AsyncIterator[str]:
    """The name of a database with indexes, which one test after the other has for itself."""
    settings = MongoSettings(mongodb=mongodb_address, mongodb_database=f"test_{uuid.uuid4().hex}")
    made = connect(settings)
    await made.ensure_indexes()
    await made.close()
    yield settings.mongodb_database
    await drop_database(settings)


@pytest.fixture
async def store(mongodb_address: str, database: str) -> AsyncIterator[Store]:
    """A connected store on a new database with indexes."""
    connected = connect(MongoSettings(mongodb=mongodb_address, mongodb_database=database))
    try:
        # While it is empty, as the first service does: with a test's documents and no version it would be an old one.
        await read_version(connected)
        yield connected
    finally:
        await empty(connected)
        await connected.close()


async def empty(store: Store) -> None:
    """Delete all documents and let the indexes be: to make those anew takes many times as long."""
    kept = set()
    async for collection in await store.db.list_collections():
        name, options = collection["name"], collection["options"]
        if options or await store[name].estimated_document_count() > FEW:
            await store.db.drop_collection(name)
        else:
            await store[name].delete_many({})
            kept.add(name)
    if not kept >= INDEXES.keys():
        await store.ensure_indexes()


@pytest.fixture
async def topic_prefix(kafka_address: str) -> AsyncIterator[str]:
    """A prefix under which every topic exists; they are deleted afterwards."""
    settings = KafkaSettings(kafka=kafka_address, topic_prefix=f"test-{uuid.uuid4().hex[:12]}.")
    await create_topics(settings)
    yield settings.topic_prefix
    await delete_topics(settings)
