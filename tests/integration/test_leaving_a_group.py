"""A member that leaves its group, or gives a shard away, has committed all that it has done."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.scheduler.fleet import Fleet
from services.scheduler.shards.group import SERVICE, ShardGroup
from services.scheduler.shards.loop import LoopParts, ShardLoop
from services.scheduler.sharing.global_limit import GlobalLimit
from shared.bus import offsets
from shared.bus.consumers import BatchReader, group_id
from shared.bus.dead_letters import KafkaRecord
from shared.bus.producer import Producer, Record
from shared.events import AnyOrgEvent
from shared.settings import KafkaSettings
from shared.store.client import Store
from shared.topics import DIAL_JOBS, ORG_EVENTS, Topic
from tests.eventually import eventually

SHARD, OTHER = 3, 5
# Longer than any test may take: what waits for its turn is committed by a member that leaves alone.
NEVER_SECONDS = 600.0


@pytest.fixture
def settings(kafka_address: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> KafkaSettings:
    monkeypatch.setattr(offsets, "EVERY_SECONDS", NEVER_SECONDS)
    return KafkaSettings(kafka=kafka_address, topic_prefix=topic_prefix)


class DoneAtOnce(ShardLoop):
    """A loop whose events are done as soon as they have come."""

    def __init__(self, parts: LoopParts, shard: int) -> None:
        super().__init__(parts, shard)
        self.done_up_to = 0
        self._ended = asyncio.Event()

    def put(self, events: Iterable[AnyOrgEvent], offset: int | None = None) -> None:
        """Say so."""
        assert offset is not None
        self._parts.note_done(self.shard, offset)
        self.done_up_to = offset

    async def run(self) -> None:
        """Do nothing."""
        await self._ended.wait()

    def stop(self) -> None:
        """End."""
        self._ended.set()


async def committed(settings: KafkaSettings, service: str, topic: Topic) -> Mapping[int, int]:
    """The offsets that a service's group has committed, by partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(group_id(settings, service))
    finally:
        await admin.close()
    name = settings.topic_prefix + topic.name
    return {where.partition: at.offset for where, at in found.items() if where.topic == name}


def _more_than(count: int, records: Sequence[KafkaRecord]) -> bool:
    return len(records) > count


async def publish(producer: Producer, topic: Topic, partition: int) -> None:
    """One record that nobody needs to understand."""
    assert not await producer.publish(topic, [Record(partition, None, b"{}")])


async def test_a_reader_of_batches(settings: KafkaSettings) -> None:
    handed_over: list[KafkaRecord] = []

    async def take(records: tuple[KafkaRecord, ...]) -> None:
        handed_over.extend(records)

    reader = BatchReader(settings, "leaving", DIAL_JOBS, take, max_records=10, stop_seconds=5)
    producer = Producer(settings)
    await producer.start()
    await reader.start()
    try:
        for partition in (1, 1, 2):
            before = len(handed_over)
            await publish(producer, DIAL_JOBS, partition)
            await eventually(partial(_more_than, before, handed_over))
        assert await committed(settings, "leaving", DIAL_JOBS) == {1: 1}
    finally:
        await reader.stop()
        await producer.stop()
    assert await committed(settings, "leaving", DIAL_JOBS) == {1: 2, 2: 1}


async def test_a_scheduler_that_gives_a_shard_away_and_leaves(settings: KafkaSettings, store: Store) -> None:
    producer = Producer(settings)
    group = ShardGroup(settings, producer, lambda shard: DoneAtOnce(parts, shard))
    parts = LoopParts(store, producer, Fleet(), GlobalLimit(store), group.note_done, 30.0)
    await producer.start()
    await group.start(30)
    reading = asyncio.create_task(group.run())

    async def done(shard: int, events: int) -> None:
        await publish(producer, ORG_EVENTS, shard)
        await eventually(lambda: getattr(group.loops.get(shard), "done_up_to", 0) == events)

    try:
        await eventually(lambda: {SHARD, OTHER} <= group.loops.keys())
        await done(SHARD, 1)
        await done(SHARD, 2)
        assert await committed(settings, SERVICE, ORG_EVENTS) == {SHARD: 1}
        await group.on_partitions_revoked([TopicPartition(settings.topic_prefix + ORG_EVENTS.name, SHARD)])
        assert await committed(settings, SERVICE, ORG_EVENTS) == {SHARD: 2}
        await done(OTHER, 1)
        assert await committed(settings, SERVICE, ORG_EVENTS) == {SHARD: 2}
    finally:
        await group.stop()
        await asyncio.wait([reading])
        await producer.stop()
    assert await committed(settings, SERVICE, ORG_EVENTS) == {SHARD: 2, OTHER: 1}
