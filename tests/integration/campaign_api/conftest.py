"""One gateway for all tests of this folder: every test brings organizations of its own."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import pytest
import uvicorn
from aiokafka import AIOKafkaConsumer

from deploy.create_topics import create_topics, delete_topics
from services.campaign_api.app import Mounted, build_app
from services.campaign_api.settings import ApiSettings
from shared.bus.producer import Producer
from shared.events import ORG_EVENT, AnyOrgEvent
from shared.http_server import KEEP_ALIVE_SECONDS
from shared.settings import KafkaSettings
from shared.store.client import Store, connect
from shared.store.migrations.schema import read_version
from shared.topics import ORG_EVENTS
from tests.databases import drop_database
from tests.eventually import eventually
from tests.integration.campaign_api.client import ADMIN_TOKEN, Api, Customer
from tests.integration.campaign_api.console_browser import Person, person_at


class EventsOf(Protocol):
    """Waits for an organization's events of one kind, and for as many as are wanted."""

    async def __call__(self, organization_id: str, kind: type[Any], at_least: int = 1) -> list[Any]: ...


AUTH_TOKEN = "carrier-secret"
PUBLIC_URL = "https://calls.example.com"


@dataclass(frozen=True, slots=True)
class Stack:
    """What the gateway runs on."""

    settings: ApiSettings
    store: Store
    producer: Producer


def settings_for(kafka: str, mongodb: str, topic_prefix: str, **more: object) -> ApiSettings:
    """Settings of a gateway for tests, on a database of its own."""
    values: dict[str, object] = {
        "kafka": kafka,
        "topic_prefix": topic_prefix,
        "mongodb": mongodb,
        "mongodb_database": f"test_{uuid.uuid4().hex}",
        "admin_token": ADMIN_TOKEN,
        "secret_key": "stored-secrets-" + "x" * 20,
        "twilio_auth_token": AUTH_TOKEN,
        "callback_base_url": PUBLIC_URL,
    }
    return ApiSettings.model_validate(values | more)


@asynccontextmanager
async def serving(
    settings: ApiSettings, store: Store, producer: Producer, dialects: Sequence[Mounted] = ()
) -> AsyncIterator[Api]:
    """A gateway on a free port of the loopback interface, with these dialects beside the native one."""
    app = build_app(settings, store=store, producer=producer, dialects=dialects)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, access_log=False, timeout_keep_alive=KEEP_ALIVE_SECONDS
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    try:
        await eventually(lambda: server.started or running.done(), saying="the gateway")
        port = server.servers[0].sockets[0].getsockname()[1]
        async with aiohttp.ClientSession() as session:
            yield Api(f"http://127.0.0.1:{port}", session)
    finally:
        server.should_exit = True
        await running


@pytest.fixture(scope="session")
async def topics(kafka_address: str) -> AsyncIterator[str]:
    """The prefix of this folder's topics."""
    settings = KafkaSettings(kafka=kafka_address, topic_prefix=f"api-{uuid.uuid4().hex[:12]}.")
    await create_topics(settings)
    yield settings.topic_prefix
    await delete_topics(settings)


@pytest.fixture(scope="session")
async def stack(kafka_address: str, mongodb_address: str, topics: str) -> AsyncIterator[Stack]:
    """A database, and a producer."""
    settings = settings_for(kafka_address, mongodb_address, topics)
    store, producer = connect(settings), Producer(settings)
    await store.ensure_indexes()
    # What is stored before a service has started counts as of the first release, unless the version is there.
    await read_version(store)
    await producer.start()
    yield Stack(settings, store, producer)
    await producer.stop()
    await store.close()
    await drop_database(settings)


@pytest.fixture(scope="session")
async def api(stack: Stack) -> AsyncIterator[Api]:
    """The gateway."""
    async with serving(stack.settings, stack.store, stack.producer) as running:
        yield running


@pytest.fixture
async def acme(api: Api) -> Customer:
    """A customer."""
    return await api.new_customer()


@pytest.fixture
async def other(api: Api) -> Customer:
    """A customer of another organization."""
    return await api.new_customer(name="Other")


@pytest.fixture
async def events(stack: Stack) -> AsyncIterator[EventsOf]:
    """Waits for an organization's events of one kind on `org.events`."""
    consumer = AIOKafkaConsumer(
        stack.producer.topic_name(ORG_EVENTS),
        bootstrap_servers=stack.settings.kafka,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    seen: list[tuple[int, AnyOrgEvent]] = []

    async def of(organization_id: str, kind: type[Any], at_least: int = 1) -> list[Any]:
        async def look() -> list[Any]:
            for records in (await consumer.getmany(timeout_ms=50)).values():
                seen.extend((record.partition, ORG_EVENT.validate_json(record.value or b"")) for record in records)
            found = [(partition, event) for partition, event in seen if event.organization_id == organization_id]
            assert all(partition == event.shard for partition, event in found)
            wanted = [event for _, event in found if isinstance(event, kind)]
            return wanted if len(wanted) >= at_least else []

        return await eventually(look, saying=f"{at_least} {kind.__name__}")

    yield of
    await consumer.stop()


@pytest.fixture
async def person(api: Api) -> AsyncIterator[Person]:
    """Somebody at the console, not signed in."""
    async with person_at(api.url) as somebody:
        yield somebody


@pytest.fixture
async def operator(person: Person, acme: Customer) -> Person:
    """Somebody at the console, signed in with the customer's key."""
    assert (await person.sign_in(acme.key)).path == "/"
    return person


@pytest.fixture
async def console(api: Api) -> AsyncIterator[str]:
    """The console's address."""
    async with person_at(api.url) as person:
        yield person.url
