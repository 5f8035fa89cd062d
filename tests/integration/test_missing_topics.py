"""Services on a Kafka where nobody has made the topics: they say so and wait, and give up after their deadline."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator

import pytest

from deploy.create_topics import create_topics, delete_topics
from deploy.local.home import free_port
from services.contact_ingest.app import running
from services.contact_ingest.settings import IngestSettings
from shared.bus.producer import Producer
from shared.bus.required_topics import needed_by
from shared.settings import KafkaSettings
from shared.store.client import Store
from tests.eventually import PATIENCE, eventually
from tests.integration.contact_ingest.customer import new_customer


@pytest.fixture
async def prefix(kafka_address: str) -> AsyncIterator[str]:
    """A prefix under which there are no topics; those that the test makes are deleted."""
    settings = KafkaSettings(kafka=kafka_address, topic_prefix=f"test-{uuid.uuid4().hex[:12]}.")
    yield settings.topic_prefix
    await delete_topics(settings)


async def failed(module: str, environment: dict[str, str]) -> str:
    """What a process has said that ended with 1."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), PATIENCE * 40)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 1
    return said.decode()


@pytest.mark.parametrize("service", ["campaign-api", "contact-ingest", "scheduler", "call-executor", "webhook-sender"])
async def test_it_says_which_are_missing_and_gives_up(
    service: str, store: Store, kafka_address: str, mongodb_address: str, prefix: str
) -> None:
    environment = {
        "DIALSTREAM_KAFKA": kafka_address,
        "DIALSTREAM_TOPIC_PREFIX": prefix,
        "DIALSTREAM_MONGODB": mongodb_address,
        "DIALSTREAM_MONGODB_DATABASE": store.db.name,
        "DIALSTREAM_ADMIN_TOKEN": "t" * 32,
        "DIALSTREAM_TELEPHONY_PROVIDER": "scripted",
        "DIALSTREAM_START_DEADLINE_SECONDS": "0.5",
    }
    said = await failed(f"services.{service.replace('-', '_')}", environment)
    missing = ", ".join(prefix + name for name in needed_by(service))
    assert f"{missing}; make them with `python -m deploy.create_topics`" in said
    assert "Traceback" not in said


async def test_it_goes_on_once_they_are_made(
    store: Store, kafka_address: str, mongodb_address: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = asyncio.Event()
    look = Producer.existing_topics

    async def seen(producer: Producer) -> set[str]:
        topics = await look(producer)
        looked.set()
        return topics

    monkeypatch.setattr(Producer, "existing_topics", seen)
    settings = IngestSettings(
        kafka=kafka_address, mongodb=mongodb_address, mongodb_database=store.db.name, topic_prefix=prefix
    )

    async def serve() -> None:
        async with running(settings), new_customer(store, kafka_address, prefix) as customer:
            batch = customer.batch({"external_id": "a", "phone_numbers": ["+14155550123"]})
            assert (await customer.done(await customer.publish(batch))).inserted == 1

    serving = asyncio.create_task(serve())
    await eventually(looked.is_set, timeout=20)
    await create_topics(settings)
    await asyncio.wait_for(serving, PATIENCE * 60)


async def test_replay_says_so_at_once(kafka_address: str, prefix: str) -> None:
    said = await failed("deploy.replay", {"DIALSTREAM_KAFKA": kafka_address, "DIALSTREAM_TOPIC_PREFIX": prefix})
    asked, refused = said.splitlines()
    assert asked == f"Asking Kafka at {kafka_address} for the dead letters of {prefix}contact.batches."
    assert refused.startswith("replay: These topics do not exist on Kafka at ")
    assert f"{prefix}contact.batches, {prefix}contact.batches.dlq; make them" in refused


async def test_replay_without_a_broker_names_the_one_it_asked_in_one_sentence() -> None:
    nobody = f"127.0.0.1:{free_port()}"
    said = await failed("deploy.replay", {"DIALSTREAM_KAFKA": nobody, "DIALSTREAM_TOPIC_PREFIX": ""})
    assert said.splitlines() == [
        f"Asking Kafka at {nobody} for the dead letters of contact.batches.",
        f"replay: Kafka is not reachable: no broker at {nobody} within 3 s; set DIALSTREAM_KAFKA",
    ]
