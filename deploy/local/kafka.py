"""Apache Kafka in KRaft mode: nodes that are broker and controller in one process, on disk. One unless told."""

import asyncio
import functools
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local import jars, jvm, process
from deploy.local.home import LOCALHOST, Home, set_aside, write_whole
from deploy.local.kafka_settings import CLUSTER_ID, LOGGING, Seat, properties
from deploy.waiting import until
from shared.errors import TemporaryError, Unavailable

START_SECONDS: Final = 60.0
REUSE_SECONDS: Final = 15.0
FORMAT_SECONDS: Final = 60.0
ATTEMPTS: Final = 3
SETTINGS: Final = "server.properties"
LOG_SETTINGS: Final = "log4j2.properties"
DATA: Final = "data"
_LOGGING: Final = f"-Dlog4j2.configurationFile={LOG_SETTINGS}"


class FormatFailed(TemporaryError):
    """Kafka's storage tool could not prepare the data folder; the message has what it printed."""


def find(home: Home) -> process.Server | None:
    """The running broker of this home."""
    return process.find("java", "-Ddialstream.port=", jvm.BROKER, _mark(home))


async def start(home: Home, lines: Mapping[int, int] | None = None, seat: Seat | None = None) -> str:
    """Starts Kafka, or finds it running, and returns its address once it serves. `lines`: see `properties`.

    `seat`: this home's node is one of several, which must be started side by side: none serves before most are up.
    Raises ServerDied with the end of the log, or TimeoutError when it does not come up.
    """
    running = find(home)
    if running is not None:
        if await _serves_in_time(running.port):
            return address_of(running.port)
        await process.stop(running)
    class_path = await asyncio.to_thread(jars.class_path, home)
    return address_of(await _start_new(home, class_path, lines, seat))


async def stop(home: Home) -> bool:
    """Stops this home's broker cleanly; False when none ran."""
    running = find(home)
    if running is None:
        return False
    await process.stop(running)
    return True


def address_of(port: int) -> str:
    """Bootstrap servers of a broker on this machine."""
    return f"{LOCALHOST}:{port}"


async def launch(
    home: Home,
    class_path: str,
    *extra_flags: str,
    lines: Mapping[int, int] | None = None,
    seat: Seat | None = None,
) -> tuple[psutil.Process, int]:
    """Starts a broker process and returns it with its port once it serves. See `start` for what it raises."""
    port = await home.port_for("kafka", lines or {})
    seat = seat or Seat(1, {1: await home.port_for("kafka-controller", lines or {})})
    folder = home.kafka_folder()
    write_whole(folder / LOG_SETTINGS, LOGGING)
    if not (folder / DATA / "meta.properties").is_file():
        await asyncio.to_thread(_format, home, class_path, folder / DATA, seat)
    write_whole(folder / SETTINGS, properties(DATA, port, seat, lines))
    log = home.log_file("kafka")
    java = [*jvm.command(home, class_path, archive=not extra_flags), *extra_flags]
    marks = [f"-Ddialstream.port={port}", _mark(home), _LOGGING]
    command = [*java, *marks, jvm.BROKER, SETTINGS]
    started = process.spawn(command, log, folder=folder, environment=jvm.environment())
    try:
        await process.wait_until(functools.partial(serves, address_of(port)), started, log, START_SECONDS)
    except TimeoutError:
        await process.stop(process.Server(started, port))
        raise
    return started, port


async def _start_new(home: Home, class_path: str, lines: Mapping[int, int] | None, seat: Seat | None) -> int:
    for _ in range(ATTEMPTS - 1):
        try:
            return (await launch(home, class_path, lines=lines, seat=seat))[1]
        except process.ServerDied:
            # Most likely somebody took the port between our look and Kafka's; the next round takes another.
            continue
    return (await launch(home, class_path, lines=lines, seat=seat))[1]


def _format(home: Home, class_path: str, data: Path, seat: Seat) -> None:
    """Prepares the data folder beside its place and moves it there whole, so it is never half prepared."""
    # A folder of its own each time: the tool of a start that was killed may still be writing into the last one.
    with tempfile.TemporaryDirectory(dir=home.kafka, prefix="format-", ignore_cleanup_errors=True) as workshop:
        name = Path(workshop).name
        settings, fresh = f"{name}/format.properties", f"{name}/{DATA}"
        write_whole(home.kafka / settings, properties(fresh, 1, seat))
        java = jvm.command(home, class_path)
        # `--cluster-id=` in one word: an id may begin with a dash.
        tool: list[str | Path] = [
            _LOGGING,
            jvm.STORAGE_TOOL,
            "format",
            f"--cluster-id={CLUSTER_ID}",
            "--config",
            settings,
        ]
        done = subprocess.run(
            [*java, *tool],
            cwd=home.kafka,
            env=jvm.environment(),
            capture_output=True,
            text=True,
            timeout=FORMAT_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise FormatFailed(f"{done.stdout}{done.stderr}")
        set_aside(data)
        (home.kafka / fresh).rename(data)


async def serves(address: str) -> bool:
    """Whether the broker at `address` answers, has registered itself and knows its controller."""
    host, port = address.split(",", maxsplit=1)[0].rsplit(":", 1)
    # The client below logs an error for each refused connection; look for the port first.
    if not await process.answers(int(port), host):
        return False
    admin = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=5000)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()
    return bool(cluster["brokers"]) and cluster["controller_id"] >= 0


async def wait_until_serving(address: str, deadline_seconds: float) -> None:
    """Waits for a broker that another process has started. Raises Unavailable when it does not come up."""
    try:
        await until(functools.partial(serves, address), deadline_seconds)
    except TimeoutError:
        raise Unavailable("Kafka", f"{address} does not serve after {deadline_seconds:g} s") from None


async def _serves_in_time(port: int) -> bool:
    try:
        await wait_until_serving(address_of(port), REUSE_SECONDS)
    except Unavailable:
        return False
    return True


def _mark(home: Home) -> str:
    """An argument that only this home's broker has, by which it is found again; the JVM reads nothing in it."""
    return f"-Ddialstream.home={home.kafka}"
