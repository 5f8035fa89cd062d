"""contact-ingest while things die: MongoDB away, the process killed, servers absent at the start."""

import asyncio
import functools
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from pymongo.uri_parser import parse_uri

from services.contact_ingest.app import running
from services.contact_ingest.settings import IngestSettings
from shared.store.reports.counters import campaign_counts
from tests.eventually import PATIENCE, eventually
from tests.integration.contact_ingest.customer import Customer
from tests.proxy import line_to


def contacts(count: int, prefix: str = "c") -> list[dict[str, object]]:
    return [{"external_id": f"{prefix}{n}", "phone_numbers": ["+14155550123"]} for n in range(count)]


async def test_batches_wait_while_mongodb_is_away(customer: Customer, settings: IngestSettings) -> None:
    host, port = parse_uri(settings.mongodb)["nodelist"][0]
    async with line_to((host, port)) as line:
        away = settings.model_copy(update={"mongodb": settings.mongodb.replace(f":{port}", f":{line.listening_on}")})
        async with running(away) as health:
            await customer.done(await customer.publish(customer.batch(*contacts(1, "before"))))
            line.cut()
            during = [await customer.publish(customer.batch(*contacts(50, f"d{n}-"))) for n in range(3)]
            url = f"http://127.0.0.1:{health.port}/health/ready"
            assert await eventually(lambda: _away(url), timeout=20) == ["MongoDB"]
            assert await customer.contacts() == 1
            line.mend()
            for batch_id in during:
                assert (await customer.done(batch_id, timeout=60)).inserted == 50
            await eventually(lambda: _is_ready(url), timeout=20)
    assert (await campaign_counts(customer.store, customer.campaign_id)).pending == 151


async def _away(url: str) -> list[str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        away: list[str] = (await answer.json()).get("away", [])
        return away


async def _is_ready(url: str) -> bool:
    return not await _away(url)


@asynccontextmanager
async def process(settings: IngestSettings, **overrides: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """contact-ingest as its own process; killed at the end if it still runs."""
    environment = {
        "DIALSTREAM_KAFKA": settings.kafka,
        "DIALSTREAM_MONGODB": settings.mongodb,
        "DIALSTREAM_MONGODB_DATABASE": settings.mongodb_database,
        "DIALSTREAM_TOPIC_PREFIX": settings.topic_prefix,
        "DIALSTREAM_INSTANCE": "0",
        "DIALSTREAM_START_DEADLINE_SECONDS": "20",
    }
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.contact_ingest",
        env=os.environ | environment | overrides,
        stderr=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_a_killed_process_loses_nothing_and_doubles_nothing(customer: Customer, settings: IngestSettings) -> None:
    batches = [customer.batch(*contacts(300, f"b{n}-"), *[{"phone_numbers": ["+14155550199"]}] * 5) for n in range(12)]
    for number, batch in enumerate(batches):
        await customer.publish(batch, partition=number % 3)
    for fewest in (1, 1200):
        async with process(settings) as ingest:
            await eventually(functools.partial(_more_than, customer, fewest), timeout=60)
            ingest.kill()
            await ingest.wait()
    async with process(settings) as ingest:
        for batch in batches:
            assert (await customer.done(batch["batch_id"], timeout=60)).inserted == 305
        ingest.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(ingest.wait(), PATIENCE * 20) == 0
    assert await customer.contacts() == 12 * 305
    assert (await campaign_counts(customer.store, customer.campaign_id)).pending == 12 * 305


async def _more_than(customer: Customer, count: int) -> bool:
    return await customer.contacts() > count


@pytest.mark.parametrize(
    ("away", "says"),
    [
        ({"DIALSTREAM_KAFKA": "127.0.0.1:9"}, b"Kafka is not reachable"),
        ({"DIALSTREAM_MONGODB": "mongodb://127.0.0.1:9/?directConnection=true"}, b"MongoDB is not reachable"),
    ],
)
async def test_it_gives_up_when_a_server_stays_away_at_the_start(
    settings: IngestSettings, away: dict[str, str], says: bytes
) -> None:
    async with process(settings, **{"DIALSTREAM_START_DEADLINE_SECONDS": "0.5"} | away) as ingest:
        _, errors = await asyncio.wait_for(ingest.communicate(), PATIENCE * 40)
    assert ingest.returncode == 1
    assert says in errors


async def test_contradicting_settings_stop_it(settings: IngestSettings) -> None:
    async with process(settings, DIALSTREAM_INGEST_MAX_BATCHES="0") as ingest:
        _, errors = await asyncio.wait_for(ingest.communicate(), PATIENCE * 40)
    assert ingest.returncode == 2
    assert b"DIALSTREAM_INGEST_MAX_BATCHES" in errors
