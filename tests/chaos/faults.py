"""The ways in which a run breaks the system. Each is a context: broken inside, mended behind."""

import asyncio
import contextlib
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import psutil
from pymongo.errors import PyMongoError

from shared.clock import utc_now
from tests.chaos.disks import fill, make_room
from tests.chaos.receiver import Mood
from tests.chaos.receiving import SHAKY
from tests.chaos.servers import Node
from tests.chaos.stage import LINED, MEMBERS, SETTINGS, Stage
from tests.proxy import Line, State

# From the end of a fault to the beginning of the next.
PAUSE_SECONDS: Final = (0.1, 1.5)
# Longer than the brokers' session timeout of a run, so that a frozen member is missed.
SHORT_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break one thing. Two faults of the same `target` are never at work at once."""

    name: str
    target: str
    broken: Callable[[], AbstractAsyncContextManager[None]]
    seconds: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault that was."""

    fault: Fault
    broke_at: datetime
    mended_at: datetime


def catalogue(stage: Stage) -> list[Fault]:
    """Every fault, as often as it is likely."""
    faults: list[Fault] = []
    for name in MEMBERS:
        faults += [
            Fault("SIGKILL", name, partial(killed, stage, name), (0.0, 2.0)),
            Fault("SIGTERM", name, partial(ended, stage, name), (0.0, 2.0)),
            Fault("SIGSTOP", name, partial(frozen, stage, name), (1.0, 8.0)),
        ]
    faults += [Fault("long SIGSTOP", name, partial(frozen, stage, name), (8.0, 60.0)) for name in LINED]
    faults.append(Fault("rolling restart", "executors", partial(rolled, stage, "executor"), (0.0, 0.1)))
    faults.append(Fault("rolling restart", "schedulers", partial(rolled, stage, "scheduler"), (0.0, 0.1)))
    for node in stage.servers.nodes.values():
        faults += node_faults(node)
    if stage.servers.are_three:
        faults += [Fault("step down", "mongodb's primary", partial(stepped_down, stage), (0.0, 3.0))] * 3
    for lines, server in ((stage.kafka_lines, "kafka"), (stage.mongodb_lines, "mongodb")):
        for name, line in lines.items():
            faults += line_faults(line, f"line {name} to {server}")
    faults += line_faults(stage.callbacks, "line carrier to campaign-api")
    faults += [
        Fault(name, "carrier", partial(carrier_told, stage, changes), CARRIER_SECONDS.get(name, (2.0, 8.0)))
        for name, changes in CARRIER.items()
    ]
    faults += [
        Fault(mood.value, RECEIVER, partial(receiver_in, stage, mood), (2.0, 8.0))
        for mood in Mood
        if mood is not Mood.WELL
    ]
    return faults


RECEIVER: Final = "a webhook receiver"
CARRIER: Final[dict[str, dict[str, float]]] = {
    "look-up blind": {"lookup_blind": 1},
    "accepts and does not answer": {"silent_after_rate": 0.3},
    "does not answer": {"silent_before_rate": 0.3},
    "429": {"rate_limited_rate": 0.4},
    "500": {"error_before_rate": 0.3, "error_after_rate": 0.2},
    "slow": {"latency_min_seconds": 0.5, "latency_max_seconds": 4.0},
    "callbacks lost": {"callback_lost_rate": 0.5},
    "callbacks late": {"callback_late_rate": 0.6, "callback_late_seconds": 4.0},
    "callbacks early": {"callback_early_rate": 0.7},
    "callbacks doubled": {"callback_doubled_rate": 0.9},
}


# A look-up may be wrong for less than SETTLE (docs/decisions/0011); the run's SETTLE is short, as all its time limits.
CARRIER_SECONDS: Final = {"look-up blind": (0.5, float(SETTINGS["DIALSTREAM_SETTLE_SECONDS"]) - 0.5)}


DISK_FULL: Final = "disk full"
# A server that has met a full disk may answer still and end over it as much later.
ENDS_LATE_SECONDS: Final = 3.0


def node_faults(node: Node) -> list[Fault]:
    """What can happen to one server process."""
    faults = [
        Fault("kill -9", node.name, partial(node_killed, node), (0.0, 3.0)),
        Fault("stop", node.name, partial(node_stopped, node), (0.0, 3.0)),
        Fault("SIGSTOP", node.name, partial(node_frozen, node), (0.5, 10.0)),
    ]
    if node.disk is not None:
        faults.append(Fault(DISK_FULL, node.name, partial(disk_filled, node, node.disk), (0.5, 5.0)))
    return faults


def line_faults(line: Line, target: str) -> list[Fault]:
    """What can happen to one line."""
    faults = [
        Fault(state.value, target, partial(line_in, line, state), (0.5, 6.0))
        for state in (State.CUT, State.DEAF, State.MUTE, State.SLOW)
    ]
    return [*faults, Fault("reset", target, partial(line_reset, line), (0.0, 0.1))]


@asynccontextmanager
async def killed(stage: Stage, name: str) -> AsyncIterator[None]:
    """SIGKILL; started again behind."""
    await stage.system.kill(name)
    yield
    await stage.start_again(name)


@asynccontextmanager
async def ended(stage: Stage, name: str) -> AsyncIterator[None]:
    """SIGTERM; started again behind."""
    await stage.end(name)
    yield
    await stage.start_again(name)


@asynccontextmanager
async def frozen(stage: Stage, name: str) -> AsyncIterator[None]:
    """SIGSTOP; SIGCONT behind."""
    stage.freeze(name)
    yield
    stage.thaw(name)


@asynccontextmanager
async def rolled(stage: Stage, kind: str) -> AsyncIterator[None]:
    """One after the other is ended and started again, as an upgrade does."""
    for name in [name for name in stage.system.processes if name.startswith(kind)]:
        await stage.end(name)
        await stage.start_again(name)
    yield


@asynccontextmanager
async def node_killed(node: Node) -> AsyncIterator[None]:
    """SIGKILL; started again on its data behind."""
    node.process().kill()
    yield
    await node.start()


@asynccontextmanager
async def node_stopped(node: Node) -> AsyncIterator[None]:
    """A clean stop; started again on its data behind."""
    await node.stop()
    yield
    await node.start()


@asynccontextmanager
async def node_frozen(node: Node) -> AsyncIterator[None]:
    """SIGSTOP; SIGCONT behind."""
    process = node.process()
    process.suspend()
    yield
    process.resume()


@asynccontextmanager
async def disk_filled(node: Node, disk: Path) -> AsyncIterator[None]:
    """No room for its data; room is made behind, and a server that ends over it is started again."""
    await asyncio.to_thread(fill, disk)
    yield
    make_room(disk)
    await node.start()
    server = node.find()
    with contextlib.suppress(psutil.TimeoutExpired):
        if server is not None:
            await asyncio.to_thread(server.process.wait, ENDS_LATE_SECONDS)
        await node.start()


@asynccontextmanager
async def stepped_down(stage: Stage) -> AsyncIterator[None]:
    """The primary gives up its place, and is no candidate for a while."""
    # Refused when no other member could follow now, and the connection may end in the middle of it.
    with contextlib.suppress(PyMongoError):
        await stage.store.client.admin.command("replSetStepDown", 5, secondaryCatchUpPeriodSecs=2)
    yield


@asynccontextmanager
async def line_in(line: Line, state: State) -> AsyncIterator[None]:
    """The line in a bad state; mended behind."""
    if state is State.CUT:
        line.cut()
    line.state = state
    yield
    line.mend()


@asynccontextmanager
async def line_reset(line: Line) -> AsyncIterator[None]:
    """Every connection reset, once."""
    line.reset()
    yield


@asynccontextmanager
async def carrier_told(stage: Stage, changes: dict[str, float]) -> AsyncIterator[None]:
    """The carrier behaves worse; as before behind."""
    usual = {name: float(SETTINGS.get(f"DIALSTREAM_SIMULATOR_{name.upper()}", "0")) for name in changes}
    await stage.tell_carrier(changes)
    yield
    await stage.tell_carrier(usual)


@asynccontextmanager
async def receiver_in(stage: Stage, mood: Mood) -> AsyncIterator[None]:
    """One of the customers' receivers is unwell; the other stays well, so that its webhooks come in time."""
    await stage.receiving.tell(SHAKY, mood)
    yield
    await stage.receiving.tell(SHAKY, Mood.WELL)


class Trouble:
    """Breaks things, several at once. The same seed picks the same faults."""

    def __init__(self, stage: Stage, seed: int, *, at_once: int, only: str = "") -> None:
        """`only`: a regular expression, searched in "<fault> of <target>"."""
        self._faults = [fault for fault in catalogue(stage) if re.search(only, f"{fault.name} of {fault.target}")]
        if not self._faults:
            raise ValueError(f"no fault of this run matches {only!r}")
        self._dices = [random.Random(f"trouble/{seed}/{n}") for n in range(at_once)]
        self._busy: set[str] = set()
        self.happened: list[Happened] = []
        self.ending = False

    def is_busy_with(self, target: str) -> bool:
        """Whether a fault is at work on this now."""
        return target in self._busy

    async def run(self) -> None:
        """At random until `ending` is set; what is broken then is mended first."""
        async with asyncio.TaskGroup() as tasks:
            for dice in self._dices:
                tasks.create_task(self._at_random(dice))

    async def run_once(self) -> None:
        """One fault of every kind, the short ones of each; the seed chooses the order."""
        faults = self._dices[0].sample(self._faults, len(self._faults))
        deck = list({_kind(fault): fault for fault in faults}.values())
        async with asyncio.TaskGroup() as tasks:
            for dice in self._dices:
                tasks.create_task(self._deal(dice, deck))

    async def _at_random(self, dice: random.Random) -> None:
        while not self.ending:
            fault = dice.choice(self._faults)
            seconds = dice.uniform(*fault.seconds)
            if not self._busy & _touched(fault):
                await self._make(fault, seconds, dice)

    async def _deal(self, dice: random.Random, deck: list[Fault]) -> None:
        """Until the deck is empty; first what most of it is for, since faults of one target wait for each other."""
        while deck:
            left = Counter(fault.target for fault in deck)
            free = [fault for fault in deck if not self._busy & _touched(fault)]
            if not free:
                await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
                continue
            fault = max(free, key=lambda fault: left[fault.target])
            deck.remove(fault)
            shortest, longest = fault.seconds
            await self._make(fault, dice.uniform(shortest, min(longest, SHORT_SECONDS)), dice)

    async def _make(self, fault: Fault, seconds: float, dice: random.Random) -> None:
        self._busy |= _touched(fault)
        try:
            broke_at = utc_now()
            async with fault.broken():
                await asyncio.sleep(seconds)
            self.happened.append(Happened(fault, broke_at, utc_now()))
        finally:
            self._busy -= _touched(fault)
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))


def _kind(fault: Fault) -> tuple[str, str]:
    """What is done, and to which service or server: of a line, to the one at its end."""
    return fault.name, fault.target.rpartition(" ")[2].rstrip("-0123456789")


def _touched(fault: Fault) -> set[str]:
    """A rolling restart touches every process of its kind."""
    if fault.target in {"executors", "schedulers"}:
        return {f"{fault.target[:-1]}-{n}" for n in range(3)}
    return {fault.target}
