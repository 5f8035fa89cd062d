"""The local stack survives what happens to servers on a developer's machine."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo import AsyncMongoClient

from deploy.create_topics import create_topics
from deploy.local import kafka, mongo
from deploy.local.home import LOCALHOST, Home
from deploy.local.servers import Addresses, Given, borrowed_servers, keep_servers, start_servers, stop_servers
from deploy.local.stopping import InUse, stop_in_order
from shared.errors import ConfigurationError
from shared.settings import KafkaSettings
from shared.topics import ORG_EVENTS
from tests.eventually import PATIENCE, eventually

NOTHING_GIVEN = Given()


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """A stack of its own that shares only the downloads with the repository's."""
    own = Home(tmp_path / "stack", Home.default().downloads)
    yield own
    await stop_servers(own)


@pytest.fixture
def neighbours() -> Iterator[ExitStack]:
    """Other programs that listen on ports of this machine."""
    with ExitStack() as stack:
        yield stack


async def write_something(addresses: Addresses) -> None:
    await create_topics(KafkaSettings(kafka=addresses.kafka))
    producer = AIOKafkaProducer(bootstrap_servers=addresses.kafka, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(ORG_EVENTS.name, b"kept", partition=0)
    finally:
        await producer.stop()
    async with database_client(addresses) as client:
        await client.proof.things.insert_one({"_id": "kept"})


async def assert_it_is_still_there(addresses: Addresses) -> None:
    consumer = AIOKafkaConsumer(ORG_EVENTS.name, bootstrap_servers=addresses.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(PATIENCE * 15):
            assert (await consumer.getone()).value == b"kept"
    finally:
        await consumer.stop()
    async with database_client(addresses) as client:
        assert await client.proof.things.find_one({"_id": "kept"}) is not None
        # Transactions work, so it is a replica set with a primary.
        async with client.start_session() as session, await session.start_transaction():
            await client.proof.things.insert_one({}, session=session)


def database_client(addresses: Addresses) -> AsyncMongoClient[dict[str, Any]]:
    return AsyncMongoClient(addresses.mongodb)


def process_ids(home: Home) -> tuple[int, int]:
    broker, database = kafka.find(home), mongo.find(home)
    assert broker is not None
    assert database is not None
    return broker.process.pid, database.process.pid


async def kill_both(home: Home) -> None:
    for server in (kafka.find(home), mongo.find(home)):
        assert server is not None
        server.process.kill()
    await eventually(lambda: kafka.find(home) is None and mongo.find(home) is None)


async def test_a_second_start_finds_the_running_servers(home: Home) -> None:
    first, at_the_same_time = await asyncio.gather(
        start_servers(home, NOTHING_GIVEN), start_servers(home, NOTHING_GIVEN)
    )
    before = process_ids(home)
    assert await start_servers(home, NOTHING_GIVEN) == first == at_the_same_time
    assert process_ids(home) == before


async def test_data_survives_kill_9_of_both_servers(home: Home) -> None:
    addresses = await start_servers(home, NOTHING_GIVEN)
    await write_something(addresses)
    await kill_both(home)
    again = await start_servers(home, NOTHING_GIVEN)
    assert again == addresses
    await assert_it_is_still_there(again)


async def test_a_port_somebody_will_take_is_not_given_away(home: Home) -> None:
    """Kafka may be told to listen on more ports than its own."""
    first = await home.port_for("kafka")
    assert await home.port_for("kafka") == first
    assert await home.port_for("kafka", {first}) != first


async def test_taken_ports_are_avoided_and_the_data_moves_along(home: Home, neighbours: ExitStack) -> None:
    addresses = await start_servers(home, NOTHING_GIVEN)
    await write_something(addresses)
    ports = [server.port for server in (kafka.find(home), mongo.find(home)) if server]
    await stop_servers(home)
    for port in ports:
        listener = neighbours.enter_context(closing(socket.socket()))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOCALHOST, port))
        listener.listen()
    elsewhere = await start_servers(home, NOTHING_GIVEN)
    assert elsewhere.kafka != addresses.kafka
    assert elsewhere.mongodb != addresses.mongodb
    await assert_it_is_still_there(elsewhere)


async def test_remains_of_an_interrupted_first_start_are_no_obstacle(home: Home) -> None:
    for half_made in ("kafka/data", "kafka/data.new", "mongo/data-6.0"):
        (home.root / half_made).mkdir(parents=True)
        (home.root / half_made / "half-written").write_bytes(b"\0" * 100)
    (home.root / "kafka/data/bootstrap.checkpoint").write_bytes(b"")
    (home.root / "mongo/data-6.0/WiredTiger.wt").write_bytes(b"\0")
    addresses = await start_servers(home, NOTHING_GIVEN)
    await write_something(addresses)
    await assert_it_is_still_there(addresses)


async def test_stale_files_of_dead_processes_are_no_obstacle(home: Home) -> None:
    for stale, content in (("lock", "1"), ("users", "1"), ("mongo/mongod.pid", "1"), ("ports.json", "{half")):
        (home.root / stale).parent.mkdir(parents=True, exist_ok=True)
        (home.root / stale).write_text(content)
    await start_servers(home, NOTHING_GIVEN)


async def test_a_start_that_was_killed_in_the_middle_is_finished_by_the_next(home: Home) -> None:
    start = [sys.executable, "-m", "deploy.local", "up", f"--home={home.root}"]
    home.root.mkdir()
    (home.root / "downloads").symlink_to(home.downloads)
    starter = await asyncio.create_subprocess_exec(*start)
    await eventually(lambda: mongo.find(home), timeout=30)
    starter.kill()
    await starter.wait()
    await write_something(await start_servers(home, NOTHING_GIVEN))
    # Once more from rest: what the first start did not get to write down must not cost the data now.
    await stop_servers(home)
    await assert_it_is_still_there(await start_servers(home, NOTHING_GIVEN))


@pytest.mark.parametrize("name", ["ü, 'x", 'a:b "c" $d %41 #e \\n'])
async def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    above = tmp_path / "above"
    odd = Home(above / name / "stack", Home.default().downloads)
    try:
        await write_something(await start_servers(odd, NOTHING_GIVEN))
        await stop_servers(odd)
        await assert_it_is_still_there(await start_servers(odd, NOTHING_GIVEN))
    finally:
        await stop_servers(odd)
    assert (odd.kafka / "data" / "meta.properties").is_file()
    # A comma or a backslash that the JVM took for its own would have made folders elsewhere.
    assert [found.name for found in above.iterdir()] == [name]
    assert [found.name for found in (above / name).iterdir()] == ["stack"]


async def test_a_folder_that_java_cannot_read_is_refused_by_name(tmp_path: Path) -> None:
    latin = Home.at(tmp_path / os.fsdecode(b"\xfc"))
    with pytest.raises(ConfigurationError, match=r"\\udcfc.* is not UTF-8"):
        await start_servers(latin, NOTHING_GIVEN)


async def test_given_addresses_start_nothing(home: Home) -> None:
    given = Given.by({"DIALSTREAM_KAFKA": "broker:9092", "DIALSTREAM_MONGODB": "mongodb://database"}, home)
    assert await start_servers(home, given) == Addresses("broker:9092", "mongodb://database")
    assert kafka.find(home) is None
    assert mongo.find(home) is None


async def test_the_last_user_to_leave_stops_the_servers_unless_they_are_kept(home: Home) -> None:
    only_database = Given(kafka="broker:9092")
    async with borrowed_servers(home, only_database):
        async with borrowed_servers(home, only_database):
            assert mongo.find(home) is not None
        assert mongo.find(home) is not None
    assert mongo.find(home) is None

    await keep_servers(home, only_database)
    async with borrowed_servers(home, only_database):
        pass
    assert mongo.find(home) is not None


async def test_servers_in_use_are_not_taken_away_unless_that_is_meant(home: Home) -> None:
    only_database = Given(kafka="broker:9092")
    async with borrowed_servers(home, only_database):
        with pytest.raises(InUse, match="the servers are in use by"):
            await stop_in_order(home, print)
        assert mongo.find(home) is not None
        assert await stop_in_order(home, print, force=True)
        assert mongo.find(home) is None
    assert not await stop_in_order(home, print)


async def test_addresses_of_the_own_servers_are_not_given(home: Home) -> None:
    """A shell has them from `dev.env`, also when they do not run."""
    addresses = await start_servers(home, Given(kafka="broker:9092"))
    assert Given.by({"DIALSTREAM_MONGODB": addresses.mongodb}, home) == Given()
    await stop_servers(home)
    assert Given.by({"DIALSTREAM_MONGODB": addresses.mongodb}, home) == Given()
    elsewhere = "mongodb://127.0.0.1:1/?replicaSet=dialstream&directConnection=true"
    assert Given.by({"DIALSTREAM_MONGODB": elsewhere, "DIALSTREAM_KAFKA": ""}, home) == Given(mongodb=elsewhere)
