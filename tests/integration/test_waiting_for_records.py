"""A reader of a quiet topic wakes seldom, and has a record as soon as it is there all the same."""

import asyncio
from functools import partial
from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.bus.consumers import READ_WAIT_MS, BatchReader
from shared.bus.dead_letters import KafkaRecord
from shared.bus.patient_consumer import PatientConsumer
from shared.bus.producer import Producer, Record
from shared.settings import KafkaSettings
from shared.topics import DIAL_JOBS
from tests.eventually import eventually

QUIET_SECONDS = 4 * READ_WAIT_MS / 1000
# A read is over after `READ_WAIT_MS`; on a busy machine later, which makes fewer of them.
MOST_READS = QUIET_SECONDS * 1000 / READ_WAIT_MS + 1


async def test_a_quiet_reader_waits_inside_its_reads_and_each_returns_with_the_first_record(
    kafka_address: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    # Of each time that records were handed over: how many reads had begun by then.
    handed_over: list[int] = []

    read = PatientConsumer.getmany

    async def counted(consumer: PatientConsumer, **wait: Any) -> dict[TopicPartition, list[KafkaRecord]]:
        begun.append(1)
        return await read(consumer, **wait)

    async def on_records(_: tuple[KafkaRecord, ...]) -> None:
        handed_over.append(len(begun))

    def have_been(times: int) -> bool:
        return len(handed_over) == times

    monkeypatch.setattr(PatientConsumer, "getmany", counted)
    settings = KafkaSettings(kafka=kafka_address, topic_prefix=topic_prefix)
    reader = BatchReader(settings, "quiet", DIAL_JOBS, on_records, max_records=10, stop_seconds=5)
    producer = Producer(settings)
    await producer.start()
    await reader.start()
    try:
        # Assigned and read once; what it reads next it waits for.
        assert not await producer.publish(DIAL_JOBS, [Record(0, None, b"{}")])
        await eventually(partial(have_been, 1), saying="the first record")
        before = len(begun)
        await asyncio.sleep(QUIET_SECONDS)
        assert len(begun) - before <= MOST_READS
        for number in range(1, 6):
            waiting = len(begun)
            assert not await producer.publish(DIAL_JOBS, [Record(number, None, b"{}")])
            await eventually(partial(have_been, number + 1), saying="the next record")
            # By the read that was under way, or, where it came between two, by the next.
            assert handed_over[-1] <= waiting + 1
    finally:
        await reader.stop()
        await producer.stop()
