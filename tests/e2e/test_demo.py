import asyncio
import os
import re
import signal
import stat
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from deploy import dev_env
from deploy.create_topics import delete_topics
from deploy.demo.dial import CAMPAIGN_NAME
from deploy.local import kafka, mongo
from deploy.local.home import Home
from deploy.local.lineup import REPOSITORY
from deploy.local.servers import Addresses, stop_servers
from shared.settings import KafkaSettings, MongoSettings
from shared.store.client import connect
from shared.store.dialing.in_progress import count_running
from tests.eventually import eventually
from tests.integration.campaign_api.console_browser import Person


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


@pytest.fixture
async def own_home(tmp_path: Path) -> AsyncIterator[Home]:
    """A stack of its own that shares only the downloads with the repository's."""
    (tmp_path / "downloads").symlink_to(Home.default().downloads)
    home = Home.at(tmp_path)
    yield home
    await stop_servers(home)


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
    assert "row 9 (C-90001): phone_numbers[0]: The phone number contains letters" in said
    assert "attempts by outcome" in said
    assert "54/54 contacts done" in said
    assert "calls 40 of them again: it starts by itself at" in said
    assert "most calls at once from one number: " in said
    reported = re.search(r"([0-9]+) talks reported, ([0-9]+) by the token", said)
    assert reported is not None, said
    assert reported[1] == reported[2] != "0"
    assert "calls to the person that opted out, since then: 0; sent once more: skipped" in said
    assert re.search(r"calls back to the person that asked for it: [1-9], before the time: 0", said), said
    assert "BAD" not in said
    env_file = tmp_path / "dev.env"
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    written = dev_env.read(env_file)
    assert written.keys() >= {"DIALSTREAM_URL", "DIALSTREAM_ADMIN_TOKEN", *names_in_docs()}
    assert written["DIALSTREAM_KAFKA"] == environment["DIALSTREAM_KAFKA"]
    assert written["DIALSTREAM_MONGODB"] == environment["DIALSTREAM_MONGODB"]


def names_in_docs() -> set[str]:
    """The variables that the examples for customers read."""
    text = (REPOSITORY / "docs" / "kafka-batches.md").read_text()
    names = set(re.findall(r"DIALSTREAM_[A-Z_]+", text))
    assert len(names) >= 3
    return names


async def test_calls_that_are_up_may_end_before_the_run_does(tmp_path: Path, environment: dict[str, str]) -> None:
    store = connect(
        MongoSettings(
            mongodb=environment["DIALSTREAM_MONGODB"], mongodb_database=environment["DIALSTREAM_MONGODB_DATABASE"]
        )
    )
    long_calls = {
        "DIALSTREAM_SIMULATOR_TALK_MIN_SECONDS": "2",
        "DIALSTREAM_SIMULATOR_TALK_MAX_SECONDS": "3",
        "DIALSTREAM_SIMULATOR_ANSWER_RATE": "1",
        "DIALSTREAM_SIMULATOR_VOICEMAIL_RATE": "0",
        "DIALSTREAM_SIMULATOR_BUSY_RATE": "0",
        "DIALSTREAM_SIMULATOR_DECLINED_RATE": "0",
        "DIALSTREAM_SIMULATOR_INVALID_RATE": "0",
        "DIALSTREAM_SIMULATOR_FAILED_RATE": "0",
    }
    try:
        up = await run(tmp_path, {**environment, **long_calls}, "--contacts", "60")
        finished = asyncio.create_task(output(up))
        await eventually(lambda: finished.done() or count_running(store), timeout=60, saying="calls are up")
        written = dev_env.read(tmp_path / "dev.env")
        assert re.search(
            rf'<th scope="row"><a href="/campaigns/{written["DIALSTREAM_CAMPAIGN"]}">{CAMPAIGN_NAME} [^<]+</a></th>\s+'
            r'<td><span class="state running">.*?</td>\s+<td>.*?</td>\s+<td>[1-9][0-9]*</td>',
            await first_page(written),
            re.DOTALL,
        ), "the demo dials, and the console shows it"
        up.send_signal(signal.SIGINT)
        code, said = await finished
        assert code == 0, said
        assert f"Watch it at the console: {written['DIALSTREAM_CONSOLE_URL']}" in said.partition("Dialing campaign")[0]
        assert re.search(r"calls? (is|are) up: no more are placed, and these may end", said), said
        assert "All calls have ended." in said
        assert await count_running(store) == 0
        outcomes = await store["attempts"].distinct("outcome")
        assert outcomes
        assert "interrupted" not in outcomes
    finally:
        await store.close()


async def first_page(written: Mapping[str, str]) -> str:
    """The console's, as the key in `dev.env` shows it."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        page = await Person(written["DIALSTREAM_CONSOLE_URL"], session).sign_in(written["DIALSTREAM_API_KEY"])
        assert (page.status, page.path) == (200, "/")
        return page.text


async def test_a_second_signal_does_not_wait_and_says_what_becomes_of_the_calls(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    settings = MongoSettings(
        mongodb=environment["DIALSTREAM_MONGODB"], mongodb_database=environment["DIALSTREAM_MONGODB_DATABASE"]
    )
    store = connect(settings)
    endless = {
        "DIALSTREAM_SIMULATOR_TALK_MIN_SECONDS": "600",
        "DIALSTREAM_SIMULATOR_TALK_MAX_SECONDS": "600",
        "DIALSTREAM_MAX_CALL_SECONDS": "600",
    }
    try:
        up = await run(tmp_path, {**environment, **endless}, "--contacts", "60")
        finished = asyncio.create_task(output(up))
        await eventually(lambda: finished.done() or count_running(store), timeout=60, saying="calls are up")
        up.send_signal(signal.SIGINT)
        draining = tmp_path / "logs" / "executor-0.log"
        await eventually(lambda: "draining" in draining.read_text(), timeout=30, saying="the first signal is obeyed")
        up.send_signal(signal.SIGINT)
        code, said = await finished
        assert code == 0, said
        assert re.search(r"calls? (is|are) still up. The simulated carrier ends now and forgets its calls", said), said
    finally:
        await store.close()


async def test_make_stop_ends_a_run_first_and_both_say_so(own_home: Home, environment: dict[str, str]) -> None:
    neutral = {name: value for name, value in environment.items() if not name.startswith("DIALSTREAM_")}
    up = await run(own_home.root, neutral, "--no-demo")
    finished = asyncio.create_task(output(up))
    env_file = own_home.root / "dev.env"
    await eventually(lambda: finished.done() or env_file.exists(), timeout=90, saying="the run is up")
    broker = kafka.find(own_home)
    assert broker is not None
    broker.process.kill()
    # The address that a shell has from `dev.env` is the run's own server, and so brings it back.
    sourced = {**neutral, "DIALSTREAM_KAFKA": dev_env.read(env_file)["DIALSTREAM_KAFKA"]}
    assert (await local(own_home, sourced, "up"))[0] == 0
    back = kafka.find(own_home)
    assert back is not None
    stopped_with, said = await local(own_home, neutral, "stop")
    assert stopped_with == 0, said
    assert said.splitlines() == [f"A `make run` is up (process {up.pid}): ending it first, in order ...", "Stopped."]
    code, said = await finished
    assert code == 0, said
    assert f"Kafka (process {broker.process.pid}) has ended, and no call is placed without it" in said
    assert said.splitlines()[-1] == "Stopped."
    assert kafka.find(own_home) is None
    assert mongo.find(own_home) is None
    assert (await local(own_home, neutral, "stop"))[1].splitlines() == ["Nothing was running."]


async def local(home: Home, environment: dict[str, str], *command: str) -> tuple[int | None, str]:
    """A command of the local stack: its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "deploy.local",
        *command,
        f"--home={home.root}",
        cwd=REPOSITORY,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return await output(process)


async def test_a_service_that_cannot_start_ends_the_run_and_is_named(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    wrong = {"DIALSTREAM_PLACE_SECONDS": "30"}  # longer than a claim lives
    code, said = await output(await run(tmp_path, {**environment, **wrong}, "--no-demo"))
    assert code == 1
    assert "make run: " in said
    assert "ended with code 2" in said
    assert "DIALSTREAM_LOCK_SECONDS (10) must be longer than DIALSTREAM_PLACE_SECONDS (30)" in said
