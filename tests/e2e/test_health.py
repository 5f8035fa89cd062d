"""What `/health/ready` of every service says while Kafka or MongoDB is away, and when it is back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local import kafka, mongo
from deploy.local.home import Home
from deploy.local.servers import Addresses
from tests.e2e.system import System, system_on
from tests.eventually import eventually

SERVICES = ("campaign-api-0", "contact-ingest-0", "scheduler-0", "executor-0", "webhook-sender-0")


@pytest.fixture
async def own_servers(tmp_path: Path) -> AsyncIterator[Home]:
    """A Kafka and a MongoDB of this test's own, to be stopped."""
    home = Home(tmp_path / "stack", Home.default().downloads)
    yield home
    await kafka.stop(home)
    await mongo.stop(home)


async def test_ready_names_the_server_that_is_away_in_every_service_until_it_is_back(
    own_servers: Home, tmp_path: Path
) -> None:
    addresses = Addresses(await kafka.start(own_servers), await mongo.start(own_servers))
    async with system_on(addresses, tmp_path) as system:
        await system.start()
        await all_say(system, [])
        await kafka.stop(own_servers)
        await all_say(system, ["kafka"])
        assert await kafka.start(own_servers) == addresses.kafka
        await all_say(system, [])
        await mongo.stop(own_servers)
        await all_say(system, ["mongodb"])
        assert await mongo.start(own_servers) == addresses.mongodb
        await all_say(system, [])
        system.check()


async def all_say(system: System, away: list[str]) -> None:
    """Wait until every service names these as away, and nothing else."""
    expected = {name: away for name in SERVICES}

    async def say_so() -> bool:
        return await names_away(system) == expected

    await eventually(say_so, timeout=60, every=0.2, saying=f"away in every service: {away}")


async def names_away(system: System) -> dict[str, list[str]]:
    """What each service says is away, in lower case; ready services answer 200 and name nothing."""
    said = {}
    for member in system.lineup.members:
        if member.name not in SERVICES:
            continue
        async with system.session.get(f"{member.url}/health/ready") as answer:
            away = (await answer.json()).get("away", [])
            assert answer.status == (503 if away else 200)
            said[member.name] = [name.lower() for name in away]
    return said
