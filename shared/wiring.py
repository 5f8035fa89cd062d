"""What the wirings of the services share: servers in reach, health pages, and work beside a block.

Every service is `async with running(settings) as service:` in its `app.py`: inside of the block it is at work, at the
block's end it leaves in order. A process stays in the block (shared/process.py), a test does what it is about.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

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


@asynccontextmanager
async def beside(
    work: Coroutine[Any, Any, None], *, name: str, end: Callable[[], object] | None = None
) -> AsyncIterator[None]:
    """`work` goes on while the block does; at the block's end it is told to end, and waited for.

    `end` tells it; without, it is cancelled. Work that ends before ends the block, which raises the work's error, or
    `RuntimeError` if it had none. Who is cancelled while waiting cancels the work: what it does in order is cut short.
    """
    block = asyncio.current_task()
    assert block is not None
    task = asyncio.create_task(work, name=name)
    leaving = cut = False

    def end_block(_: asyncio.Task[None]) -> None:
        nonlocal cut
        if not leaving:
            cut = block.cancel()

    task.add_done_callback(end_block)
    try:
        yield
    except asyncio.CancelledError:
        if not cut:
            raise
        block.uncancel()
    finally:
        leaving, by_itself = True, task.done()
        if not by_itself:
            await _end(task, end or task.cancel, block)
    if by_itself:
        task.result()
        raise RuntimeError(f"{name} has ended, although nobody said so")


async def _end(task: asyncio.Task[None], end: Callable[[], object], block: asyncio.Task[Any]) -> None:
    """Tell the work to end and wait for it. Raises an error that it ends with."""
    end()
    try:
        await task
    except asyncio.CancelledError:
        # Its own end, which we asked for; unless it is ours.
        if block.cancelling():
            raise
