"""Kafka as strangers may use it: any bytes, keys, headers, codecs and partitions; and what is left on a topic."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from shared.bus.dead_letters import KafkaRecord
from shared.topics import Topic

OddHeaders = tuple[tuple[str, bytes | None], ...]
NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
CODECS = (NONE, NONE, NONE, GZIP, SNAPPY, LZ4, ZSTD)
GROUP = 40
BATCH_BYTES = 256 * 1024
LARGEST_FETCH = 64 * 1024 * 1024


class NotUtf8(str):
    """A header's name that no client can read; Kafka takes it."""

    def encode(self, *_: str) -> bytes:
        """Not even in UTF-8."""
        return b"\xff\xfe"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to send; without a partition it goes to a random one. `error`: the class of the error it dies of."""

    what: str
    value: bytes | None
    key: bytes | None = None
    headers: OddHeaders = ()
    partition: int | None = None
    codec: int | None = None
    error: str | None = None

    @property
    def unreadable(self) -> bool:
        """Whether the client library cannot read the record at all."""
        return any(isinstance(name, NotUtf8) for name, _ in self.headers)

    @property
    def size(self) -> int:
        """Its bytes, but for a few of Kafka's own."""
        headers = sum(len(name) + len(value or b"") for name, value in self.headers)
        return len(self.value or b"") + len(self.key or b"") + headers


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a message has come to lie."""

    message: Message
    partition: int
    offset: int


@dataclass(slots=True)
class Wire:
    """One topic of this test and its dead letters."""

    kafka: str
    prefix: str
    topic: Topic
    _producer: AIOKafkaProducer = field(init=False)

    def __post_init__(self) -> None:
        # Kafka's answer to a batch is waited for, so nothing is lost or doubled here.
        self._producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all", max_batch_size=2**25)

    @property
    def name(self) -> str:
        """The topic's name on this broker."""
        return self.prefix + self.topic.name

    async def send(self, rng: random.Random, messages: Sequence[Message]) -> list[Sent]:
        """Send all, in this order within each partition, several in one record batch, in a random codec."""
        by_partition: dict[int, list[Message]] = defaultdict(list)
        for message in messages:
            partition = rng.randrange(self.topic.partitions) if message.partition is None else message.partition
            by_partition[partition].append(message)
        sent = []
        for partition, mine in by_partition.items():
            for group in _grouped(rng, mine):
                sent += await self._send_group(rng, partition, group)
        return sent

    async def _send_group(self, rng: random.Random, partition: int, group: Sequence[Message]) -> list[Sent]:
        codec = group[0].codec if group[0].codec is not None else rng.choice(CODECS)
        batch = BatchBuilder(2**27, codec)
        if group[0].unreadable:
            # The library's C code checks more than Kafka does.
            batch._builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, 0, 2**27)
        for message in group:
            assert batch.append(key=message.key, value=message.value, timestamp=None, headers=list(message.headers))
        batch.close()
        where = await (await self._producer.send_batch(batch, self.name, partition=partition))
        return [Sent(message, partition, where.offset + place) for place, message in enumerate(group)]

    async def letters(self) -> list[KafkaRecord]:
        """Every dead letter there is now, oldest first."""
        return await read_all(self.kafka, f"{self.name}.dlq")

    async def lag(self, group: str) -> int:
        """How many messages a group of ours has not committed yet."""
        partitions = [TopicPartition(self.name, number) for number in range(self.topic.partitions)]
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        await admin.start()
        await consumer.start()
        try:
            committed = await admin.list_consumer_group_offsets(self.prefix + group)
            ends = await consumer.end_offsets(partitions)
        finally:
            await consumer.stop()
            await admin.close()
        done = {where: max(0, stored.offset) for where, stored in committed.items()}
        return sum(end - done.get(where, 0) for where, end in ends.items())


def _grouped(rng: random.Random, messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Groups for one record batch each; messages with a codec of their own travel alone."""
    group: list[Message] = []
    for message in messages:
        group.append(message)
        alone = group[0].codec is not None or message.codec is not None
        if alone or len(group) == GROUP or sum(one.size for one in group) > BATCH_BYTES or rng.random() < 0.05:
            if alone and len(group) > 1:
                yield group[:-1]
            yield group[-1:] if alone else group
            group = []
    if group:
        yield group


def unreadable(what: str, partition: int) -> Message:
    """A record with a header whose name is no text."""
    return Message(what, b"{}", b"key", ((NotUtf8("name"), b"value"),), partition, codec=GZIP)


@asynccontextmanager
async def wire_of(kafka: str, prefix: str, topic: Topic) -> AsyncIterator[Wire]:
    """A connected wire."""
    wire = Wire(kafka, prefix, topic)
    await wire._producer.start()
    try:
        yield wire
    finally:
        await wire._producer.stop()


async def read_all(kafka: str, topic_name: str) -> list[KafkaRecord]:
    """Every record of a topic with one partition."""
    where = TopicPartition(topic_name, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=LARGEST_FETCH,
        fetch_max_bytes=LARGEST_FETCH,
    )
    await consumer.start()
    try:
        consumer.assign([where])
        end = (await consumer.end_offsets([where]))[where]
        found: list[KafkaRecord] = []
        while await consumer.position(where) < end:
            found += (await consumer.getmany(where, timeout_ms=1000)).get(where, [])
        return found
    finally:
        await consumer.stop()


def largest_value(topic: Topic, key: bytes | None, headers: OddHeaders) -> int:
    """How many bytes a value may have at most, sent alone and not compressed."""
    almost = topic.max_message_bytes - 20_000
    batch = BatchBuilder(2**27, NONE)
    batch.append(key=key, value=bytes(almost), timestamp=None, headers=list(headers))
    return almost + topic.max_message_bytes - int(batch.size())
