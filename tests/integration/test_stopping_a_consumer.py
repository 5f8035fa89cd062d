"""A consumer is stopped while Kafka is away, as by a scheduler that has lost a shard and joins again."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.fetch import FetchRequest

from shared.bus.patient_consumer import PatientConsumer
from shared.topics import ORG_EVENTS
from tests.eventually import eventually

# Longer than the test: a fetch that has failed waits for so long.
BACKOFF_SECONDS = 60.0


async def test_it_ends_whoever_stops_it_goes_on_and_no_connection_stays_open(
    kafka_address: str, topic_prefix: str
) -> None:
    build: type[AIOKafkaConsumer] = PatientConsumer
    consumer: Any = build(topic_prefix + ORG_EVENTS.name, bootstrap_servers=kafka_address)
    await consumer.start()
    client, failed = consumer._client, asyncio.Event()
    send = client.send

    async def fail_to_fetch(node_id: int, request: object, **kwargs: Any) -> object:
        if isinstance(request, FetchRequest):
            consumer._fetcher._retry_backoff = BACKOFF_SECONDS
            failed.set()
            raise KafkaConnectionError("the broker is gone")
        return await send(node_id, request, **kwargs)

    client.send = fail_to_fetch
    try:
        await eventually(failed.is_set)
        connections = list(client._conns.values())
    finally:
        await consumer.stop()
    assert connections
    assert not any(connection.connected() for connection in connections)
