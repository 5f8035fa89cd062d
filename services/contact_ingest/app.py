"""The whole wiring of contact-ingest."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.contact_ingest.handlers import Ingest
from services.contact_ingest.jobs import Jobs
from services.contact_ingest.settings import IngestSettings
from services.contact_ingest.sweeping import sweep_for_ever
from shared.beside import beside
from shared.bus.consumers import BatchReader
from shared.bus.producer import Producer
from shared.domain.ids import COUNTER_SOURCES, counter_source
from shared.domain.phone import raise_regex_cache
from shared.engine.file_places import file_place
from shared.health import HealthServer
from shared.logs import get_logger
from shared.store.client import connect
from shared.topics import CONTACT_BATCHES, JOBS
from shared.wiring import connected

SERVICE = "contact-ingest"


@asynccontextmanager
async def running(settings: IngestSettings) -> AsyncIterator[HealthServer]:
    """contact-ingest at work; its health pages.

    Raises what `connected` raises, and `Unavailable` when Kafka goes away while contact-ingest joins its group.
    """
    raise_regex_cache()
    store, producer = connect(settings), Producer(settings)
    place = file_place(settings, store, secret_key=None)  # it signs no URLs
    async with connected(settings, store, producer, SERVICE) as health:
        ingest = Ingest(store, producer, counter_source("ingest", random.randrange(COUNTER_SOURCES)))
        reader = BatchReader(
            settings,
            SERVICE,
            CONTACT_BATCHES,
            ingest.on_records,
            max_records=settings.ingest_max_batches,
            stop_seconds=settings.shutdown_seconds,
        )
        jobs = Jobs(store, producer, place.contents, ingest.source)
        # A group of its own: one member cannot be in a group twice, for two topics.
        job_reader = BatchReader(
            settings, JOBS.group, JOBS, jobs.on_records, max_records=100, stop_seconds=settings.shutdown_seconds
        )
        health.checks["consumer"] = reader.is_reading
        health.checks["jobs"] = job_reader.is_reading
        try:
            await reader.start()
            await job_reader.start()
            get_logger().info("reading", topic=producer.topic_name(CONTACT_BATCHES))
            async with (
                beside(sweep_for_ever(store, place), name="sweep of files"),
                beside(jobs.tell(), name="telling of jobs"),
            ):
                yield health
        finally:
            await reader.stop()
            await job_reader.stop()
            await jobs.stop()
