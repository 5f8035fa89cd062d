"""How far the services have read, as Kafka knows it: for the operator. Reads as no member of any group."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.bus.consumers import group_id, letters_group
from shared.bus.dead_letters import DEAD_LETTER_PARTITION
from shared.bus.patient_consumer import PatientConsumer
from shared.bus.producer import Producer
from shared.errors import Unavailable
from shared.settings import KafkaSettings
from shared.topics import TOPICS, Topic

# A person waits for the answer.
LOOK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic: the members of its group, the records behind what they have committed, the dead letters that wait.

    Kafka's own records in the log count, too: two a transaction. A topic that does not exist has none of all.
    """

    topic: Topic
    exists: bool
    readers: int
    unread: int
    dead_letters: int


async def read_topics(settings: KafkaSettings, producer: Producer) -> list[TopicState]:
    """All topics, in the order of shared/topics.py. Raises `Unavailable` when Kafka is away or silent."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            existing = await producer.existing_topics()
            return await _read(settings, existing)
    except (KafkaError, OSError) as error:  # a TimeoutError is an OSError
        raise Unavailable("Kafka", f"{settings.kafka}: {error!r}") from error


async def _read(settings: KafkaSettings, existing: Collection[str]) -> list[TopicState]:
    prefix = settings.topic_prefix
    topics = [topic for topic in TOPICS if {prefix + topic.name, prefix + topic.dead_letter} <= {*existing}]
    groups = [group_id(settings, topic.group) for topic in topics]
    build: type[AIOKafkaConsumer] = PatientConsumer
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    consumer = build(bootstrap_servers=settings.kafka, group_id=None, enable_auto_commit=False)
    try:
        # One after the other: beside one that fails, the other would be stopped, and start all the same.
        await admin.start()
        await consumer.start()
        places = [place for topic in topics for place in (*_partitions(prefix, topic), _letters(prefix, topic))]
        first, end = await asyncio.gather(consumer.beginning_offsets(places), consumer.end_offsets(places))
        members = await _members(admin, groups)
        committed = await _committed(admin, [*groups, *(letters_group(settings, topic) for topic in topics)])
    finally:
        await consumer.stop()
        await admin.close()

    def behind(group: str, places: Collection[TopicPartition]) -> int:
        done = committed[group]
        return sum(max(0, end[place] - max(first[place], done.get(place, 0))) for place in places)

    states = {
        topic.name: TopicState(
            topic=topic,
            exists=True,
            readers=members.get(group, 0),
            unread=behind(group, _partitions(prefix, topic)),
            dead_letters=behind(letters_group(settings, topic), [_letters(prefix, topic)]),
        )
        for topic, group in zip(topics, groups, strict=True)
    }
    return [states.get(topic.name) or TopicState(topic, False, 0, 0, 0) for topic in TOPICS]


def _partitions(prefix: str, topic: Topic) -> list[TopicPartition]:
    return [TopicPartition(prefix + topic.name, partition) for partition in range(topic.partitions)]


def _letters(prefix: str, topic: Topic) -> TopicPartition:
    return TopicPartition(prefix + topic.dead_letter, DEAD_LETTER_PARTITION)


async def _members(admin: AIOKafkaAdminClient, groups: list[str]) -> dict[str, int]:
    # One a request: aiokafka reads answers of this kind as a version that has less behind each group.
    answers: list[Any] = await asyncio.gather(*(admin.describe_consumer_groups([group]) for group in groups))
    described = [group for [answer] in answers for group in answer.to_object()["groups"]]
    return {group["group"]: len(group["members"]) for group in described}


async def _committed(admin: AIOKafkaAdminClient, groups: list[str]) -> dict[str, Mapping[TopicPartition, int]]:
    answers = await asyncio.gather(*(admin.list_consumer_group_offsets(group) for group in groups))
    return {
        group: {place: max(0, at.offset) for place, at in answer.items()}
        for group, answer in zip(groups, answers, strict=True)
    }
