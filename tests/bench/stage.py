"""Where one run takes place: a database and topics of its own, the processes taking part, and their CPU time."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from deploy.create_topics import create_topics, delete_topics
from deploy.local.servers import Addresses
from shared.clock import monotonic
from shared.settings import KafkaSettings, MongoSettings
from shared.store.client import Store, connect
from shared.store.migrations.schema import read_version

LOG_LINES = 15
STOP_SECONDS = 20.0


class BenchFailed(Exception):
    """A run hung, lost or doubled something, or a process died: there is no figure, and this says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One run's servers and names."""

    addresses: Addresses
    store: Store
    topic_prefix: str
    folder: Path

    @property
    def kafka_settings(self) -> KafkaSettings:
        """Kafka with this run's topics."""
        return KafkaSettings(kafka=self.addresses.kafka, topic_prefix=self.topic_prefix)

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the run is told."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DIALSTREAM_")}
        return {
            **inherited,
            **self.addresses.environment,
            "DIALSTREAM_MONGODB_DATABASE": self.store.db.name,
            "DIALSTREAM_TOPIC_PREFIX": self.topic_prefix,
            "DIALSTREAM_LOG_LEVEL": "WARNING",
        }


@asynccontextmanager
async def new_stage(addresses: Addresses) -> AsyncIterator[Stage]:
    """A fresh database and fresh topics; both are gone afterwards."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    store = connect(MongoSettings(mongodb=addresses.mongodb, mongodb_database=name))
    with tempfile.TemporaryDirectory(prefix="dialstream-bench-") as folder:
        stage = Stage(addresses, store, f"{name}.", Path(folder))
        try:
            await create_topics(stage.kafka_settings)
            # Before a run puts documents into it: services refuse those of a database without a version.
            await read_version(store)
            await store.ensure_indexes()
            yield stage
        finally:
            await delete_topics(stage.kafka_settings)
            await store.client.drop_database(name)
            await store.close()


@dataclass(slots=True)
class Member:
    """One process of a run."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return self.process.returncode is not None

    def last_words(self) -> str:
        """The end of what it printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES:])

    async def stop(self) -> None:
        """SIGTERM, and a look at how it ended; a process that does not end is killed and named."""
        if not self.ended:
            self.process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
                raise BenchFailed(
                    f"{self.name} did not end within {STOP_SECONDS:g} s of SIGTERM:\n{self.last_words()}"
                ) from None
        if self.process.returncode:
            raise BenchFailed(f"{self.name} ended with code {self.process.returncode}:\n{self.last_words()}")


async def start_member(stage: Stage, name: str, module: str, settings: dict[str, Any]) -> Member:
    """Run `python -m module` with these settings, by their names in lower case without the prefix."""
    log = stage.folder / f"{name}.log"
    environment = stage.environment | {f"DIALSTREAM_{key.upper()}": str(value) for key, value in settings.items()}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, env=environment, stdout=output, stderr=output
        )
    return Member(name, process, log)


@asynccontextmanager
async def running_members(stage: Stage, *wanted: tuple[str, str, dict[str, Any]]) -> AsyncIterator[list[Member]]:
    """Processes (name, module, settings), started in this order and stopped in the opposite one."""
    members: list[Member] = []
    try:
        for name, module, settings in wanted:
            members.append(await start_member(stage, name, module, settings))
        yield members
    except BaseException:
        for member in reversed(members):
            if not member.ended:
                member.process.kill()
                await member.process.wait()
        raise
    for member in reversed(members):
        await member.stop()


async def until(
    look: Callable[[], Awaitable[bool]],
    members: Sequence[Member],
    seconds: float,
    saying: Callable[[], Awaitable[str]],
    *,
    every: float = 0.01,
) -> None:
    """Return once `look`, asked `every` so many seconds, is true.

    Raises `BenchFailed` after `seconds`, or when a process has died.
    """
    deadline = monotonic() + seconds
    while not await look():
        for member in members:
            if member.ended:
                raise BenchFailed(f"{member.name} ended with code {member.process.returncode}:\n{member.last_words()}")
        if monotonic() > deadline:
            words = "\n".join(f"--- {member.name}\n{member.last_words()}" for member in members)
            raise BenchFailed(f"not done after {seconds:g} s: {await saying()}\n{words}")
        await asyncio.sleep(every)


async def until_ready(client: aiohttp.ClientSession, url: str, members: Sequence[Member], seconds: float) -> None:
    """Return once a service answers at its health page `url` that it is ready. Raises as `until` does."""

    async def serves() -> bool:
        try:
            async with client.get(url) as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False

    async def far() -> str:
        return f"{url} is not ready"

    await until(serves, members, seconds, far)


class CpuClock:
    """CPU seconds used by the members and by the servers, where the servers are processes of this machine."""

    def __init__(self, stage: Stage, members: Sequence[Member]) -> None:
        self._processes = {member.name: psutil.Process(member.process.pid) for member in members}
        ports = {"mongod": _port(stage.addresses.mongodb), "kafka": _port(stage.addresses.kafka)}
        for name, port in ports.items():
            found = _listener(port)
            if found is not None:
                self._processes[name] = found
        self._before = self._read()

    def used(self) -> dict[str, float]:
        """Seconds since this clock was made, by process."""
        after = self._read()
        return {name: after[name] - self._before[name] for name in self._before if name in after}

    def _read(self) -> dict[str, float]:
        seconds = {}
        for name, process in self._processes.items():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                seconds[name] = times.user + times.system
        return seconds


def _port(address: str) -> int:
    """The port in `host:port` or in a MongoDB connection string with one host."""
    host = address.removeprefix("mongodb://").split("/")[0].split(",")[0]
    return int(host.rpartition(":")[2])


def _listener(port: int) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return psutil.Process(connection.pid)
    return None
