"""contact-ingest in this process, and a customer to feed it."""

from collections.abc import AsyncIterator

import pytest

from services.contact_ingest.app import running
from services.contact_ingest.jobs import Jobs
from services.contact_ingest.settings import IngestSettings
from shared.bus.producer import Producer
from shared.health import HealthServer
from shared.settings import KafkaSettings
from shared.store.catalog.file_contents import GridFSFiles
from shared.store.client import Store
from tests.integration.contact_ingest.customer import Customer, new_customer
from tests.integration.contact_ingest.desk import Desk


@pytest.fixture
async def customer(store: Store, kafka_address: str, topic_prefix: str) -> AsyncIterator[Customer]:
    async with new_customer(store, kafka_address, topic_prefix) as made:
        yield made


@pytest.fixture
def settings(store: Store, kafka_address: str, mongodb_address: str, topic_prefix: str) -> IngestSettings:
    return IngestSettings(
        kafka=kafka_address,
        mongodb=mongodb_address,
        mongodb_database=store.db.name,
        topic_prefix=topic_prefix,
        start_deadline_seconds=20,
    )


@pytest.fixture
async def ingest(settings: IngestSettings) -> AsyncIterator[HealthServer]:
    async with running(settings) as health:
        yield health


@pytest.fixture
def desk(customer: Customer, store: Store) -> Desk:
    return Desk(customer, store)


@pytest.fixture
async def jobs(desk: Desk, kafka_address: str, topic_prefix: str) -> AsyncIterator[Jobs]:
    producer = Producer(KafkaSettings(kafka=kafka_address, topic_prefix=topic_prefix))
    await producer.start(10)
    working = Jobs(desk.store, producer, GridFSFiles(desk.store), "ingest-1")
    yield working
    await working.stop()
    await producer.stop()
