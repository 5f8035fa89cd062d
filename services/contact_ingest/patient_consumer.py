"""A Kafka consumer that one unreadable record neither stops nor makes lose the records around it.

The client library raises out of `getmany` when a header's name is no UTF-8 or a codec is missing, for ever
at the same place, and drops what it had read of other partitions in the same call. Any customer could
stop the others that way.
"""

from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import UnsupportedCodecError

from shared.bus.dead_letters import KafkaRecord
from shared.logs import get_logger

# Stands in the headers of a record that could not be read; its bytes stay where they are, in Kafka.
UNREADABLE: Final = "dialstream-unreadable-record"
WAIT_MS: Final = 2000
_CANNOT_READ: Final = (UnicodeDecodeError, UnsupportedCodecError)


class PatientConsumer(AIOKafkaConsumer):
    """Where reading fails, goes on from the committed offsets, record by record, past what is unreadable.

    For consumers that commit everything `getmany` has returned before they call it again. Records that
    share a record batch with the unreadable one, and follow it, are unreadable too: they come from the
    same producer.
    """

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[KafkaRecord]]:
        """As in the client library; an unreadable record is returned without key and value."""
        try:
            read: dict[TopicPartition, list[KafkaRecord]] = await super().getmany(
                *partitions, timeout_ms=timeout_ms, max_records=max_records
            )
        except _CANNOT_READ:
            return await self._one_by_one()
        return read

    async def _one_by_one(self) -> dict[TopicPartition, list[KafkaRecord]]:
        library: AIOKafkaConsumer = self
        assigned = list(library.assignment())
        first, end = await library.beginning_offsets(assigned), await library.end_offsets(assigned)
        read: dict[TopicPartition, list[KafkaRecord]] = {}
        for where in assigned:
            offset = max(await library.committed(where) or 0, first[where])
            library.seek(where, offset)
            if offset < end[where]:
                read |= await self._one(where, offset)
        return read

    async def _one(self, where: TopicPartition, offset: int) -> dict[TopicPartition, list[KafkaRecord]]:
        try:
            read: dict[TopicPartition, list[KafkaRecord]] = await super().getmany(
                where, timeout_ms=WAIT_MS, max_records=1
            )
        except _CANNOT_READ as error:
            get_logger().warning("a record cannot be read", topic=where.topic, partition=where.partition, offset=offset)
            library: AIOKafkaConsumer = self
            library.seek(where, offset + 1)
            return {where: [_unreadable(where, offset, error)]}
        return read


def _unreadable(where: TopicPartition, offset: int, error: Exception) -> KafkaRecord:
    empty: dict[str, Any] = dict.fromkeys(
        ("timestamp", "timestamp_type", "serialized_key_size", "serialized_value_size"), -1
    )
    return ConsumerRecord(
        topic=where.topic,
        partition=where.partition,
        offset=offset,
        key=None,
        value=None,
        checksum=None,
        headers=[(UNREADABLE, type(error).__name__.encode())],
        **empty,
    )
