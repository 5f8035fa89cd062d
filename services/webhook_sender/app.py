"""The whole wiring of webhook-sender."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from services.webhook_sender.client import Client
from services.webhook_sender.intake import Intake
from services.webhook_sender.sender import Sender
from services.webhook_sender.settings import SenderSettings
from shared.beside import beside
from shared.bus.consumers import BatchReader
from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.engine.engine import Engine
from shared.engine.file_places import FilePlace
from shared.engine.hints import Hints
from shared.file_urls import FileUrls
from shared.health import HealthServer
from shared.logs import get_logger
from shared.store.catalog.file_contents import GridFSFiles
from shared.store.client import connect
from shared.stored_secrets import SecretCipher
from shared.topics import ORG_FACTS
from shared.wiring import connected

SERVICE = "webhook-sender"
# Facts read from Kafka at once.
MAX_RECORDS: Final = 1000


@asynccontextmanager
async def running(settings: SenderSettings) -> AsyncIterator[HealthServer]:
    """webhook-sender at work; its health pages. At the end it drains: what is under way is answered and marked.

    Raises what `connected` raises, and `Unavailable` when Kafka goes away while webhook-sender joins its group.
    """
    store, producer = connect(settings), Producer(settings)
    # Renderers read by use cases; a use case that gives hints is none of them.
    engine = Engine(
        store,
        Hints(producer),
        source=SERVICE,
        # No renderer asks for a file.
        files=FilePlace(GridFSFiles(store), FileUrls(None)),
        secrets=SecretCipher(settings.secret_key),
        private_receivers=settings.webhook_private_addresses,
    )
    async with (
        connected(settings, store, producer, SERVICE) as health,
        Client(connections=settings.webhook_connections, private_allowed=settings.webhook_private_addresses) as client,
    ):
        sender = Sender(
            engine,
            client.post,
            connections=settings.webhook_connections,
            poll_seconds=settings.webhook_poll_seconds,
            clock=utc_now,
        )
        reader = BatchReader(
            settings,
            SERVICE,
            ORG_FACTS,
            Intake(store, producer, sender.wake, utc_now).on_records,
            max_records=MAX_RECORDS,
            stop_seconds=settings.shutdown_seconds,
        )
        health.checks["consumer"] = reader.is_reading
        async with beside(sender.run(), name=SERVICE, end=sender.end):
            try:
                await reader.start()
                get_logger().info("reading", topic=producer.topic_name(ORG_FACTS))
                yield health
            finally:
                await reader.stop()
