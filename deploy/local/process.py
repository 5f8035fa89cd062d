"""Server processes: started in a session of their own, found again by their command line, stopped."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from deploy.waiting import until
from shared.errors import TemporaryError

STOP_SECONDS: Final = 15.0
TAIL_LINES: Final = 15


class ServerDied(TemporaryError):
    """A server ended while it started; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server process and the port that its command line names."""

    process: psutil.Process
    port: int

    @property
    def resident_bytes(self) -> int:
        """The memory that it occupies now."""
        size: int = self.process.memory_info().rss
        return size


def find(executable: str, port_option: str, *marks: str) -> Server | None:
    """The process of this user that runs `executable` with all `marks` among its arguments.

    The process list is the truth: it survives a killed starter, and a reused pid cannot mislead it.
    `port_option` is what the argument that names the port begins with, "--port=" for example.
    """
    for process in psutil.process_iter(["cmdline"]):
        arguments: list[str] = process.info["cmdline"] or []
        if not arguments or Path(arguments[0]).name != executable or not set(marks) <= set(arguments):
            continue
        port = next((a.removeprefix(port_option) for a in arguments if a.startswith(port_option)), "")
        if port.isdecimal():
            return Server(process, int(port))
    return None


def spawn(
    command: Sequence[str | os.PathLike[str]], log: Path, *, folder: Path, environment: Mapping[str, str] | None = None
) -> psutil.Process:
    """Starts a server that outlives us: own session, no terminal, in `folder`, output into `log`.

    The program's path must be a full one.
    """
    # posix_spawn knows no folder; the shell makes way for the server, which keeps its process id.
    change_folder = ["/bin/sh", "-c", 'cd -- "$0" && exec "$@"', os.fspath(folder)]
    arguments = [*change_folder, *(os.fspath(part) for part in command)]
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.fspath(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    # Not subprocess.Popen: it takes its child for ours and complains when we leave it running.
    pid = os.posix_spawn(arguments[0], arguments, environment or os.environ, file_actions=files, setsid=True)
    return psutil.Process(pid)


async def wait_until(
    ready: Callable[[], Awaitable[bool]], process: psutil.Process, log: Path, deadline_seconds: float
) -> None:
    """Waits until `ready()`.

    Raises ServerDied when the process ends first, TimeoutError when it is not ready in time: stop it then.
    """

    async def ready_or_dead() -> bool:
        if await ready():
            return True
        if has_ended(process):
            raise ServerDied(f"it ended while it started; the end of {log}:\n{tail(log)}")
        return False

    await until(ready_or_dead, deadline_seconds)


def has_ended(process: psutil.Process) -> bool:
    """Whether the process is gone; collects it when it was our child."""
    try:
        process.wait(timeout=0)
    except psutil.TimeoutExpired:
        return False
    return True


async def stop(server: Server, patience_seconds: float = STOP_SECONDS) -> None:
    """Asks a server to end (SIGTERM), and kills it when it has not after `patience_seconds`."""
    try:
        server.process.terminate()
        # A process that somebody has frozen (SIGSTOP) would never see the request.
        server.process.resume()
        if not await _ends(server.process, patience_seconds):
            server.process.kill()
            await _ends(server.process, STOP_SECONDS)
    except psutil.NoSuchProcess:
        return


async def _ends(process: psutil.Process, seconds: float) -> bool:
    async def ended() -> bool:
        return has_ended(process)

    try:
        await until(ended, seconds)
    except TimeoutError:
        return False
    return True


def tail(log: Path) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
    except FileNotFoundError:
        return "(no log)"


async def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a process accepts connections on `port`."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        return False
    return True
