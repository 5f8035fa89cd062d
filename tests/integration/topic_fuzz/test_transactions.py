"""Transactions on every topic: an aborted record is none, whatever stands around it."""

import random
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer

from shared.bus.dead_letters import ORIGIN_PARTITION, KafkaRecord
from shared.bus.patient_consumer import PatientConsumer, is_unreadable
from shared.bus.producer import Producer
from shared.bus.replay import Replayed, replay
from shared.settings import KafkaSettings
from shared.store.client import Store
from shared.topics import DIAL_JOBS, ORG_EVENTS
from tests.engine import running_engine
from tests.eventually import eventually
from tests.fuzzing import SEED
from tests.integration.topic_fuzz.people import Case, owner_of, people
from tests.integration.topic_fuzz.wire import Message, Sent, unreadable, wire_of
from tests.integration.transactions import plain, sender

SHARD = 3


@pytest.fixture
def settings(kafka_address: str, topic_prefix: str) -> KafkaSettings:
    return KafkaSettings(kafka=kafka_address, topic_prefix=topic_prefix)


@pytest.fixture
async def producer(settings: KafkaSettings) -> AsyncIterator[Producer]:
    made = Producer(settings)
    await made.start(10)
    yield made
    await made.stop()


async def status_of(store: Store, case: Case) -> str:
    contact = await store["contacts"].find_one({"_id": case.contact_id})
    assert contact is not None
    return str(contact["status"])


async def test_an_aborted_job_is_not_dialed(store: Store, kafka_address: str, topic_prefix: str) -> None:
    mine = await people(store, await owner_of(store, SHARD), locked=2, running=0, others=1)
    aborted, committed = mine.locked
    topic = topic_prefix + DIAL_JOBS.name
    async with sender(kafka_address) as transactions, running_engine(store, kafka_address, topic_prefix) as engine:
        await transactions.aborted(topic, *plain([mine.job(aborted).model_dump_json().encode()], SHARD))
        await transactions.committed(topic, *plain([mine.job(committed).model_dump_json().encode()], SHARD))
        await engine.start_executor()
        await engine.start_scheduler()

        async def completed() -> bool:
            assert not engine.failures()
            return await status_of(store, committed) == "completed"

        await eventually(completed, timeout=30)
        called = [call.contact_id for carrier in engine.carriers for call in carrier.placements]
    assert called == [committed.contact_id]
    assert await status_of(store, aborted) == "locked"


async def test_an_aborted_event_changes_nothing(store: Store, kafka_address: str, topic_prefix: str) -> None:
    mine = await people(store, await owner_of(store, SHARD), locked=0, running=2, others=1)
    aborted, committed = mine.running
    topic = topic_prefix + ORG_EVENTS.name
    async with sender(kafka_address) as transactions, running_engine(store, kafka_address, topic_prefix) as engine:
        await transactions.aborted(topic, *plain([mine.ending(aborted).model_dump_json().encode()], SHARD))
        await transactions.committed(topic, *plain([mine.ending(committed).model_dump_json().encode()], SHARD))
        await engine.start_scheduler()

        async def completed() -> bool:
            assert not engine.failures()
            return await status_of(store, committed) == "completed"

        await eventually(completed, timeout=30)
    assert await status_of(store, aborted) == "in_progress"


async def test_replay_puts_back_no_aborted_letter_and_waits_for_no_open_one(
    settings: KafkaSettings, producer: Producer
) -> None:
    def letter(what: str) -> Message:
        return Message(what, what.encode(), b"k", ((ORIGIN_PARTITION, b"3"),), partition=0)

    letters = f"{producer.topic_name(DIAL_JOBS)}.dlq"
    async with sender(settings.kafka) as transactions:
        await transactions.aborted(letters, letter("aborted"))
        await transactions.committed(letters, letter("committed"), unreadable("no letter", 0))
        await transactions.aborted(letters, letter("aborted at the end"))
        assert await replay(settings, producer, DIAL_JOBS) == Replayed(put_back=1, left_out=1)
        await transactions.producer.begin_transaction()
        await transactions.send(letters, letter("open"))
        assert await replay(settings, producer, DIAL_JOBS) == Replayed(put_back=0, left_out=0)
        await transactions.producer.commit_transaction()
    assert await replay(settings, producer, DIAL_JOBS) == Replayed(put_back=1, left_out=0)


async def test_every_committed_record_is_read_once_around_unreadable_and_aborted_ones(settings: KafkaSettings) -> None:
    rng = random.Random(SEED)
    must: list[Sent] = []
    async with (
        wire_of(settings.kafka, settings.topic_prefix, ORG_EVENTS) as wire,
        sender(settings.kafka) as transactions,
    ):
        for number in range(60):
            partition = rng.randrange(3)
            messages = [
                unreadable(f"bad {number}", partition) if rng.random() < 0.3 else plain([b"%d" % number], partition)[0]
                for _ in range(rng.randrange(1, 5))
            ]
            match rng.randrange(3):
                case 0:
                    await transactions.aborted(wire.name, *messages)
                case 1:
                    must += await transactions.committed(wire.name, *messages)
                case _:
                    must += await wire.send(rng, messages[:1])
        found = await _read(settings, wire.name, len(must))
    assert sorted(_place(one) for one in found) == sorted((one.partition, one.offset) for one in must)
    bad = {(one.partition, one.offset) for one in must if one.message.unreadable}
    assert {_place(one) for one in found if is_unreadable(one)} == bad


async def _read(settings: KafkaSettings, topic: str, expected: int) -> list[KafkaRecord]:
    """What a consumer of ours reads, until all up to the end of the topic is read."""
    build: type[AIOKafkaConsumer] = PatientConsumer
    consumer = build(
        topic, bootstrap_servers=settings.kafka, group_id=f"{settings.topic_prefix}g", auto_offset_reset="earliest"
    )
    found: list[KafkaRecord] = []

    async def all_read() -> bool:
        for records in (await consumer.getmany(timeout_ms=200, max_records=20)).values():
            found.extend(records)
        ends = await consumer.end_offsets(consumer.assignment())
        return len(found) >= expected and all([await consumer.position(where) >= end for where, end in ends.items()])

    await consumer.start()
    try:
        await eventually(all_read, timeout=60, saying="the end of the topic")
    finally:
        await consumer.stop()
    return found


def _place(record: KafkaRecord) -> tuple[int, int]:
    return record.partition, record.offset
