"""`python -m deploy.prepare`: a replica set where there is none, topics that are missing, and patience."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient

from deploy.create_topics import delete_topics, new_topics
from deploy.local import mongo, process
from deploy.local.home import LOCALHOST, Home, free_port
from deploy.local.servers import Addresses
from deploy.prepare import PrepareSettings, prepare
from deploy.replica_set import ensure_primary
from shared.errors import ConfigurationError, Unavailable
from shared.settings import MongoSettings

PATIENCE = 60.0


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    home = Home.at(tmp_path)
    yield home
    await mongo.stop(home)


def set_at(port: int) -> MongoSettings:
    return MongoSettings(mongodb=f"mongodb://{LOCALHOST}:{port}/?replicaSet=ours")


async def test_a_member_without_a_set_becomes_primary_and_a_set_that_exists_stays_as_it_is(home: Home) -> None:
    port = await mongo.start_member(home)
    settings = MongoSettings(mongodb=f"mongodb://{LOCALHOST}:{port}/?replicaSet={mongo.REPLICA_SET}")
    await ensure_primary(settings, PATIENCE)
    async with AsyncMongoClient[dict[str, object]](settings.mongodb) as client:
        made = await client.admin.command("replSetGetConfig")
        assert [member["host"] for member in made["config"]["members"]] == [f"{LOCALHOST}:{port}"]
        await ensure_primary(settings, PATIENCE)
        assert (await client.admin.command("replSetGetConfig"))["config"] == made["config"]


async def test_a_server_that_runs_without_a_set_is_named(home: Home, tmp_path: Path) -> None:
    port, data = free_port(), tmp_path / "alone"
    data.mkdir()
    command: list[str | Path] = [mongo.mongod_binary(), f"--port={port}", f"--dbpath={data}", "--nounixsocket"]
    alone = process.spawn(command, home.log_file("alone"), folder=tmp_path)
    try:
        with pytest.raises(ConfigurationError, match="start it with --replSet"):
            await ensure_primary(set_at(port), PATIENCE)
    finally:
        await process.stop(process.Server(alone, port))


async def test_a_mongodb_that_stays_away_is_named() -> None:
    port = free_port()
    with pytest.raises(Unavailable, match=f"{LOCALHOST}:{port} has no replica set after 1 s"):
        await ensure_primary(set_at(port), 1)


async def test_a_kafka_that_stays_away_is_named(servers: Addresses) -> None:
    with pytest.raises(Unavailable, match="Kafka is not reachable"):
        await prepare(PrepareSettings(kafka=f"{LOCALHOST}:1", mongodb=servers.mongodb, start_deadline_seconds=1))


async def test_topics_are_made_once(servers: Addresses) -> None:
    prefix = f"test-{uuid.uuid4().hex[:12]}."
    settings = PrepareSettings(kafka=servers.kafka, mongodb=servers.mongodb, topic_prefix=prefix)
    try:
        assert sorted(await prepare(settings)) == sorted(topic.name for topic in new_topics(prefix))
        assert await prepare(settings) == []
    finally:
        await delete_topics(settings)
