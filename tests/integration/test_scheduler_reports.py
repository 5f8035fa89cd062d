"""What the operator is told of a running engine: shards and their schedulers, readers of topics, slots that wait."""

from collections import Counter
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

from services.scheduler.evidence.suspect_slots import SuspectSlotCount
from services.scheduler.evidence.suspects import Reason, SuspectSlots
from services.scheduler.report import Report
from services.scheduler.shards.loop import ShardLoop
from shared.bus.reading_state import read_topics
from shared.clock import utc_now
from shared.domain.ids import SHARDS
from shared.settings import KafkaSettings
from shared.store.client import Store
from shared.store.reports.installation import Installation, read_installation
from tests.engine import running_engine
from tests.eventually import eventually


async def test_a_scheduler_says_which_shards_it_owns_and_kafka_who_reads(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    async def all_owned() -> list[Installation]:
        found = await read_installation(store)
        return [found] if found.shards and all(shard.scheduler for shard in found.shards) else []

    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_scheduler()
        await engine.start_executor()
        [found] = await eventually(all_owned, timeout=30)
        settings = KafkaSettings(kafka=kafka_address, topic_prefix=topic_prefix)
        topics = await read_topics(settings, await engine.producer())
        assert not engine.failures()
    [scheduler] = found.schedulers
    assert scheduler.id.startswith("scheduler-0-")
    assert (scheduler.alive, [*scheduler.shards], scheduler.waiting) == (True, [*range(SHARDS)], {})
    assert {shard.scheduler for shard in found.shards} == {scheduler.id}
    assert [executor.alive for executor in found.executors] == [True]
    readers = {state.topic.name: state.readers for state in topics}
    assert readers == {"contact.batches": 0, "dial.jobs": 1, "jobs": 0, "org.events": 1, "org.facts": 0}


async def test_slots_that_wait_are_told_by_reason_and_no_more_once_none_waits(store: Store) -> None:
    began = utc_now().replace(microsecond=0) - timedelta(minutes=2)
    ends = began + timedelta(minutes=30)
    waiting = SuspectSlots(Counter({Reason.EXECUTOR_DEAD: 2, Reason.NOT_REPORTED: 1}), began, ends)
    count = cast(SuspectSlotCount, SimpleNamespace(waiting=waiting))
    report = Report(store, "scheduler-0", {5: cast(ShardLoop, None)}, count)
    await report.look()
    [said] = (await read_installation(store)).schedulers
    assert said.waiting == {"executor_dead": 2, "not_reported": 1}
    assert (said.oldest_at, said.given_up_by, said.shards) == (began, ends, (5,))
    count.waiting = None
    await report.look()
    [said] = (await read_installation(store)).schedulers
    assert (said.waiting, said.oldest_at, said.given_up_by) == ({}, None, None)
