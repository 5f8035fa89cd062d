"""How long a frozen broker is waited for: as the setting says, in every service that reads.

The client library waits 40 s for each answer by default, and so long all calls stood still when one broker of three
accepted requests and did not answer (tests/chaos/losses.py).
"""

from collections.abc import Awaitable, Callable

import pytest

from services.contact_ingest.app import running
from services.contact_ingest.settings import IngestSettings
from shared.bus.patient_consumer import PatientConsumer
from shared.store.client import Store
from tests.engine import Engine, running_engine
from tests.eventually import eventually

TIMEOUT_MS = 4321


@pytest.fixture
def timeouts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For how long each consumer that has been started waits for an answer, in milliseconds."""
    seen: list[int] = []
    start: Callable[[PatientConsumer], Awaitable[None]] = PatientConsumer.start

    async def noted(consumer: PatientConsumer) -> None:
        await start(consumer)
        seen.append(consumer._client._request_timeout_ms)

    monkeypatch.setattr(PatientConsumer, "start", noted)
    return seen


@pytest.mark.parametrize("start", [Engine.start_scheduler, Engine.start_executor])
async def test_scheduler_and_executor(
    store: Store,
    kafka_address: str,
    topic_prefix: str,
    timeouts: list[int],
    start: Callable[[Engine], Awaitable[object]],
) -> None:
    settings = {"kafka_request_timeout_ms": TIMEOUT_MS}
    async with running_engine(store, kafka_address, topic_prefix, settings=settings) as engine:
        await start(engine)
        await eventually(lambda: timeouts)
    assert timeouts == [TIMEOUT_MS]


async def test_contact_ingest(
    store: Store, kafka_address: str, mongodb_address: str, topic_prefix: str, timeouts: list[int]
) -> None:
    settings = IngestSettings(
        kafka=kafka_address,
        mongodb=mongodb_address,
        mongodb_database=store.db.name,
        topic_prefix=topic_prefix,
        kafka_request_timeout_ms=TIMEOUT_MS,
    )
    async with running(settings):
        assert timeouts == [TIMEOUT_MS, TIMEOUT_MS]  # batches and jobs
