"""A whole system on servers of its own, with every line that can be broken: what a run breaks and watches."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from deploy.demo.settings import ENDINGS, FAULTS, SECONDS
from deploy.local.home import LOCALHOST, free_port
from deploy.local.lineup import Counts
from shared.settings import MongoSettings
from shared.store.client import Store, connect
from tests.chaos.clocks import wrong_clocks
from tests.chaos.receiver import Mood
from tests.chaos.receiving import SHAKY, Receiving, receiving
from tests.chaos.servers import Servers, one_of_each, three_of_each
from tests.e2e.system import System, system_on
from tests.proxy import Line, line_to

COUNTS: Final = Counts(apis=2, ingests=2, schedulers=3, executors=3, senders=2)
MEMBERS: Final = (
    *(f"campaign-api-{n}" for n in range(COUNTS.apis)),
    *(f"contact-ingest-{n}" for n in range(COUNTS.ingests)),
    *(f"scheduler-{n}" for n in range(COUNTS.schedulers)),
    *(f"executor-{n}" for n in range(COUNTS.executors)),
    *(f"webhook-sender-{n}" for n in range(COUNTS.senders)),
)
# One executor holds its calls itself; they end with it, and SIGTERM waits for them. Senders wait for no hours.
INSTEAD: Final = {
    "executor-2": "tests.chaos.in_process_executor",
    **{f"webhook-sender-{n}": "tests.chaos.impatient_sender" for n in range(COUNTS.senders)},
}
# One process of each service reaches its servers over lines that can be broken; the others go straight.
LINED: Final = ("campaign-api-0", "contact-ingest-0", "scheduler-0", "executor-0", "webhook-sender-0")
SETTINGS: Final = {
    **SECONDS,
    **ENDINGS,
    **FAULTS,
    # A dead member is noticed soon; the brokers of a run allow it.
    "DIALSTREAM_KAFKA_SESSION_TIMEOUT_MS": "2000",
    "DIALSTREAM_TWILIO_CALLBACK_RETRIES": "3",
    "DIALSTREAM_SETTLE_SECONDS": "4",
    "DIALSTREAM_SIMULATOR_CALLBACK_TIMEOUT_SECONDS": "3",
    # Machines that talk for long enough take a message.
    "DIALSTREAM_SIMULATOR_DETECTION_SECONDS": "0.2",
    "DIALSTREAM_SIMULATOR_GREETING_SECONDS": "0.6",
    "DIALSTREAM_GLOBAL_CONCURRENCY_LIMIT": "60",
    "DIALSTREAM_START_DEADLINE_SECONDS": "120",
}
# Longer than `hold_until` of a call held in an executor, whose placement's answer was lost.
PATIENCE_SECONDS: Final = 30.0
GLOBAL_LIMIT: Final = int(SETTINGS["DIALSTREAM_GLOBAL_CONCURRENCY_LIMIT"])
# The oldest look at the gate, and a second for the one request that is on its way (docs/architecture.md, I5).
REACTION: Final = timedelta(milliseconds=250, seconds=1)


@dataclass(slots=True)
class Stage:
    """Breaks and mends single parts. Every method is safe to repeat."""

    system: System
    servers: Servers
    clocks_are_wrong: bool
    kafka_lines: Mapping[str, Line]
    mongodb_lines: Mapping[str, Line]
    callbacks: Line
    store: Store
    record_file: Path
    receiving: Receiving
    frozen: set[str] = field(default_factory=set)
    # Kinds of processes that had to be killed because SIGTERM took them too long.
    outlasted: Counter[str] = field(default_factory=Counter)

    async def end(self, name: str) -> None:
        """SIGTERM, and SIGKILL for who has not ended when an operator's patience does."""
        try:
            await self.system.stop(name, PATIENCE_SECONDS)
        except TimeoutError:
            self.outlasted[name.rstrip("-0123456789")] += 1
            await self.system.kill(name)

    async def start_again(self, name: str) -> None:
        """A new process in the place of one that has ended. Not waited for: its servers may be away."""
        if self.system.processes[name].returncode is not None:
            await self.system.launch(name)

    def freeze(self, name: str) -> None:
        """SIGSTOP."""
        if self.system.processes[name].returncode is None:
            self.frozen.add(name)
            self.system.processes[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """SIGCONT."""
        self.frozen.discard(name)
        if self.system.processes[name].returncode is None:
            self.system.processes[name].send_signal(signal.SIGCONT)

    async def tell_carrier(self, changes: Mapping[str, Any]) -> None:
        """Change the carrier's behaviour for calls from now on."""
        url = f"{self.system.lineup.carrier.url}/simulator/settings"
        async with self.system.session.put(url, json=dict(changes)) as answer:
            answer.raise_for_status()

    async def mend_everything(self) -> None:
        """Every process and server runs, every line is open."""
        for line in (*self.kafka_lines.values(), *self.mongodb_lines.values(), self.callbacks):
            line.mend()
        for name in list(self.frozen):
            self.thaw(name)
        await self.receiving.tell(SHAKY, Mood.WELL)
        await asyncio.gather(*(node.start() for node in self.servers.nodes.values()))
        ended = [name for name, process in self.system.processes.items() if process.returncode is not None]
        if ended:
            await self.system.start(*ended)


@asynccontextmanager
async def stage(root: Path, seed: int) -> AsyncIterator[Stage]:
    """Servers, services and lines under the folder `root`; all of it runs inside the block.

    With an even seed some processes' clocks are wrong, where that can be had. With every third seed there are three
    brokers and a replica set of three; their clients reach each node by itself, so there are no lines to break then.
    """
    logs = root / "logs"
    logs.mkdir(parents=True)
    async with AsyncExitStack() as undo:
        kafka_lines, mongodb_lines = dict[str, Line](), dict[str, Line]()
        if seed % 3 == 0:
            servers = await undo.enter_async_context(three_of_each(root))
        else:
            kafka_lines = {name: await undo.enter_async_context(line_to((LOCALHOST, free_port()))) for name in LINED}
            listeners = {line.targets[0][1]: line.listening_on for line in kafka_lines.values()}
            servers = await undo.enter_async_context(one_of_each(root, listeners))
            mongodb = (LOCALHOST, _port_of_mongodb(servers.addresses.mongodb))
            mongodb_lines = {name: await undo.enter_async_context(line_to(mongodb)) for name in LINED}
        callbacks = await undo.enter_async_context(line_to())
        receiver = await undo.enter_async_context(receiving(root))
        record_file = root / "carrier.jsonl"
        settings = {
            **SETTINGS,
            "DIALSTREAM_SIMULATOR_SEED": str(seed),
            "DIALSTREAM_SIMULATOR_RECORD_FILE": str(record_file),
        }
        clocks = wrong_clocks() if seed % 2 == 0 else {}
        own = _own_settings(kafka_lines, mongodb_lines, callbacks, clocks)
        system = await undo.enter_async_context(
            system_on(
                servers.addresses, logs, COUNTS, settings=settings, own=own, instead=INSTEAD, copies=servers.copies
            )
        )
        callbacks.targets = [(LOCALHOST, member.port) for member in system.lineup.apis]
        await system.start()
        store = connect(MongoSettings(mongodb=servers.addresses.mongodb, mongodb_database=system.database))
        undo.push_async_callback(store.close)
        yield Stage(system, servers, bool(clocks), kafka_lines, mongodb_lines, callbacks, store, record_file, receiver)


def _own_settings(
    kafka_lines: Mapping[str, Line],
    mongodb_lines: Mapping[str, Line],
    callbacks: Line,
    clocks: Mapping[str, Mapping[str, str]],
) -> dict[str, dict[str, str]]:
    """Variables of single members, by name."""
    # Whoever places or looks up calls names the balancer as where callbacks go.
    balanced = {"DIALSTREAM_CALLBACK_BASE_URL": f"http://{LOCALHOST}:{callbacks.listening_on}"}
    own = {name: {**balanced, **clocks.get(name, {})} for name in MEMBERS}
    for name, line in kafka_lines.items():
        own[name]["DIALSTREAM_KAFKA"] = f"{LOCALHOST}:{line.listening_on}"
    for name, line in mongodb_lines.items():
        own[name]["DIALSTREAM_MONGODB"] = f"mongodb://{LOCALHOST}:{line.listening_on}/?directConnection=true"
    return own


def _port_of_mongodb(address: str) -> int:
    return int(address.removeprefix("mongodb://").partition("/")[0].rpartition(":")[2])
