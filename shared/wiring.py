"""What the wirings of the services share: servers in reach, and health pages.

Every service is `async with running(settings) as service:` in its `app.py`: inside of the block it is at work, at the
block's end it leaves in order. A process stays in the block (shared/process.py), a test does what it is about.
"""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.bus.producer import Producer
from shared.bus.required_topics import needed_by, wait_for_topics
from shared.health import HealthServer
from shared.logs import get_logger
from shared.settings import StartSettings
from shared.store.client import Store
from shared.store.readiness import wait_until_ready


async def reach(settings: StartSettings, store: Store, producer: Producer, service: str) -> None:
    """Return when MongoDB, Kafka and the topics of `service` can be used.

    Raises, and the process should end: `ConfigurationError` when MongoDB has no transactions, or documents of a release
    with which this one cannot work; `Unavailable` when a server is away past the start deadline; `TopicsMissing` when
    topics are missing then.
    """
    await wait_until_ready(store, settings.start_deadline_seconds)
    await producer.start(settings.start_deadline_seconds)
    await wait_for_topics(producer, needed_by(service), settings.start_deadline_seconds)


@asynccontextmanager
async def connected(
    settings: StartSettings, store: Store, producer: Producer, service: str
) -> AsyncIterator[HealthServer]:
    """MongoDB, Kafka and the topics of `service` are in reach; the health pages answer from the beginning.

    Ready while MongoDB and Kafka answer, but not before the topics exist. Everything is closed at the end.

    Raises what `reach` raises, and `ConfigurationError` when address or port of the pages cannot be had.
    """
    topics_exist = False

    async def topics() -> bool:
        return topics_exist

    checks = {"MongoDB": store.ping, "Kafka": producer.ping, "topics": topics}
    health = HealthServer(settings.http_host, settings.http_port, checks)
    async with contextlib.AsyncExitStack() as stack:
        for close in (health.stop, store.close, producer.stop):
            stack.push_async_callback(close)
        await health.start()
        get_logger().info("waiting for MongoDB and Kafka", health_port=health.port)
        await reach(settings, store, producer, service)
        topics_exist = True
        yield health
