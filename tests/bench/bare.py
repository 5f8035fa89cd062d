"""What the two bare loops share: settings, raw Kafka clients, messages of the same fields as ours."""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from pydantic import Field
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from shared.settings import KafkaSettings, MongoSettings

BATCH = 500
MAX_BATCH_BYTES = 1024 * 1024
Message = dict[str, Any]


class BareSettings(KafkaSettings, MongoSettings):
    """Where the servers are, and what the bare loop is to do."""

    bench_journal: Path = Field(description="File for what this process has seen.")
    bench_organization: str = Field(description="Organization id.")
    bench_shard: int = Field(description="Its shard.")
    bench_campaigns: list[str] = Field(description="Campaign ids, dialed one after the other.")
    bench_slots: int = Field(description="Calls at once.")
    bench_shortest_call: float = Field(0.0, description="Seconds.")
    bench_longest_call: float = Field(0.0, description="Seconds; 0: a call ends when it is placed.")
    bench_gathering: float = Field(0.0, description="Seconds that ends gather after a batch has been sent or served.")

    @property
    def gathering_ms(self) -> int:
        """The same in milliseconds, as Kafka's client wants them."""
        return round(self.bench_gathering * 1000)


def database_of(settings: BareSettings) -> AsyncDatabase[Message]:
    """The raw driver, as the store opens it."""
    client: AsyncMongoClient[Message] = AsyncMongoClient(settings.mongodb, tz_aware=True, w="majority")
    return client[settings.mongodb_database]


def new_producer(settings: BareSettings) -> AIOKafkaProducer:
    """A producer with the guarantees of ours."""
    return AIOKafkaProducer(bootstrap_servers=settings.kafka, acks="all", max_batch_size=MAX_BATCH_BYTES)


def new_consumer(settings: BareSettings, topic: str, group: str) -> AIOKafkaConsumer:
    """A consumer that commits when it is told to."""
    return AIOKafkaConsumer(
        settings.topic_prefix + topic,
        bootstrap_servers=settings.kafka,
        group_id=settings.topic_prefix + group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        heartbeat_interval_ms=500,
        # Records left unread for 0.1 s make aiokafka ask for the other partitions alone, and the next records of
        # this one wait until that question is answered: half a second by default.
        fetch_max_wait_ms=max(20, settings.gathering_ms),
    )


def partition_of(key: bytes, partitions: int) -> int:
    """The same partitioner as ours."""
    return zlib.crc32(key) % partitions


async def publish(producer: AIOKafkaProducer, topic: str, messages: Iterable[tuple[int, bytes, bytes]]) -> None:
    """Send (partition, key, value), one batch for each partition, and wait until all are acknowledged."""
    groups: dict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
    for partition, key, value in messages:
        groups[partition].append((key, value))
    futures = []
    for partition, group in groups.items():
        builder = producer.create_batch()
        for key, value in group:
            assert builder.append(key=key, value=value, timestamp=None) is not None, "500 messages fit one batch"
        builder.close()
        futures.append(await producer.send_batch(builder, topic, partition=partition))
    await asyncio.gather(*futures)


def offsets_after(
    batches: dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]],
) -> dict[TopicPartition, int]:
    """What to commit once these records are done."""
    return {partition: records[-1].offset + 1 for partition, records in batches.items()}
