"""A whole Dialstream for a test: real processes on the tests' Kafka and MongoDB, with own topics and database."""

import asyncio
import functools
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import aiohttp

from deploy.create_topics import create_topics, delete_topics
from deploy.demo.client import Api
from deploy.demo.customer import Customer, customer
from deploy.demo.settings import SECONDS
from deploy.local.credentials import Credentials
from deploy.local.lineup import ONE_OF_EACH, REPOSITORY, Counts, Lineup, Member, build_lineup
from deploy.local.process import tail
from deploy.local.servers import Addresses
from deploy.local.supervision import answers_ready
from shared.settings import KafkaSettings, MongoSettings
from shared.store.client import connect
from tests.eventually import PATIENCE, eventually

READY_SECONDS = 40.0
STOP_SECONDS = PATIENCE * 15.0


@dataclass(slots=True)
class System:
    """Processes by name: carrier-simulator, and campaign-api-0, contact-ingest-0, scheduler-0, executor-0 and so on."""

    lineup: Lineup
    addresses: Addresses
    topic_prefix: str
    database: str
    credentials: Credentials
    session: aiohttp.ClientSession
    logs: Path
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, *names: str) -> None:
        """Start processes (all by default), as new ones or again, and wait until they are ready."""
        members = [member for member in self.lineup.members if member.name in names or not names]
        for member in members:
            await self.launch(member.name)
        for member in members:
            await eventually(functools.partial(self._ready, member), timeout=READY_SECONDS, saying=member.name)

    async def launch(self, name: str) -> None:
        """Start one process and do not wait."""
        [member] = [member for member in self.lineup.members if member.name == name]
        with self._log(member).open("a") as log:
            self.processes[name] = await _spawn(member, log)

    async def stop(self, name: str, patience: float = STOP_SECONDS) -> int:
        """SIGTERM; the exit code. Raises TimeoutError when it has not ended after `patience` seconds."""
        process = self.processes[name]
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(patience):
            return await process.wait()

    async def kill(self, name: str) -> None:
        """SIGKILL: it cannot know."""
        self.processes[name].kill()
        await self.processes[name].wait()

    async def stop_all(self) -> None:
        """End every process, by force where SIGTERM does not."""
        for process in self.processes.values():
            if process.returncode is None:
                process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.gather(*(process.wait() for process in self.processes.values()))
        except TimeoutError:
            for name, process in self.processes.items():
                if process.returncode is None:
                    await self.kill(name)

    async def new_customer(self) -> "SystemCustomer":
        """A new organization with a key."""
        who = await customer(self.session, self.lineup.api.url, self.credentials.admin_token, {})
        return SystemCustomer(who, Api(self.session, self.lineup.api.url, who.key))

    async def carrier_summary(self) -> dict[str, Any]:
        """The carrier's counts since it started."""
        async with self.session.get(f"{self.lineup.carrier.url}/simulator/summary") as answer:
            summary: dict[str, Any] = await answer.json()
            return summary

    async def carrier_record(self) -> list[dict[str, Any]]:
        """All that the carrier has written down, oldest first (see its `record`)."""
        entries: list[dict[str, Any]] = []
        while True:
            last = entries[-1]["n"] if entries else 0
            async with self.session.get(f"{self.lineup.carrier.url}/simulator/record?after={last}") as answer:
                lines = (await answer.text()).splitlines()
            if not lines:
                return entries
            entries += [json.loads(line) for line in lines]

    async def _ready(self, member: Member) -> bool:
        self.check(member.name)
        return await answers_ready(self.session, member)

    def check(self, *names: str) -> None:
        """Fails the test when one of these processes (all by default) has ended."""
        for name, process in self.processes.items():
            if (name in names or not names) and process.returncode is not None:
                raise AssertionError(f"{name} ended with {process.returncode}:\n{tail(self.logs / f'{name}.log')}")

    def _log(self, member: Member) -> Path:
        return self.logs / f"{member.name}.log"


@dataclass(frozen=True, slots=True)
class SystemCustomer:
    """An organization, and its access to the API."""

    who: Customer
    api: Api

    @property
    def organization_id(self) -> str:
        """The organization."""
        return self.who.organization_id

    async def statistics(self, campaign_id: str) -> dict[str, Any]:
        """The campaign's counts."""
        statistics: dict[str, Any] = await self.api.get(f"/campaign/campaigns/{campaign_id}/stats")
        return statistics

    async def contact(self, campaign: str, contact: str) -> dict[str, Any]:
        """One contact with its attempts."""
        found: dict[str, Any] = await self.api.get(f"/campaign/campaigns/{campaign}/contacts/{contact}")
        return found


async def _spawn(member: Member, log: IO[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *member.command, cwd=REPOSITORY, env=dict(member.environment), stdout=log, stderr=log
    )


@asynccontextmanager
async def system_on(
    servers: Addresses,
    logs: Path,
    counts: Counts = ONE_OF_EACH,
    *,
    settings: Mapping[str, str] | None = None,
    own: Mapping[str, Mapping[str, str]] | None = None,
    instead: Mapping[str, str] | None = None,
    copies: int = 1,
) -> AsyncIterator[System]:
    """A system with nothing started yet; all of it is gone at the end. Time limits are the demo's, in seconds.

    `settings`: environment variables on top, the carrier's behaviour for example; `own`: for single members, by name.
    `instead`: modules that run single members, by name, in the place of their service's own.
    `copies`: brokers that hold each topic.
    """
    name = f"test_{uuid.uuid4().hex}"
    kafka = KafkaSettings(kafka=servers.kafka, topic_prefix=f"{name}.")
    private = {"DIALSTREAM_TOPIC_PREFIX": kafka.topic_prefix, "DIALSTREAM_MONGODB_DATABASE": name}
    credentials = Credentials.new()
    lineup = build_lineup(
        servers,
        credentials,
        counts,
        settings={**SECONDS, **(settings or {}), **private},
        own=own,
        instead=instead,
    )
    await create_topics(kafka, replication_factor=copies)
    try:
        async with aiohttp.ClientSession() as session:
            system = System(lineup, servers, kafka.topic_prefix, name, credentials, session, logs)
            try:
                yield system
            finally:
                await system.stop_all()
    finally:
        await delete_topics(kafka)
        await _drop_database(servers, name)


async def _drop_database(servers: Addresses, name: str) -> None:
    store = connect(MongoSettings(mongodb=servers.mongodb, mongodb_database=name))
    await store.client.drop_database(name)
    await store.close()
