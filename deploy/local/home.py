"""The folder of the local stack: its paths, its locks, and the ports it remembers."""

import contextlib
import fcntl
import functools
import json
import os
import random
import shutil
import socket
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from deploy.waiting import until
from shared.errors import TemporaryError

LOCALHOST: Final = "127.0.0.1"
# Beside Kafka's data: the link by which its JVM reaches the downloads.
KAFKA_DOWNLOADS: Final = "downloads"
# Below those that systems hand out to outgoing connections, one of which may else sit on a remembered port.
OUR_PORTS: Final = range(20_000, 32_000)
# Longer than the slowest first start (downloads included), so that a second `up` waits instead of failing.
LOCK_DEADLINE_SECONDS: Final = 300.0
# A server that was just killed holds its port until the kernel has cleared it away; its clients know that port.
LET_GO_SECONDS: Final = 3.0


class HomeIsLocked(TemporaryError):
    """Another command has been at work in this folder for very long."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where one local stack lives. Stacks in different folders do not know of each other.

    `downloads` holds Kafka's jars and the JVM's class archive; several stacks may share it.
    """

    root: Path
    downloads: Path

    @classmethod
    def default(cls) -> "Home":
        """`.local/` at the top of the repository."""
        return cls.at(Path(__file__).resolve().parents[2] / ".local")

    @classmethod
    def at(cls, root: Path) -> "Home":
        """A stack with everything, downloads included, under `root`."""
        return cls(root.resolve(), root.resolve() / "downloads")

    @property
    def kafka(self) -> Path:
        """Kafka's settings and data."""
        return self.root / "kafka"

    def kafka_folder(self) -> Path:
        """Kafka's folder, made ready for its JVM to be started in.

        The JVM names all files from here, in plain letters: commas and colons separate its lists, backslashes
        mean something in its settings, and the folders above may have any name.
        """
        make_folder(self.kafka)
        link = self.kafka / KAFKA_DOWNLOADS
        if not link.is_symlink() or link.readlink() != self.downloads:
            link.unlink(missing_ok=True)
            link.symlink_to(self.downloads)
        return self.kafka

    @property
    def mongo(self) -> Path:
        """MongoDB's data, one folder for each version of mongod."""
        return self.root / "mongo"

    @property
    def logs(self) -> Path:
        """What the servers print."""
        return self.root / "logs"

    @property
    def kept(self) -> Path:
        """Exists while somebody wants the servers to stay when their last user leaves (`up`)."""
        return self.root / "kept"

    @property
    def users(self) -> Path:
        """The file on which everybody who uses the servers holds a lock."""
        return self.root / "users"

    def log_file(self, name: str) -> Path:
        """A new log file for one server; the log of the start before stays beside it as `<name>.log.1`."""
        make_folder(self.logs)
        path = self.logs / f"{name}.log"
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        return path

    async def port_for(self, name: str, taken: Collection[int] = ()) -> int:
        """The port that `name` had last time if it is free, else another free one; remembered at once.

        None of those `taken`, by something that does not listen yet.
        """
        others = {other: port for other, port in self._read_ports().items() if other != name}
        port = self._read_ports().get(name)
        if port is not None:
            await _let_go(port)
        while port is None or port in taken or port in others.values() or not port_is_free(port):
            port = free_port()
        self._write_ports({**others, name: port})
        return port

    def known_ports(self) -> dict[str, int]:
        """The ports on which this stack's servers run, or ran last time, by name."""
        return self._read_ports()

    def _read_ports(self) -> dict[str, int]:
        try:
            ports = json.loads((self.root / "ports.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return {name: port for name, port in ports.items() if isinstance(port, int)} if isinstance(ports, dict) else {}

    def _write_ports(self, ports: dict[str, int]) -> None:
        write_whole(self.root / "ports.json", json.dumps(ports))


@contextlib.asynccontextmanager
async def locked(folder: Path) -> AsyncIterator[None]:
    """One command at a time in `folder`. The kernel drops the lock with its owner, so it is never stale.

    Raises HomeIsLocked after LOCK_DEADLINE_SECONDS: look who holds the file `lock`, then try again.
    """
    with _lock_file(folder / "lock") as file:
        try:
            await until(functools.partial(_take, file), LOCK_DEADLINE_SECONDS)
        except TimeoutError:
            raise HomeIsLocked(f"another command holds {file.name}") from None
        yield


def _lock_file(path: Path) -> IO[str]:
    make_folder(path.parent)
    return path.open("a")


async def _take(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_whole(path: Path, text: str) -> None:
    """Writes a file so that a reader, or a crash in the middle, sees the old text or the new one."""
    make_folder(path.parent)
    half = path.with_name(f"{path.name}.{os.getpid()}.half")
    half.write_text(text)
    half.replace(path)


def make_folder(folder: Path) -> None:
    """The folder and those above it; one that exists is fine."""
    folder.mkdir(parents=True, exist_ok=True)


def set_aside(folder: Path) -> None:
    """Makes room for a new data folder; what was there is kept once, for a person to look at."""
    if folder.exists():
        unusable = folder.with_name(f"{folder.name}.unusable")
        shutil.rmtree(unusable, ignore_errors=True)
        folder.rename(unusable)


async def _let_go(port: int) -> None:
    """Gives the process that holds the port a moment to be gone."""

    async def is_free() -> bool:
        return port_is_free(port)

    with contextlib.suppress(TimeoutError):
        await until(is_free, LET_GO_SECONDS)


def free_port() -> int:
    """A TCP port of this machine on which no process listens right now."""
    while True:
        port = random.choice(OUR_PORTS)
        if port_is_free(port):
            return port


def port_is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        # As servers do: a port whose old connections still linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, port))
        except OSError:
            return False
        return True


class Use:
    """One process's use of the stack, for as long as this object is open.

    A shared file lock, so the kernel counts the users, also those that were killed.
    """

    def __init__(self, home: Home) -> None:
        self._file = _lock_file(home.users)
        fcntl.flock(self._file, fcntl.LOCK_SH)

    @classmethod
    def by_anyone(cls, home: Home) -> bool:
        """Whether a process uses the stack. Call it with the home locked."""
        with _lock_file(home.users) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def leave(self) -> bool:
        """Ends this use; True when no other process uses the stack. Call it with the home locked."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            self.close()
        return True

    def close(self) -> None:
        """Ends this use without a look at others."""
        self._file.close()
