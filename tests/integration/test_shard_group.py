"""Records and rebalances: a shard's loop is told only of what was read for it."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from services.scheduler.fleet import Fleet
from services.scheduler.shards import group as group_module
from services.scheduler.shards.group import ShardGroup
from services.scheduler.shards.loop import LoopParts, ShardLoop
from services.scheduler.sharing.global_limit import GlobalLimit
from shared.bus.producer import Producer, Record
from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.events import CallFinished
from shared.settings import KafkaSettings
from shared.store.client import Store
from tests.factories import new_id

SHARD = 3


class RebalancingProducer(Producer):
    """While it sets a message aside, the group gives the shard away and back."""

    group: ShardGroup
    follower: ShardLoop

    async def publish_to(
        self, topic_name: str, records: Sequence[Record], timeout_seconds: float = 5.0
    ) -> list[Record]:
        """Safe at once."""
        self.group.loops[SHARD] = self.follower
        return []


def record(offset: int, value: bytes) -> ConsumerRecord[bytes | None, bytes | None]:
    return ConsumerRecord("org.events", SHARD, offset, 0, 0, b"", value, None, 0, len(value), ())


def nothing_done(shard: int, offset: int) -> None:
    raise AssertionError("nothing was given to a running loop")


async def test_records_read_before_a_rebalance_are_not_given_to_the_next_loop(store: Store) -> None:
    producer = RebalancingProducer(KafkaSettings())
    parts = LoopParts(store, producer, Fleet(), GlobalLimit(store), nothing_done, 30.0)
    group = ShardGroup(KafkaSettings(), producer, lambda shard: ShardLoop(parts, shard))
    first = group.loops[SHARD] = ShardLoop(parts, SHARD)
    producer.group, producer.follower = group, ShardLoop(parts, SHARD)
    ids = {"organization_id": new_id(), "attempt_id": new_id(), "contact_id": new_id(), "shard": SHARD}
    ending = CallFinished.model_validate({**ids, "outcome": Outcome.BUSY, "ended_at": utc_now()})
    good = ending.model_dump_json().encode()

    await group._hand_over(first, [record(7, good)])
    assert first.backlog == 1
    await group._hand_over(first, [record(8, b"garbage"), record(9, good)])
    assert first.backlog == 1
    assert producer.follower.backlog == 0
    await group.stop()
    await producer.stop()


@pytest.mark.parametrize("fails", [True, False])
async def test_a_loop_that_does_not_end_holds_up_no_rebalance(
    store: Store, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    monkeypatch.setattr(group_module, "END_SECONDS", 0.1)
    ends = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if fails:
                raise ValueError("the server hung up") from None
        await ends.wait()

    producer = Producer(KafkaSettings())
    parts = LoopParts(store, producer, Fleet(), GlobalLimit(store), nothing_done, 30.0)
    group = ShardGroup(KafkaSettings(), producer, lambda shard: ShardLoop(parts, shard))
    task = group._tasks[SHARD] = asyncio.create_task(stubborn())
    async with asyncio.timeout(5) as patience:
        await group.on_partitions_revoked([TopicPartition("org.events", SHARD)])
    assert not patience.expired()
    ends.set()
    await asyncio.gather(task, return_exceptions=True)
    await group.stop()
    await producer.stop()
