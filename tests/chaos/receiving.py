"""The receiver of a run, seen from outside: started, told how to behave, and its record read."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from deploy.local.home import LOCALHOST, free_port
from deploy.local.lineup import REPOSITORY
from tests.chaos.receiver import Mood
from tests.eventually import eventually

# Two receivers in one process: one that is always well and wants everything, and one that faults are at work on.
STEADY: Final = "steady"
SHAKY: Final = "shaky"


@dataclass(frozen=True, slots=True)
class Got:
    """One request as a receiver has written it down; `at` is when it came."""

    at: datetime
    receiver: str
    organization_id: str
    id: str
    accepted: bool
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Receiving:
    """The running receiver, and where its record is."""

    session: aiohttp.ClientSession
    port: int
    record: Path

    def url(self, receiver: str, organization_id: str) -> str:
        """Where an organization's webhooks go."""
        return f"http://{LOCALHOST}:{self.port}/{receiver}/{organization_id}"

    async def tell(self, receiver: str, mood: Mood) -> None:
        """Have one behave otherwise from now on."""
        async with self.session.put(f"http://{LOCALHOST}:{self.port}/moods/{receiver}", data=mood.value) as answer:
            answer.raise_for_status()

    async def is_up(self) -> bool:
        """Whether it answers."""
        try:
            await self.tell(SHAKY, Mood.WELL)
        except aiohttp.ClientError:
            return False
        return True

    def got(self) -> list[Got]:
        """All that has come so far, oldest first."""
        return [_got(orjson.loads(line)) for line in self.record.read_bytes().splitlines()]


def _got(entry: Mapping[str, Any]) -> Got:
    return Got(
        at=datetime.fromisoformat(entry["at"]),
        receiver=entry["receiver"],
        organization_id=entry["organization_id"],
        id=entry["id"],
        accepted=entry["accepted"],
        body=entry["body"],
    )


@asynccontextmanager
async def receiving(root: Path) -> AsyncIterator[Receiving]:
    """A receiver in a process of its own, that writes its record and log under `root`."""
    port, record = free_port(), root / "received.jsonl"
    command = [sys.executable, "-m", "tests.chaos.receiver", str(port), str(record)]
    with (root / "receiver.log").open("a") as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY, stdout=log, stderr=log)
    try:
        async with aiohttp.ClientSession() as session:
            found = Receiving(session, port, record)
            await eventually(found.is_up, timeout=20, saying="the receiver answers")
            yield found
    finally:
        process.kill()
        await process.wait()
