"""A running line-up, seen from its parent: started, watched, stopped; nothing of it outlives the block."""

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
import psutil

from deploy.local.home import Home
from deploy.local.lineup import REPOSITORY, Lineup, Member
from deploy.local.process import tail
from deploy.waiting import until
from shared.errors import TemporaryError

T = TypeVar("T")
READY_SECONDS: Final = 60.0
# honcho kills what has not ended 5 s after the first one did.
STOP_SECONDS: Final = 15.0
# Every process of a line-up carries this variable, by which a later run finds what an earlier one left over.
MARK: Final = "DIALSTREAM_LOCAL_RUN"
KEEP_RUNNING: Final = Path(__file__).with_name("keep_running.sh")
_SAID: Final = re.compile(r"(?P<name>\S+) (?P<what>started|stopped) \((?:pid|rc)=(?P<number>-?\d+)\)")


class ServiceEnded(TemporaryError):
    """A service process has ended that should run; the message names it and its log."""


@dataclass(slots=True)
class Running:
    """A line-up at work."""

    lineup: Lineup
    logs: Mapping[str, Path]
    _supervisor: asyncio.subprocess.Process
    _started: dict[str, int] = field(default_factory=dict)
    _stopping: bool = False
    _ended: asyncio.Future[ServiceEnded] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def watch(self) -> None:
        """Reads what the supervisor says until it ends."""
        assert self._supervisor.stdout is not None
        async for line in self._supervisor.stdout:
            said = _SAID.match(line.decode(errors="replace"))
            if said is None:
                continue
            if said["what"] == "started":
                self._started[said["name"]] = int(said["number"])
            else:
                self._note_end(f"{said['name']} {_how(int(said['number']))}", self.logs.get(said["name"]))
        self._note_end("the supervisor ended", None)

    def _note_end(self, what: str, log: Path | None) -> None:
        if not self._ended.done() and not self._stopping:
            self._ended.set_result(ServiceEnded(f"{what}; the end of {log}:\n{tail(log)}" if log else what))

    async def while_up(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`; raises ServiceEnded when a process ends before it is done."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait((task, self._ended), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise self._ended.result()
            return task.result()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait((task,))

    async def until_end(self) -> None:
        """Raises ServiceEnded as soon as a process ends."""
        raise await asyncio.shield(self._ended)

    async def wait_until_ready(self, deadline_seconds: float = READY_SECONDS) -> None:
        """Waits for /health/ready of every member. Raises ServiceEnded, or TimeoutError that names who is not ready."""
        waiting = {member.name: member for member in self.lineup.members}

        async def all_ready() -> bool:
            for member in list(waiting.values()):
                if await answers_ready(session, member):
                    del waiting[member.name]
            return not waiting

        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session:
            try:
                await self.while_up(until(all_ready, deadline_seconds))
            except TimeoutError:
                logs = ", ".join(f"{name} ({self.logs[name]})" for name in waiting)
                raise TimeoutError(f"not ready after {deadline_seconds:g} s: {logs}") from None

    async def drain(self) -> None:
        """Tells the executors to end: no call is placed any more, and all others stay up to see the last ones end."""
        self._stopping = True
        assert self._supervisor.stdin is not None
        with contextlib.suppress(ConnectionError):
            self._supervisor.stdin.write(b"\n")
            await self._supervisor.stdin.drain()

    async def stop(self) -> None:
        """SIGTERM to all; returns when all have ended."""
        self._stopping = True
        if self._supervisor.returncode is None:
            # honcho cannot stop what it has not started yet.
            with contextlib.suppress(TimeoutError):
                await until(self._all_started, STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                self._supervisor.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._supervisor.wait()
        except TimeoutError:
            self._supervisor.kill()
            await self._supervisor.wait()

    async def _all_started(self) -> bool:
        return len(self._started) == len(self.lineup.members) or self._supervisor.returncode is not None


def _how(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"


async def answers_ready(session: aiohttp.ClientSession, member: Member) -> bool:
    """Whether the member says that it is ready."""
    try:
        async with session.get(f"{member.url}/health/ready") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


@contextlib.asynccontextmanager
async def running(home: Home, lineup: Lineup) -> AsyncIterator[Running]:
    """The line-up's processes, started (not yet ready) and stopped at the end of the block."""
    logs = {member.name: home.log_file(member.name) for member in lineup.members}
    # Its own session: Ctrl-C at the terminal reaches us alone, and we end things in order.
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "deploy.local.supervise",
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert supervisor.stdin is not None
    supervisor.stdin.write(json.dumps(_plan(home, lineup, logs)).encode() + b"\n")
    up = Running(lineup, logs, supervisor)
    watching = asyncio.create_task(up.watch())
    try:
        yield up
    finally:
        await up.stop()
        await watching
        end_leftovers(home)


def _plan(home: Home, lineup: Lineup, logs: Mapping[str, Path]) -> list[dict[str, Any]]:
    executors = lineup.executors

    def command(member: Member) -> list[str]:
        # The carrier keeps its record in memory: one that was started again would be no witness.
        restarted = member.module != "services.carrier_simulator"
        return [str(KEEP_RUNNING), str(logs[member.name]), *member.command] if restarted else member.command

    return [
        {
            "name": member.name,
            "command": command(member),
            "environment": {**member.environment, MARK: str(home.root)},
            "folder": str(REPOSITORY),
            "log": str(logs[member.name]),
            "drained": member in executors,
        }
        for member in lineup.members
    ]


def end_leftovers(home: Home) -> int:
    """Ends the service processes that a killed `make run` of this home has left over; how many there were."""
    found = [process for process in psutil.process_iter() if _environment(process).get(MARK) == str(home.root)]
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(found, timeout=5)
    return len(found)


def _environment(process: psutil.Process) -> Mapping[str, str]:
    try:
        environment: dict[str, str] = process.environ()
    except psutil.Error:
        # Gone, or somebody else's.
        return {}
    return environment
