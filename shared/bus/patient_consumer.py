"""The Kafka consumer of every service: it reads what is committed, and no unreadable record stops it or costs others.

The client library raises out of `getmany` when a header's name is no UTF-8 or a codec is missing, for ever
at the same place, and drops what it had read of other partitions in the same call. Any customer could
stop the others that way, and whoever may write to an inner topic a whole service.

Records of a transaction are read once it is committed; one that is aborted is passed over. Its records, and the
marker at the end of each, are gaps in the offsets: no record stands there, and no read returns them.
"""

import asyncio
import functools
import weakref
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import UnsupportedCodecError

from shared import metrics
from shared.bus.dead_letters import KafkaRecord
from shared.logs import get_logger

# Stands in the headers of a record that could not be read; its bytes stay where they are, in Kafka.
UNREADABLE: Final = "dialstream-unreadable-record"
WHY_UNREADABLE: Final = "Kafka's record itself cannot be read: a header's name is no UTF-8, or its codec."
READ_COMMITTED: Final = "read_committed"
# The first record behind a place that was looked up anew is waited for so often, so long each time.
LOOKS: Final = 20
LOOK_MS: Final = 100
MAX_RECORDS: Final = 500
_CANNOT_READ: Final = (UnicodeDecodeError, UnsupportedCodecError)


class PatientConsumer(AIOKafkaConsumer):
    """Where reading fails, goes on from where this call began, record by record, past what is unreadable.

    Records that share a record batch with the unreadable one, and follow it, are unreadable too: they come
    from the same producer.
    """

    def __init__(self, *topics: str, **settings: Any) -> None:
        # Stated here and not where each service is wired: read otherwise, what its sender took back is dialed.
        build: Callable[..., None] = super().__init__
        build(*topics, **(settings | {"isolation_level": READ_COMMITTED}))
        self._shown: set[str] = set()

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[KafkaRecord]]:
        """As in the client library; an unreadable record is returned without key and value."""
        assignment, before = self._positions()
        self._show_unread(before)
        try:
            read: dict[TopicPartition, list[KafkaRecord]] = await super().getmany(
                *partitions, timeout_ms=timeout_ms, max_records=max_records
            )
        except _CANNOT_READ:
            # Divided anew meanwhile, everything begins at what was committed; nothing of it has been returned yet.
            return await self._one_by_one(before if self._positions()[0] is assignment else {}, max_records)
        return read

    def unread(self, topic: str) -> int:
        """Records of a topic behind the last one returned, as of the last fetch, in the partitions assigned to it."""
        library: AIOKafkaConsumer = self
        positions = {where: at for where, at in self._positions()[1].items() if where.topic == topic}
        return sum(max(0, (library.highwater(where) or at) - at) for where, at in positions.items())

    def _show_unread(self, read: Iterable[TopicPartition]) -> None:
        """Has the metric ask this consumer, while it lives, about the topics that it reads."""
        for topic in {where.topic for where in read} - self._shown:
            self._shown.add(topic)
            metrics.UNREAD.labels(topic).set_function(functools.partial(_unread_of, weakref.ref(self), topic))

    async def stop(self) -> None:
        """As in the client library, also while Kafka is away.

        There the library trips over a fetch that waits to be tried again: it cancels that, awaits it, and so looks
        cancelled itself, with its connections still open. Whoever had it stop would end with it.
        """
        stop: Callable[[], Coroutine[Any, Any, None]] = super().stop
        stopping = asyncio.create_task(stop())
        await asyncio.wait({stopping})
        if stopping.cancelled():
            await self._client.close()
        else:
            stopping.result()

    def _positions(self) -> tuple[object, dict[TopicPartition, int]]:
        """The assignment, and where each of its partitions will be read next as far as that is known."""
        # Not the public `position`, which waits for what is not known yet.
        subscription: Any = self._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        states = {where: assignment.state_value(where) for where in assignment.tps} if assignment is not None else {}
        return assignment, {where: state.position for where, state in states.items() if state.has_valid_position}

    async def _one_by_one(
        self, before: dict[TopicPartition, int], max_records: int | None
    ) -> dict[TopicPartition, list[KafkaRecord]]:
        library: AIOKafkaConsumer = self
        assigned = list(library.assignment() - library.paused())
        first, end = await library.beginning_offsets(assigned), await library.end_offsets(assigned)
        share = max(1, (max_records or MAX_RECORDS) // max(1, len(assigned)))
        begin: dict[TopicPartition, int] = {}
        for where in assigned:
            offset = before[where] if where in before else await library.committed(where) or 0
            begin[where] = max(offset, first[where])
            library.seek(where, begin[where])
        # All are fetched at once then, so that only the first is waited for.
        read: dict[TopicPartition, list[KafkaRecord]] = {}
        for where, offset in begin.items():
            if offset < end[where]:
                read[where] = await self._some(where, offset, end[where], share)
        return {where: records for where, records in read.items() if records}

    async def _some(self, where: TopicPartition, offset: int, end: int, at_most: int) -> list[KafkaRecord]:
        """What can be read from `offset` before an unreadable record; that one, if it is the first.

        Empty when there is no record up to `end`, where the first open transaction begins or the log ends.
        """
        records: list[KafkaRecord] = []
        looks = LOOKS
        try:
            while len(records) < at_most:
                # Only the first is waited for: those behind it came with it.
                read = await super().getmany(where, timeout_ms=0 if records else LOOK_MS, max_records=1)
                looks -= 1
                if read:
                    records += read[where]
                elif records or not looks or self._positions()[1].get(where, end) >= end:
                    break
        except _CANNOT_READ as error:
            if not records:
                bad = self._failed_at(where, offset)
                get_logger().warning(
                    "a record cannot be read", topic=where.topic, partition=where.partition, offset=bad
                )
                library: AIOKafkaConsumer = self
                library.seek(where, bad + 1)
                records = [_unreadable(where, bad, error)]
        return records

    def _failed_at(self, where: TopicPartition, offset: int) -> int:
        """The unreadable record's own offset: before it aborted records and markers may have been passed over."""
        fetcher: Any = self._fetcher
        passed_over_to: int = fetcher._records[where]._partition_records.next_fetch_offset
        return max(offset, passed_over_to)


def _unread_of(consumer: "weakref.ref[PatientConsumer]", topic: str) -> int:
    living = consumer()
    return 0 if living is None else living.unread(topic)


def is_unreadable(record: KafkaRecord) -> bool:
    """Whether this stands for a record that could not be read."""
    return any(name == UNREADABLE for name, _ in record.headers)


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
