"""Letters and their way back, for messages that are too large, and for headers that somebody else has written."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from shared.bus.dead_letters import (
    LEFT_OUT,
    ORIGIN_OFFSET,
    ORIGIN_PARTITION,
    REPLAYS,
    KafkaRecord,
    send_to_dead_letters,
)
from shared.bus.patient_consumer import PatientConsumer, is_unreadable
from shared.bus.producer import Producer, Record
from shared.bus.replay import Replayed, replay
from shared.clock import utc_now
from shared.errors import PermanentError
from shared.settings import KafkaSettings
from shared.topics import DIAL_JOBS, ORG_EVENTS
from tests.eventually import eventually
from tests.fuzzing import SEED
from tests.integration.topic_fuzz.wire import Message, largest_value, unreadable, wire_of

WHY = PermanentError("it is of no use")
PACKED = 5 * DIAL_JOBS.max_message_bytes


@pytest.fixture
def settings(kafka_address: str, topic_prefix: str) -> KafkaSettings:
    return KafkaSettings(kafka=kafka_address, topic_prefix=topic_prefix)


@pytest.fixture
async def producer(settings: KafkaSettings) -> AsyncIterator[Producer]:
    made = Producer(settings)
    await made.start(10)
    yield made
    await made.stop()


def record(value: bytes, headers: Any = ()) -> KafkaRecord:
    return ConsumerRecord("dial.jobs", 3, 17, 0, 0, b"k", value, None, 1, len(value), headers)


async def test_a_message_larger_than_its_topic_takes_once_unpacked_is_set_aside_whole(
    producer: Producer, settings: KafkaSettings
) -> None:
    """It came compressed; sent as it was unpacked, it was refused for ever and its partition stood still."""
    large = b"{" * PACKED
    await send_to_dead_letters(producer, DIAL_JOBS, record(large, (("h", b"x" * PACKED),)), WHY, utc_now())
    async with wire_of(settings.kafka, settings.topic_prefix, DIAL_JOBS) as wire:
        [letter] = await wire.letters()
        assert (letter.key, letter.value, letter.headers[0]) == (b"k", large, ("h", b"x" * PACKED))
        assert await replay(settings, producer, DIAL_JOBS) == Replayed(1, 0)


async def test_a_message_that_does_not_go_into_any_letter_leaves_its_story(
    producer: Producer, settings: KafkaSettings
) -> None:
    noise = random.Random(SEED).randbytes(PACKED)
    await send_to_dead_letters(producer, DIAL_JOBS, record(noise, (("trace", b"1"),)), WHY, utc_now())
    async with wire_of(settings.kafka, settings.topic_prefix, DIAL_JOBS) as wire:
        [letter] = await wire.letters()
    told = dict(letter.headers)
    assert (letter.key, letter.value) == (None, b"")
    assert (told[ORIGIN_PARTITION], told[ORIGIN_OFFSET]) == (b"3", b"17")
    assert told[LEFT_OUT] == str(len(noise) + len(b"k") + len("trace") + 1).encode()
    assert await replay(settings, producer, DIAL_JOBS) == Replayed(0, 1)


async def test_replay_goes_on_behind_a_letter_that_it_cannot_put_back(
    producer: Producer, settings: KafkaSettings
) -> None:
    """With the note of its replay it is larger than the topic takes; it stood in the way of all behind it."""
    largest = random.Random(SEED).randbytes(largest_value(DIAL_JOBS, b"k", ()))
    for value in (b"before", largest, b"behind"):
        await send_to_dead_letters(producer, DIAL_JOBS, record(value), WHY, utc_now())
    assert await replay(settings, producer, DIAL_JOBS) == Replayed(2, 1)
    assert await replay(settings, producer, DIAL_JOBS) == Replayed(0, 0)


@pytest.mark.parametrize("forged", [b"9" * 5000, None, b"-1", "³".encode(), b""])
async def test_replay_takes_no_strangers_count(
    producer: Producer, settings: KafkaSettings, forged: bytes | None
) -> None:
    """Customers set headers of their batches; one of this name ended every replay."""
    await send_to_dead_letters(producer, DIAL_JOBS, record(b"x", ((REPLAYS, forged),)), WHY, utc_now())
    strange = Record(0, b"k", b"x", ((ORIGIN_PARTITION, forged),))
    assert not await producer.publish_to(f"{producer.topic_name(DIAL_JOBS)}.dlq", [strange])
    assert await replay(settings, producer, DIAL_JOBS) == Replayed(1, 1)


async def test_a_consumer_that_has_committed_nothing_gets_every_record_once_around_unreadable_ones(
    settings: KafkaSettings,
) -> None:
    """The scheduler commits long after it has read on."""
    rng = random.Random(SEED)
    readable = [Message(f"{n}", b"%d" % n, partition=n % 4) for n in range(200)]
    messages = [*readable, *(unreadable("bad", n) for n in (0, 0, 1, 3, 3, 3))]
    rng.shuffle(messages)
    async with wire_of(settings.kafka, settings.topic_prefix, ORG_EVENTS) as wire:
        sent = await wire.send(rng, messages)
        build: type[AIOKafkaConsumer] = PatientConsumer
        consumer = build(
            wire.name, bootstrap_servers=settings.kafka, group_id=f"{wire.prefix}g", auto_offset_reset="earliest"
        )
        found: list[KafkaRecord] = []

        async def all_read() -> bool:
            for records in (await consumer.getmany(timeout_ms=200, max_records=20)).values():
                found.extend(records)
            return len(found) >= len(sent)

        await consumer.start()
        try:
            await eventually(all_read, timeout=60, saying="every record")
        finally:
            await consumer.stop()
    assert sorted((one.partition, one.offset) for one in found) == sorted((one.partition, one.offset) for one in sent)
    assert sorted(one.value or b"" for one in found if not is_unreadable(one)) == sorted(
        m.value or b"" for m in readable
    )
