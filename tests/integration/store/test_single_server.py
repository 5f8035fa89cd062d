"""MongoDB servers and connection strings that can never serve Dialstream are told apart from servers that are away."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local import mongo, process
from deploy.local.home import LOCALHOST, free_port
from shared.errors import ConfigurationError
from shared.settings import MongoSettings
from shared.store.client import connect
from shared.store.readiness import wait_until_ready


@pytest.fixture
async def single_server(tmp_path: Path) -> AsyncIterator[str]:
    """The connection string of a mongod outside of any replica set."""
    port = free_port()
    options = (f"--port={port}", f"--bind_ip={LOCALHOST}", f"--dbpath={tmp_path}", "--nounixsocket", "--quiet")
    command: list[str | Path] = [mongo.mongod_binary(), *options, "--wiredTigerCacheSizeGB=0.25"]
    log = tmp_path / "mongod.log"
    server = process.Server(process.spawn(command, log, folder=tmp_path), port)
    try:
        await process.wait_until(lambda: process.answers(port), server.process, log, mongo.START_SECONDS)
        yield f"mongodb://{LOCALHOST}:{port}/"
    finally:
        await process.stop(server)


async def test_a_server_without_transactions_is_refused_at_once(single_server: str) -> None:
    store = connect(MongoSettings(mongodb=single_server))
    try:
        with pytest.raises(ConfigurationError, match="DIALSTREAM_MONGODB names is not part of a replica set"):
            await wait_until_ready(store, mongo.START_SECONDS)
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mongodb://user:hunter2@secret@database:27017/", "must be escaped"),
        ("mongodb://database:99999/", "Port must be an integer"),
        ("mongodb://a,b/?directConnection=true", "multiple hosts"),
        ("mongodb://database/?tls=true&tlsCAFile=/no/such/file", "/no/such/file"),
    ],
)
async def test_a_string_that_the_driver_cannot_read_is_refused_without_its_password(address: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^DIALSTREAM_MONGODB must be a MongoDB connection string") as caught:
        connect(MongoSettings(mongodb=address))
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)
