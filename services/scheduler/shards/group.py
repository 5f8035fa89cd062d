"""Which shards this process owns: Kafka assigns the partitions of `org.events`, each starts a loop.

The epoch in MongoDB, not Kafka's word, makes an old owner harmless; Kafka only says whose turn it is.
Each shard's loop says up to which offset its work is in MongoDB; those of all shards are committed together.
"""

import asyncio
from collections.abc import Callable, Iterable

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from services.scheduler.shards.loop import ShardLoop
from shared import metrics
from shared.bus.consumers import group_consumer
from shared.bus.dead_letters import KafkaRecord
from shared.bus.messages import message_in, read_or_set_aside
from shared.bus.offsets import Offsets
from shared.bus.producer import Producer
from shared.clock import monotonic
from shared.errors import OwnershipLost, PermanentError, Unavailable
from shared.events import ORG_EVENT, AnyOrgEvent
from shared.logs import get_logger
from shared.settings import KafkaSettings
from shared.topics import ORG_EVENTS

SERVICE = "scheduler"
MAX_RECORDS = 2000
# A shard with this many events waiting is not read further until half of them are done.
MAX_BACKLOG = 5000
POLL_MS = 500
END_SECONDS = 8.0

log = get_logger()


class UnreadableEvent(PermanentError):
    """An event's bytes that are of no version we know."""


class MisdirectedEvent(PermanentError):
    """An event on the partition of another shard, whose loop knows nothing of its contacts."""


class ShardGroup(ConsumerRebalanceListener):
    """Membership in the group of schedulers; `loops` are the shards owned now."""

    def __init__(self, settings: KafkaSettings, producer: Producer, build_loop: Callable[[int], ShardLoop]) -> None:
        self._producer, self._build_loop = producer, build_loop
        self._topic = producer.topic_name(ORG_EVENTS)
        self._consumer = group_consumer(settings, SERVICE)
        self._offsets = Offsets(self._consumer)
        self.loops: dict[int, ShardLoop] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._lost = asyncio.Event()
        self.ending = False

    async def start(self, deadline_seconds: float) -> None:
        """Join the group; raise `Unavailable` when no broker answers before the deadline."""
        self._consumer.subscribe([self._topic], listener=self)
        deadline = monotonic() + deadline_seconds
        while True:
            try:
                await self._consumer.start()
            except KafkaError as error:
                if monotonic() > deadline:
                    raise Unavailable("Kafka", f"could not join group {SERVICE}") from error
                await asyncio.sleep(0.3)
            else:
                return

    async def stop(self) -> None:
        """Leave the group: loops end after their running transaction, so that the shards' next owners need not wait."""
        self.ending = True
        await self._end_loops(list(self._tasks))
        await self._offsets.flush()
        await self._consumer.stop()

    async def run(self) -> None:
        """Read and hand over events until cancelled. Raises `OwnershipLost` when a loop has lost its shard."""
        while not self._lost.is_set() and not self.ending:
            self._hold_back()
            try:
                batches = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS)
            except KafkaError as error:
                log.warning("cannot read events", why=str(error))
                await asyncio.sleep(1.0)
                continue
            loops = dict(self.loops)
            for partition, records in batches.items():
                await self._hand_over(loops.get(partition.partition), records)
        if self.ending:
            return
        raise OwnershipLost("a shard's epoch has moved on; joining the group again")

    async def _hand_over(self, loop: ShardLoop | None, records: list[KafkaRecord]) -> None:
        """Give records to the loop that owned their shard when they were read."""
        events = []
        for record in records:
            event = await read_or_set_aside(self._producer, ORG_EVENTS, record, _event_in)
            if event is not None:
                events.append(event)
        # Setting a message aside takes time. A loop that has followed meanwhile reads these records again itself; told
        # of them now it would commit an offset behind events it has never seen.
        if loop is not None and self.loops.get(loop.shard) is loop:
            loop.put(events, records[-1].offset + 1)

    def _hold_back(self) -> None:
        """Do not read on for shards that are behind, so that memory stays bounded while MongoDB is away."""
        assigned, held_back = self._consumer.assignment(), self._consumer.paused()
        for shard, loop in self.loops.items():
            partition = TopicPartition(self._topic, shard)
            if partition not in assigned:
                continue
            paused = partition in held_back
            if loop.backlog > MAX_BACKLOG and not paused:
                self._consumer.pause(partition)
            elif paused and loop.backlog < MAX_BACKLOG // 2:
                self._consumer.resume(partition)

    def note_done(self, shard: int, offset: int) -> None:
        """Have it committed soon that the work of all events of a shard before this offset is in MongoDB."""
        self._offsets.done({TopicPartition(self._topic, shard): offset})

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """End the loops of these shards: the group is being divided anew, and their next owners take them over."""
        await self._end_loops([partition.partition for partition in revoked])
        await self._offsets.flush()
        self._offsets.forget(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Start a loop for each of these shards, which this process owns from now on."""
        if self.ending:
            # A division of the shards that was under way when we left: the next one is without us.
            return
        for partition in assigned:
            shard = partition.partition
            await self._end_loops([shard])
            loop = self._build_loop(shard)
            self.loops[shard] = loop
            self._tasks[shard] = asyncio.create_task(self._keep(loop), name=f"shard-{shard}")

    async def _keep(self, loop: ShardLoop) -> None:
        try:
            await loop.run()
        except OwnershipLost as error:
            log.warning("shard lost", shard=loop.shard, why=str(error))
            metrics.OWNERSHIP_LOST.inc()
            self._lost.set()

    async def _end_loops(self, shards: list[int]) -> None:
        tasks = [self._tasks.pop(shard) for shard in shards if shard in self._tasks]
        for shard in shards:
            loop = self.loops.pop(shard, None)
            if loop is not None:
                loop.stop()
        if not tasks:
            return
        # A step in the middle of a transaction is let finish; only one that hangs is cut off.
        _, hanging = await asyncio.wait(tasks, timeout=END_SECONDS)
        for task in hanging:
            task.cancel()
        if hanging:
            # Not awaited for ever: a loop that fails or loses the cancellation must not hold up the group.
            await asyncio.wait(hanging, timeout=END_SECONDS)

    def failure(self) -> BaseException | None:
        """An error that ended a loop and is not one of ours: the process should stop and be restarted."""
        for task in self._tasks.values():
            if task.done() and not task.cancelled() and task.exception() is not None:
                return task.exception()
        return None


def _event_in(record: KafkaRecord) -> AnyOrgEvent:
    event = message_in(record, ORG_EVENT, UnreadableEvent)
    if event.shard != record.partition:
        raise MisdirectedEvent(f"an event of shard {event.shard} on partition {record.partition}")
    return event
