"""The servers of a run: one Kafka and one mongod, or three of each; every node can be broken by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil

from deploy.local import kafka, mongo
from deploy.local.home import Home
from deploy.local.kafka_settings import Seat
from deploy.local.process import Server
from deploy.local.servers import Addresses
from tests.chaos.disks import small_disk

KAFKA: Final = "kafka"
MONGODB: Final = "mongodb"
THREE: Final = range(3)


@dataclass(frozen=True, slots=True)
class Node:
    """One server process. `start` starts it on its data, or lets it run if it does; `disk` is one of its own."""

    name: str
    start: Callable[[], Awaitable[Any]]
    stop: Callable[[], Awaitable[Any]]
    find: Callable[[], Server | None]
    disk: Path | None

    def process(self) -> psutil.Process:
        """The running process. Raises AssertionError when there is none."""
        found = self.find()
        assert found is not None, f"{self.name} does not run"
        return found.process


@dataclass(frozen=True, slots=True)
class Servers:
    """All nodes by name, and how clients reach them. `copies`: brokers that hold each topic."""

    nodes: Mapping[str, Node]
    addresses: Addresses
    copies: int

    @property
    def are_three(self) -> bool:
        """Whether one of them may be lost."""
        return self.copies > 1


@asynccontextmanager
async def one_of_each(root: Path, listeners: Mapping[int, int]) -> AsyncIterator[Servers]:
    """One Kafka and one mongod under `root`. `listeners`: see `deploy.local.kafka_settings.properties`."""
    async with AsyncExitStack() as undo:
        home = _home(root, "stack")
        nodes = [
            await _node(undo, KAFKA, home, partial(kafka.start, home, listeners)),
            await _node(undo, MONGODB, home, partial(mongo.start, home)),
        ]
        addresses = Addresses(*await asyncio.gather(*(node.start() for node in nodes)))
        yield Servers({node.name: node for node in nodes}, addresses, copies=1)


@asynccontextmanager
async def three_of_each(root: Path) -> AsyncIterator[Servers]:
    """A Kafka of three brokers and a replica set of three under `root`."""
    async with AsyncExitStack() as undo:
        homes = {n: _home(root, f"stack-{n}") for n in THREE}
        controllers = {n + 1: await home.port_for("kafka-controller") for n, home in homes.items()}
        brokers = [
            await _node(undo, f"{KAFKA}-{n}", home, partial(kafka.start, home, seat=Seat(n + 1, controllers)))
            for n, home in homes.items()
        ]
        members = [
            await _node(undo, f"{MONGODB}-{n}", home, partial(mongo.start_member, home)) for n, home in homes.items()
        ]
        started = asyncio.gather(*(broker.start() for broker in brokers))
        ports = await asyncio.gather(*(member.start() for member in members))
        addresses = Addresses(",".join(await started), await mongo.form_set(ports))
        yield Servers({node.name: node for node in (*brokers, *members)}, addresses, copies=len(brokers))


async def _node(undo: AsyncExitStack, name: str, home: Home, start: Callable[[], Awaitable[Any]]) -> Node:
    server, data = (kafka, home.kafka) if name.startswith(KAFKA) else (mongo, home.mongo)
    disk = undo.enter_context(small_disk(data))
    undo.push_async_callback(server.stop, home)
    return Node(name, start, partial(server.stop, home), partial(server.find, home), disk)


def _home(root: Path, name: str) -> Home:
    return Home(root / name, Home.default().downloads)
