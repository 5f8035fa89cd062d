"""Senders that use Kafka's transactions: what they have sent counts once they commit, and never when they abort."""

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from tests.integration.topic_fuzz.wire import NONE, Message, Sent

BATCH_BYTES = 2**25


class _UncheckedBatch(BatchBuilder):
    """A record batch of a transaction, by the library's Python code: its C code checks more than Kafka does."""

    def __init__(self) -> None:
        build: Callable[..., None] = super().__init__
        build(BATCH_BYTES, NONE, is_transactional=1)
        self._builder = _DefaultRecordBatchBuilderPy(2, NONE, 1, -1, -1, 0, BATCH_BYTES)

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._builder.set_producer_state(producer_id, producer_epoch, base_sequence)


@dataclass(frozen=True, slots=True)
class Sender:
    """One transactional producer."""

    producer: AIOKafkaProducer

    async def send(self, topic: str, *messages: Message) -> list[Sent]:
        """Send in the open transaction, each message in a record batch of its own, on its own partition."""
        return [await self._send(topic, message) for message in messages]

    async def _send(self, topic: str, message: Message) -> Sent:
        partition = message.partition or 0
        batch: BatchBuilder = _UncheckedBatch()
        batch.append(key=message.key, value=message.value, timestamp=None, headers=list(message.headers))
        batch.close()
        where = await (await self.producer.send_batch(batch, topic, partition=partition))
        return Sent(message, partition, where.offset)

    async def committed(self, topic: str, *messages: Message) -> list[Sent]:
        """Send all in one transaction and commit it."""
        await self.producer.begin_transaction()
        sent = await self.send(topic, *messages)
        await self.producer.commit_transaction()
        return sent

    async def aborted(self, topic: str, *messages: Message) -> list[Sent]:
        """Send all in one transaction and abort it."""
        await self.producer.begin_transaction()
        sent = await self.send(topic, *messages)
        await self.producer.abort_transaction()
        return sent


@asynccontextmanager
async def sender(kafka: str) -> AsyncIterator[Sender]:
    """A connected sender."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"test-{uuid.uuid4()}")
    await producer.start()
    try:
        yield Sender(producer)
    finally:
        await producer.stop()


def plain(values: Sequence[bytes], partition: int) -> list[Message]:
    """Readable messages with these values."""
    return [Message("plain", value, b"a key", partition=partition) for value in values]
