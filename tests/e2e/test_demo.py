import asyncio
import os
import stat
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.create_topics import delete_topics
from deploy.local.lineup import REPOSITORY
from deploy.local.servers import Addresses
from shared.settings import KafkaSettings, MongoSettings
from shared.store.client import connect
from tests.eventually import eventually


@pytest.fixture
async def environment(servers: Addresses) -> AsyncIterator[dict[str, str]]:
    """The session's servers as given addresses, a database and topics of its own; no settings from outside."""
    name = f"test_{uuid.uuid4().hex}"
    own = {"DIALSTREAM_TOPIC_PREFIX": f"{name}.", "DIALSTREAM_MONGODB_DATABASE": name}
    neutral = {name: value for name, value in os.environ.items() if not name.startswith("DIALSTREAM_")}
    yield {**neutral, **servers.environment, **own}
    await delete_topics(KafkaSettings(kafka=servers.kafka, topic_prefix=f"{name}."))
    store = connect(MongoSettings(mongodb=servers.mongodb, mongodb_database=name))
    await store.client.drop_database(name)
    await store.close()


async def run(home: Path, environment: dict[str, str], *options: str) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "deploy.local.run", "--home", str(home), *options)
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=REPOSITORY,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def output(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    return process.returncode, said.decode()


async def test_the_demo_dials_its_list_to_the_end_and_a_second_run_beside_it_is_refused(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    first = await run(tmp_path, environment, "--once", "--contacts", "60")
    finished = asyncio.create_task(output(first))
    lock = tmp_path / "run.lock"
    await eventually(lambda: lock.exists() and lock.read_text(), timeout=30, saying="the first run has begun")
    code, said = await output(await run(tmp_path, environment, "--no-demo"))
    assert code == 1
    assert f"is up already (process {first.pid}" in said
    code, said = await finished
    assert code == 0, said
    assert "5 rows refused" in said
    assert "row 9 (C-90001): phone_numbers.0: The phone number contains letters" in said
    assert "attempts by outcome" in said
    assert "54/54 contacts done" in said
    assert "BAD" not in said
    env_file = tmp_path / "dev.env"
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    names = {line.partition("=")[0] for line in env_file.read_text().splitlines() if not line.startswith("#")}
    assert names >= {"DIALSTREAM_URL", "DIALSTREAM_ADMIN_TOKEN", "DIALSTREAM_API_KEY"}


async def test_a_service_that_cannot_start_ends_the_run_and_is_named(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    wrong = {"DIALSTREAM_PLACE_SECONDS": "30"}  # longer than a claim lives
    code, said = await output(await run(tmp_path, {**environment, **wrong}, "--no-demo"))
    assert code == 1
    assert "make run: " in said
    assert "ended with code 2" in said
    assert "DIALSTREAM_LOCK_SECONDS (10) must be longer than DIALSTREAM_PLACE_SECONDS (30)" in said
