"""The whole wiring of contact-ingest."""

import functools
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, Topic
from faststream.kafka.subscriber.usecase import BatchSubscriber

from services.contact_ingest.handlers import Ingest
from services.contact_ingest.settings import IngestSettings
from shared.bus.patient_consumer import make_patient
from shared.bus.producer import Producer
from shared.bus.raw_records import Read, as_read, without_headers
from shared.domain.phone import raise_regex_cache
from shared.errors import Unavailable
from shared.health import HealthServer
from shared.logs import get_logger
from shared.store.client import connect
from shared.topics import CONTACT_BATCHES
from shared.wiring import connected

GROUP = "contact-ingest"
# Each process adds to one of so many counter documents of a campaign, so that processes seldom collide.
COUNTER_SLOTS = 16


@asynccontextmanager
async def running(settings: IngestSettings) -> AsyncIterator[HealthServer]:
    """contact-ingest at work; its health pages.

    Raises what `connected` raises, and `Unavailable` when Kafka goes away while contact-ingest joins its
    group.
    """
    raise_regex_cache()
    store, producer = connect(settings), Producer(settings)
    async with connected(settings, store, producer, GROUP) as health:
        broker = build_broker(settings, Ingest(store, producer, f"ingest-{random.randrange(COUNTER_SLOTS)}"))
        health.checks["consumer"] = functools.partial(_reads, broker)
        try:
            await start(broker)
            get_logger().info("reading", topic=producer.topic_name(CONTACT_BATCHES))
            yield health
        finally:
            await broker.stop()


def build_broker(settings: IngestSettings, ingest: Ingest) -> KafkaBroker:
    """A broker that reads `contact.batches` for `ingest`; not started yet."""
    broker = KafkaBroker(
        settings.brokers,
        consumer_only=True,
        allow_auto_create_topics=False,
        apply_types=False,  # the handler gets the message as it is
        graceful_timeout=settings.shutdown_seconds,
        logger=logging.getLogger("contact_ingest.faststream"),  # "faststream" prints in a form of its own
        log_level=logging.DEBUG,
        metadata_max_age_ms=5000,
        request_timeout_ms=settings.kafka_request_timeout_ms,
    )
    subscriber = broker.subscriber(
        Topic(settings.topic_prefix + CONTACT_BATCHES.name, declare=False),
        batch=True,
        max_records=settings.ingest_max_batches,
        batch_timeout_ms=10,  # the default makes stragglers of a third of a second (docs/benchmarks.md)
        group_id=settings.topic_prefix + GROUP,
        group_instance_id=f"{GROUP}-{settings.instance}" if settings.instance else None,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,
        parser=without_headers,
        decoder=as_read,
        session_timeout_ms=settings.kafka_session_timeout_ms,
        heartbeat_interval_ms=500,  # a member learns of a rebalance at its next heartbeat
        max_partition_fetch_bytes=CONTACT_BATCHES.max_message_bytes,
    )
    subscriber(_committing(ingest))
    return broker


async def start(broker: KafkaBroker) -> None:
    """Begin to read, with a consumer that unreadable records do not stop. Raises `Unavailable` without Kafka."""
    await broker.connect()
    make_patient(broker)
    try:
        await broker.start()
    except KafkaError as error:
        raise Unavailable("Kafka", f"it went away while {GROUP} joined its group: {error!r}") from error


def _committing(ingest: Ingest) -> Callable[[Read], Awaitable[None]]:
    async def on_read(read: Read) -> None:
        await ingest.on_records(read.records)
        done = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in read.records}
        try:
            await read.consumer.commit(done)
        except KafkaError as error:
            # Somebody else has the partition now, or Kafka is away: the batches come again, as no-ops.
            get_logger().warning("offsets were not committed", error=type(error).__name__)

    return on_read


async def _reads(broker: KafkaBroker) -> bool:
    return all(
        subscriber.running and any(not task.done() for task in subscriber.tasks)
        for subscriber in broker.subscribers
        if isinstance(subscriber, BatchSubscriber)
    )
