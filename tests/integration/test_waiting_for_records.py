"""A reader of a quiet topic wakes seldom, and has a record as soon as it is there all the same."""

import asyncio
from functools import partial
from typing import Any, Self

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
# Longer than any test may take: whoever got a record only with the end of a read would never have it.
FOR_EVER_MS = 600_000


class Reading:
    """A reader of one topic, and a producer; how many reads have begun, and records were handed over."""

    def __init__(self, kafka_address: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = self.handed_over = 0
        settings = KafkaSettings(kafka=kafka_address, topic_prefix=topic_prefix)
        self.reader = BatchReader(settings, "quiet", DIAL_JOBS, self._take, max_records=10, stop_seconds=5)
        self.producer = Producer(settings)
        read = PatientConsumer.getmany

        async def counted(consumer: PatientConsumer, **wait: Any) -> dict[TopicPartition, list[KafkaRecord]]:
            self.begun += 1
            return await read(consumer, **wait)

        monkeypatch.setattr(PatientConsumer, "getmany", counted)

    async def _take(self, records: tuple[KafkaRecord, ...]) -> None:
        self.handed_over += len(records)

    async def __aenter__(self) -> Self:
        await self.producer.start()
        await self.reader.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.reader.stop()
        await self.producer.stop()

    async def publish(self, number: int) -> None:
        """Publish the record of this number, to the partition of this number."""
        assert not await self.producer.publish(DIAL_JOBS, [Record(number, None, b"{}")])

    def has_got(self, records: int) -> bool:
        """Whether so many records were handed over."""
        return self.handed_over == records


async def test_a_quiet_reader_seldom_reads(
    kafka_address: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Reading(kafka_address, topic_prefix, monkeypatch) as reading:
        # Assigned and read once; what it reads next it waits for.
        await reading.publish(0)
        await eventually(partial(reading.has_got, 1), saying="the first record")
        before = reading.begun
        await asyncio.sleep(QUIET_SECONDS)
        assert reading.begun - before <= MOST_READS


async def test_a_read_that_waits_returns_with_the_first_record(
    kafka_address: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.consumers.READ_WAIT_MS", FOR_EVER_MS)
    async with Reading(kafka_address, topic_prefix, monkeypatch) as reading:
        for number in range(6):
            await reading.publish(number)
            await eventually(partial(reading.has_got, number + 1), saying=f"record {number}")
