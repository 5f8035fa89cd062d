"""A whole system on servers of its own, with every line that can be broken: what a run breaks and watches."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from deploy.local import kafka, mongo
from deploy.local.demo_settings import ENDINGS, FAULTS, SECONDS
from deploy.local.home import LOCALHOST, Home, free_port
from deploy.local.lineup import Counts
from deploy.local.servers import Addresses
from shared.settings import MongoSettings
from shared.store.client import Store, connect
from tests.chaos.clocks import wrong_clocks
from tests.e2e.system import System, system_on
from tests.proxy import Line, line_to

COUNTS: Final = Counts(apis=2, ingests=2, schedulers=3, executors=3)
# One process of each service reaches its servers over lines that can be broken; the others go straight.
LINED: Final = ("campaign-api-0", "contact-ingest-0", "scheduler-0", "executor-0")
SETTINGS: Final = {
    **SECONDS,
    **ENDINGS,
    **FAULTS,
    # A dead member is noticed soon; the brokers of a run allow it.
    "DIALSTREAM_KAFKA_SESSION_TIMEOUT_MS": "2000",
    "DIALSTREAM_TWILIO_CALLBACK_RETRIES": "3",
    "DIALSTREAM_SETTLE_SECONDS": "4",
    "DIALSTREAM_SIMULATOR_CALLBACK_TIMEOUT_SECONDS": "3",
    "DIALSTREAM_GLOBAL_CONCURRENCY_LIMIT": "60",
    "DIALSTREAM_START_DEADLINE_SECONDS": "120",
}
GLOBAL_LIMIT: Final = int(SETTINGS["DIALSTREAM_GLOBAL_CONCURRENCY_LIMIT"])
# The oldest look at the gate, and a second for the one request that is on its way (docs/architecture.md, I5).
REACTION: Final = timedelta(milliseconds=250, seconds=1)


@dataclass(slots=True)
class Stage:
    """Breaks and mends single parts. Every method is safe to repeat."""

    system: System
    home: Home
    clocks_are_wrong: bool
    kafka_listeners: Mapping[int, int]
    kafka_lines: Mapping[str, Line]
    mongodb_lines: Mapping[str, Line]
    callbacks: Line
    store: Store
    record_file: Path
    frozen: set[str] = field(default_factory=set)

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

    async def start_kafka(self) -> None:
        """Start Kafka on its data, at its address; let it run if it does."""
        await kafka.start(self.home, self.kafka_listeners)

    async def start_mongodb(self) -> None:
        """Start mongod on its data, at its address; let it run if it does."""
        await mongo.start(self.home)

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
        await asyncio.gather(self.start_kafka(), self.start_mongodb())
        ended = [name for name, process in self.system.processes.items() if process.returncode is not None]
        if ended:
            await self.system.start(*ended)


@asynccontextmanager
async def stage(root: Path, seed: int) -> AsyncIterator[Stage]:
    """Servers, services and lines under the folder `root`; all of it runs inside the block.

    With an even seed some processes' clocks are wrong, where that can be had.
    """
    home = Home(root / "stack", Home.default().downloads)
    logs = root / "logs"
    logs.mkdir(parents=True)
    async with AsyncExitStack() as undo:
        kafka_lines = {name: await undo.enter_async_context(line_to((LOCALHOST, free_port()))) for name in LINED}
        listeners = {line.targets[0][1]: line.listening_on for line in kafka_lines.values()}
        undo.push_async_callback(kafka.stop, home)
        undo.push_async_callback(mongo.stop, home)
        addresses = Addresses(*await asyncio.gather(kafka.start(home, listeners), mongo.start(home)))
        mongodb = (LOCALHOST, _port_of_mongodb(addresses.mongodb))
        mongodb_lines = {name: await undo.enter_async_context(line_to(mongodb)) for name in LINED}
        callbacks = await undo.enter_async_context(line_to())
        record_file = root / "carrier.jsonl"
        settings = {
            **SETTINGS,
            "DIALSTREAM_SIMULATOR_SEED": str(seed),
            "DIALSTREAM_SIMULATOR_RECORD_FILE": str(record_file),
        }
        own = {
            name: {
                "DIALSTREAM_KAFKA": f"{LOCALHOST}:{kafka_lines[name].listening_on}",
                "DIALSTREAM_MONGODB": f"mongodb://{LOCALHOST}:{mongodb_lines[name].listening_on}/?directConnection=true",
            }
            for name in LINED
        }
        executors = [f"executor-{n}" for n in range(COUNTS.executors)]
        schedulers = [f"scheduler-{n}" for n in range(COUNTS.schedulers)]
        # Whoever places or looks up calls names the balancer as where callbacks go.
        balanced = {"DIALSTREAM_CALLBACK_BASE_URL": f"http://{LOCALHOST}:{callbacks.listening_on}"}
        apis = [f"campaign-api-{n}" for n in range(COUNTS.apis)]
        clocks = wrong_clocks() if seed % 2 == 0 else {}
        own = {
            name: {**own.get(name, {}), **balanced, **clocks.get(name, {})}
            for name in {*LINED, *executors, *schedulers, *apis}
        }
        system = await undo.enter_async_context(system_on(addresses, logs, COUNTS, settings=settings, own=own))
        callbacks.targets = [(LOCALHOST, member.port) for member in system.lineup.apis]
        await system.start()
        store = connect(MongoSettings(mongodb=addresses.mongodb, mongodb_database=system.database))
        undo.push_async_callback(store.close)
        yield Stage(system, home, bool(clocks), listeners, kafka_lines, mongodb_lines, callbacks, store, record_file)


def _port_of_mongodb(address: str) -> int:
    return int(address.removeprefix("mongodb://").partition("/")[0].rpartition(":")[2])
