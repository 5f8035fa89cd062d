"""How every Kafka consumer of ours is set up: its group, its patience, what it fetches, what it commits.

contact-ingest and call-executor read with `BatchReader`, on FastStream; the scheduler, which commits shard by shard,
with `group_consumer`; the replay of dead letters with `letters_consumer`. All are a `PatientConsumer` inside, begin at
the oldest record where nothing is committed, and never commit by themselves.
"""

import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka import Topic as FastStreamTopic
from faststream.kafka.message import KafkaMessage
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.bus.dead_letters import DEAD_LETTER_PARTITION, KafkaRecord
from shared.bus.offsets import Offsets
from shared.bus.patient_consumer import PatientConsumer
from shared.errors import Unavailable
from shared.settings import KafkaSettings
from shared.topics import Topic

# A member learns of a rebalance at its next heartbeat, so this bounds how long it holds the others up.
HEARTBEAT_MS: Final = 500
# The brokers' layout is asked for so often, also while nothing fails.
METADATA_MS: Final = 5000
# FastStream rests so long behind a read that brought nothing: by its default, records that come then wait for a third
# of a second (docs/benchmarks.md). It also waits no longer than that for a read, which would wake an idle process a
# hundred times a second: `_WaitingConsumer`.
REST_MS: Final = 10
READ_WAIT_MS: Final = 500
# aiokafka's and Kafka's own default.
FETCH_WAIT_MS: Final = 500
# What Kafka adds to a message, and a dead letter's story, fit in.
LETTER_ROOM_BYTES: Final = 1024 * 1024

OnRecords = Callable[[tuple[KafkaRecord, ...]], Awaitable[None]]


def group_id(settings: KafkaSettings, service: str) -> str:
    """The name of a service's consumer group on this broker."""
    return settings.topic_prefix + service


def letters_group(settings: KafkaSettings, topic: Topic) -> str:
    """The group under which it is committed which dead letters of a topic have been put back."""
    return group_id(settings, f"replay.{topic.name}")


def _connection(settings: KafkaSettings) -> dict[str, Any]:
    return {"metadata_max_age_ms": METADATA_MS, "request_timeout_ms": settings.kafka_request_timeout_ms}


def _membership(settings: KafkaSettings, service: str) -> dict[str, Any]:
    return {
        "group_id": group_id(settings, service),
        "group_instance_id": f"{service}-{settings.instance}" if settings.instance else None,
        "session_timeout_ms": settings.kafka_session_timeout_ms,
        "heartbeat_interval_ms": HEARTBEAT_MS,
        "auto_offset_reset": "earliest",
    }


class BatchReader:
    """Reads a topic as a member of the service's group, and commits what `on_records` has returned from.

    `on_records` is given what one read brought, at most `max_records` of them, untouched; the next read waits for it.
    `fetch_wait_ms`: so long the broker holds an answer that has nothing. `stop_seconds`: so long `stop` waits for it.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        service: str,
        topic: Topic,
        on_records: OnRecords,
        *,
        max_records: int,
        stop_seconds: float,
        fetch_wait_ms: int = FETCH_WAIT_MS,
    ) -> None:
        self._service, self._on_records = service, on_records
        self._offsets: Offsets | None = None
        self._stopping = False
        self._broker = KafkaBroker(
            settings.brokers,
            consumer_only=True,
            allow_auto_create_topics=False,
            apply_types=False,  # the handler gets the message as it is
            graceful_timeout=stop_seconds,
            logger=logging.getLogger(f"{service}.faststream"),  # "faststream" prints in a form of its own
            log_level=logging.DEBUG,
            **_connection(settings),
        )
        self._broker.subscriber(
            FastStreamTopic(settings.topic_prefix + topic.name, declare=False),
            batch=True,
            max_records=max_records,
            batch_timeout_ms=REST_MS,
            fetch_max_wait_ms=fetch_wait_ms,
            max_partition_fetch_bytes=topic.max_message_bytes,
            ack_policy=AckPolicy.MANUAL,
            parser=_without_headers,
            decoder=_as_read,
            **_membership(settings, service),
        )(self._on_read)

    async def start(self) -> None:
        """Join the group and begin to read. Raises `Unavailable` when Kafka has gone."""
        try:
            await self._broker.connect()
            _make_patient(self._broker)
            await self._broker.start()
        except KafkaError as error:
            raise Unavailable("Kafka", f"it went away while {self._service} joined its group: {error!r}") from error

    async def stop(self) -> None:
        """Read no more, and wait for the records in hand. Safe to call before `start`, and twice."""
        self._stopping = True
        if self._offsets is not None:
            await self._offsets.flush()
        await self._broker.stop()

    async def is_reading(self) -> bool:
        """Whether the consumer has been started and its tasks live, also while Kafka is away."""
        return all(
            subscriber.running and any(not task.done() for task in subscriber.tasks)
            for subscriber in self._broker.subscribers
            if isinstance(subscriber, BatchSubscriber)
        )

    async def _on_read(self, read: "_Read") -> None:
        await self._on_records(read.records)
        if self._offsets is None:
            self._offsets = Offsets(read.consumer)
        self._offsets.done({TopicPartition(r.topic, r.partition): r.offset + 1 for r in read.records})
        if self._stopping:
            # The consumer is stopped as soon as this returns.
            await self._offsets.flush()


def group_consumer(settings: KafkaSettings, service: str) -> AIOKafkaConsumer:
    """A member of the service's group that is told itself what to subscribe to and what to commit; not started yet.

    A partition stays with its member when the group is divided anew, as far as that is fair.
    """
    build: type[AIOKafkaConsumer] = PatientConsumer
    return build(
        bootstrap_servers=settings.kafka,
        enable_auto_commit=False,
        partition_assignment_strategy=(StickyPartitionAssignor,),
        **_connection(settings),
        **_membership(settings, service),
    )


def letters_consumer(settings: KafkaSettings, topic: Topic) -> tuple[AIOKafkaConsumer, TopicPartition]:
    """A reader of a topic's dead letters, and the partition to assign to it by hand: one replay at a time is enough.

    What has been put back is committed under a group of the topic's own. Not started yet.
    """
    build: type[AIOKafkaConsumer] = PatientConsumer
    consumer = build(
        bootstrap_servers=settings.kafka,
        group_id=letters_group(settings, topic),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=topic.max_message_bytes + LETTER_ROOM_BYTES,
        **_connection(settings),
    )
    return consumer, TopicPartition(settings.topic_prefix + topic.dead_letter, DEAD_LETTER_PARTITION)


@dataclass(frozen=True, slots=True)
class _Read:
    """What one read brought, and the consumer to commit it with."""

    records: tuple[KafkaRecord, ...]
    consumer: AIOKafkaConsumer


# FastStream's parser decodes header values as UTF-8 and its decoder parses the values; both raise before our handler
# runs, and the next commit would pass over the whole read. These two leave the records untouched.
async def _without_headers(
    records: tuple[KafkaRecord, ...], original: Callable[[Any], Awaitable[KafkaMessage]]
) -> KafkaMessage:
    message = await original(tuple(replace(record, headers=()) if record.headers else record for record in records))
    message.raw_message = records
    return message


async def _as_read(message: KafkaMessage) -> _Read:
    return _Read(cast(tuple[KafkaRecord, ...], message.raw_message), cast(AIOKafkaConsumer, message.consumer))


class _WaitingConsumer(PatientConsumer):
    """A consumer of FastStream's that waits for records itself, and returns as soon as there are any."""

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[KafkaRecord]]:
        """As in the client library, but for the time to wait, which is always the same."""
        return await super().getmany(*partitions, timeout_ms=READ_WAIT_MS, max_records=max_records)


def _make_patient(broker: KafkaBroker) -> None:
    """Have FastStream read with patient consumers: between `connect` and `start`."""
    config = broker.config.broker_config
    if not isinstance(config.builder, functools.partial):
        raise TypeError("FastStream builds its consumers in another way than this was written for")
    config.builder = functools.partial(_WaitingConsumer, *config.builder.args, **config.builder.keywords)
