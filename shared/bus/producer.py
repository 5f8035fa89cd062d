"""Publishing in batches: one record batch per partition, acknowledged by all replicas.

Grouping by partition and sending whole batches costs a third of sending record by record
(docs/benchmarks.md). What was not acknowledged in time is returned to the caller, who decides; a record
that is reported unacknowledged may still be in the log, so every consumer is idempotent. The producer
itself is not: aiokafka's idempotent one never gives up (docs/decisions/0010-a-producer-that-gives-up.md).
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.bus.closed_connections import expect_closed_connections
from shared.clock import monotonic
from shared.domain.ids import event_key, job_key, job_message_key
from shared.errors import PermanentError, Unavailable
from shared.events import AnyOrgEvent, DialJob, JobWaiting
from shared.logs import get_logger
from shared.settings import KafkaSettings
from shared.topics import DIAL_JOBS, JOBS, ORG_EVENTS, ORG_FACTS, Topic, partition_for

MAX_BATCH_BYTES = 1024 * 1024
PUBLISH_SECONDS = 5.0
ZSTD = 4  # Kafka's number of the codec
Headers = tuple[tuple[str, bytes | None], ...]


class RecordTooLarge(PermanentError):
    """The topic does not take a record of this size, however often it is sent."""


@dataclass(frozen=True, slots=True)
class Record:
    """One message, with the partition its key belongs to."""

    partition: int
    key: bytes | None
    value: bytes
    headers: Headers = ()

    @property
    def size(self) -> int:
        """Its bytes, but for a few of Kafka's own."""
        return len(self.value) + len(self.key or b"") + sum(len(n) + len(v or b"") for n, v in self.headers)


class Producer:
    """The process's one producer. Create it inside the running loop; `start` before use."""

    def __init__(self, settings: KafkaSettings, *, max_request_bytes: int = MAX_BATCH_BYTES) -> None:
        self._settings = settings
        expect_closed_connections()
        self._kafka = AIOKafkaProducer(
            bootstrap_servers=settings.kafka,
            acks="all",
            max_batch_size=MAX_BATCH_BYTES,
            max_request_size=max_request_bytes,
            request_timeout_ms=int(PUBLISH_SECONDS * 1000),
            retry_backoff_ms=50,
        )
        self._connected = False

    @property
    def connected(self) -> bool:
        """Whether the last publish was acknowledged. Do not claim contacts while this is False."""
        return self._connected

    @property
    def prefix(self) -> str:
        """What stands before the name of every topic on this broker."""
        return self._settings.topic_prefix

    @property
    def brokers(self) -> str:
        """The bootstrap servers, as they are set."""
        return self._settings.kafka

    def topic_name(self, topic: Topic) -> str:
        """The topic's name on this broker."""
        return self.prefix + topic.name

    async def start(self, deadline_seconds: float = 60.0) -> None:
        """Connect, trying again until the deadline; then raise `Unavailable` (the process should exit)."""
        deadline = monotonic() + deadline_seconds
        while True:
            try:
                await self._kafka.start()
            except KafkaError as error:
                if monotonic() > deadline:
                    await self._kafka.stop()
                    raise Unavailable(
                        "Kafka",
                        f"no broker at {self._settings.kafka} within {deadline_seconds:g} s; set DIALSTREAM_KAFKA",
                    ) from error
                get_logger().warning("waiting for Kafka", at=self._settings.kafka)
                await asyncio.sleep(1.0)
            else:
                self._connected = True
                return

    async def stop(self) -> None:
        """Send what is buffered and disconnect; without a broker it ends all the same, in 2 * PUBLISH_SECONDS or so."""
        await self._kafka.stop()

    async def ping(self) -> bool:
        """Whether the broker answers a metadata request now."""
        try:
            await self._kafka.client.fetch_all_metadata()
        except KafkaError:
            self._connected = False
            return False
        self._connected = True
        return True

    async def existing_topics(self) -> set[str]:
        """Every topic that this process may see, by its name on the broker. Raises `Unavailable`."""
        try:
            metadata = await self._kafka.client.fetch_all_metadata()
        except KafkaError as error:
            raise Unavailable("Kafka", f"{self.brokers}: {error!r}") from error
        return set(metadata.topics())

    async def publish(
        self, topic: Topic, records: Sequence[Record], timeout_seconds: float = PUBLISH_SECONDS
    ) -> list[Record]:
        """Send all records; return those that were not acknowledged within the time (empty: all are safe).

        A returned record may still have been stored. Never blocks longer than the timeout by much.
        """
        try:
            return await self.publish_to(self.topic_name(topic), records, timeout_seconds)
        except RecordTooLarge:
            # Ours never are, so this topic was made with a limit far too low.
            get_logger().error("the topic takes no records of ours, see max.message.bytes", topic=topic.name)
            return list(records)

    async def publish_to(
        self, topic_name: str, records: Sequence[Record], timeout_seconds: float = PUBLISH_SECONDS
    ) -> list[Record]:
        """`publish` by full topic name: for dead letters and their way back. Raises `RecordTooLarge`."""
        if not records:
            return []
        deadline = monotonic() + timeout_seconds
        groups: dict[int, list[Record]] = defaultdict(list)
        for record in records:
            groups[record.partition].append(record)
        failed = await asyncio.gather(
            *(self._publish_partition(topic_name, partition, group, deadline) for partition, group in groups.items())
        )
        unacknowledged = [record for group in failed for record in group]
        self._connected = not unacknowledged
        return unacknowledged

    async def _publish_partition(
        self, topic_name: str, partition: int, records: list[Record], deadline: float
    ) -> list[Record]:
        safe = 0
        while safe < len(records):
            builder = self._batch_for(records[safe])
            end = safe
            while end < len(records):
                record = records[end]
                added = builder.append(key=record.key, value=record.value, timestamp=None, headers=list(record.headers))
                if added is None and end > safe:
                    break
                if added is None:
                    # Larger than a batch may be: the broker would refuse it as well.
                    return records[safe:]
                end += 1
            builder.close()
            if not await self._acknowledged(builder, topic_name, partition, deadline):
                return records[safe:]
            safe = end
        return []

    def _batch_for(self, first: Record) -> BatchBuilder:
        """A batch that begins with this record. What is larger than a batch goes compressed: a customer's record may
        have come within the broker's limit in no other way."""
        return BatchBuilder(MAX_BATCH_BYTES, ZSTD) if first.size > MAX_BATCH_BYTES else self._kafka.create_batch()

    async def _acknowledged(self, batch: BatchBuilder, topic_name: str, partition: int, deadline: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, deadline - monotonic())):
                future = await self._kafka.send_batch(batch, topic_name, partition=partition)
        except (KafkaError, TimeoutError):
            return False
        # A batch that fails after its caller has gone must not be reported as an error nobody looked at.
        future.add_done_callback(_look_at)
        await asyncio.wait({future}, timeout=max(0.0, deadline - monotonic()))
        if future.done() and not future.cancelled() and isinstance(future.exception(), MessageSizeTooLargeError):
            raise RecordTooLarge(f"{topic_name} takes no record of this size")
        return future.done() and not future.cancelled() and future.exception() is None

    async def publish_events(
        self, events: Iterable[AnyOrgEvent], timeout_seconds: float = PUBLISH_SECONDS
    ) -> list[AnyOrgEvent]:
        """Send events to their organizations' shards; return those not acknowledged."""
        by_record = {
            id(record): (record, event)
            for event in events
            for record in [Record(event.shard, event_key(event.organization_id), event.model_dump_json().encode())]
        }
        lost = await self.publish(ORG_EVENTS, [record for record, _ in by_record.values()], timeout_seconds)
        return [by_record[id(record)][1] for record in lost]

    async def publish_facts(self, records: Sequence[Record], timeout_seconds: float = PUBLISH_SECONDS) -> None:
        """Send facts of one partition, in order. Raises `Unavailable` when not all were acknowledged.

        Whether contacts may be claimed does not depend on it: `connected` stays as it is.
        """
        name, deadline = self.topic_name(ORG_FACTS), monotonic() + timeout_seconds
        try:
            lost = await self._publish_partition(name, records[0].partition, list(records), deadline)
        except RecordTooLarge as error:
            raise Unavailable("Kafka", f"{name} takes no facts of ours, see max.message.bytes") from error
        if lost:
            raise Unavailable("Kafka", f"{len(lost)} of {len(records)} facts were not acknowledged")

    async def publish_work(
        self, waiting: Iterable[JobWaiting], timeout_seconds: float = PUBLISH_SECONDS
    ) -> list[JobWaiting]:
        """Say that these jobs have work; return those not acknowledged (they are told again in time)."""
        by_record = {}
        for job in waiting:
            key = job_message_key(job.job_id)
            record = Record(partition_for(JOBS, key), key, job.model_dump_json().encode())
            by_record[id(record)] = (record, job)
        lost = await self.publish(JOBS, [record for record, _ in by_record.values()], timeout_seconds)
        return [by_record[id(record)][1] for record in lost]

    async def publish_jobs(self, jobs: Iterable[DialJob], timeout_seconds: float = PUBLISH_SECONDS) -> list[DialJob]:
        """Send dial jobs, keyed by attempt; return those not acknowledged (release them, never send them again)."""
        by_record = {}
        for job in jobs:
            key = job_key(job.attempt_id)
            record = Record(partition_for(DIAL_JOBS, key), key, job.model_dump_json().encode())
            by_record[id(record)] = (record, job)
        lost = await self.publish(DIAL_JOBS, [record for record, _ in by_record.values()], timeout_seconds)
        return [by_record[id(record)][1] for record in lost]


def _look_at(done: asyncio.Future[Any]) -> None:
    if not done.cancelled():
        done.exception()
