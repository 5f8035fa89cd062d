"""contact-ingest in this process, and a customer to feed it."""

from collections.abc import AsyncIterator

import pytest

from services.contact_ingest.app import running
from services.contact_ingest.settings import IngestSettings
from shared.health import HealthServer
from shared.store.client import Store
from tests.integration.contact_ingest.customer import Customer, new_customer


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
