"""What a carrier is told when neither sink takes what it says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from shared.bus.producer import Producer
from shared.engine.callback_sink import CallbackSink
from shared.errors import Unavailable
from shared.settings import KafkaSettings
from shared.store.client import Store
from tests.factories import ending


@pytest.fixture
async def sink(store: Store) -> AsyncIterator[CallbackSink]:
    """With no broker behind its producer."""
    producer = Producer(KafkaSettings(kafka="127.0.0.1:9"))
    made = CallbackSink(producer, store)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await producer.stop()


async def test_a_store_that_refuses_an_ending_stops_none_of_those_behind_it(sink: CallbackSink, store: Store) -> None:
    await store.db.command("collMod", "results", validator={"_id": "nothing fits"})
    with pytest.raises(Unavailable):
        await sink.keep(ending())
    await store.db.command("collMod", "results", validator={})
    async with asyncio.timeout(10):
        await sink.keep(ending())
    assert await store["results"].count_documents({}) == 1
