"""The engine while things go wrong: repeated messages, garbage, members coming and going, servers away."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiokafka import AIOKafkaConsumer

from deploy.create_topics import create_topics
from deploy.local import kafka
from deploy.local.home import Home
from shared.bus.producer import Record
from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.events import DIAL_JOB, CallFinished
from shared.settings import KafkaSettings, MongoSettings
from shared.store.client import Document, Store, connect
from shared.telephony.scripts import ScriptedCall, always
from shared.topics import DIAL_JOBS, ORG_EVENTS, TOPICS
from tests.engine import Engine, running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization
from tests.proxy import line_to

# A scheduler's loops and a producer's last records each have their own few seconds; see END_SECONDS, PUBLISH_SECONDS.
ENDS_WITHIN_SECONDS = 60
SHORT_CALLS = always(ScriptedCall(talk_seconds=0.05))


@asynccontextmanager
async def consumer_of(engine: Engine, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        engine.topic_prefix + topic, bootstrap_servers=engine.kafka, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def repeat_jobs(engine: Engine) -> None:
    """Publish every dial job a second time, as a redelivery would."""
    producer = await engine.producer()
    seen: set[str] = set()
    async with consumer_of(engine, DIAL_JOBS.name) as consumer:
        async for record in consumer:
            job = DIAL_JOB.validate_json(record.value or b"")
            if job.attempt_id not in seen:
                seen.add(job.attempt_id)
                await producer.publish_jobs([job])


def placements(engine: Engine) -> Counter[str]:
    return Counter(call.contact_id for carrier in engine.carriers for call in carrier.placements)


def called_once_each(engine: Engine, contacts: int) -> bool:
    calls = placements(engine)
    return len(calls) == contacts and set(calls.values()) == {1}


async def all_completed(engine: Engine, contacts: int) -> None:
    async def done() -> bool:
        assert not engine.failures()
        return await engine.store["contacts"].count_documents({"status": "completed"}) == contacts

    await eventually(done, timeout=45)


async def sums_hold(store: Store) -> None:
    """I6 at rest: nothing held anywhere."""
    assert await store["budgets"].count_documents({"held": {"$ne": 0}}) == 0
    assert await store["shards"].count_documents({"held": {"$ne": 0}}) == 0
    async for counter in store["counters"].find({}):
        assert counter["active"] == 0


async def campaigns_of(store: Store, organizations: int, contacts_each: int) -> list[Document]:
    made = []
    for _ in range(organizations):
        organization = await add_organization(store, concurrency_limit=20)
        campaign = await add_campaign(store, organization)
        await add_contacts(store, organization, campaign, contacts_each)
        made.append(organization)
    return made


async def test_a_redelivered_job_is_not_placed_again(store: Store, kafka_address: str, topic_prefix: str) -> None:
    await campaigns_of(store, 1, 100)
    async with running_engine(store, kafka_address, topic_prefix, script=SHORT_CALLS) as engine:
        repeating = asyncio.create_task(repeat_jobs(engine))
        await engine.start_executor("executor-0")
        await engine.start_executor("executor-1")
        await engine.start_scheduler()
        await all_completed(engine, 100)
        repeating.cancel()
        with suppress(asyncio.CancelledError):
            await repeating
        assert called_once_each(engine, 100)
    await sums_hold(store)


async def test_two_executors_share_the_work(store: Store, kafka_address: str, topic_prefix: str) -> None:
    await campaigns_of(store, 1, 200)
    async with running_engine(store, kafka_address, topic_prefix, script=SHORT_CALLS) as engine:
        await engine.start_executor("executor-0")
        await engine.start_executor("executor-1")
        await engine.start_scheduler()
        await all_completed(engine, 200)
        assert called_once_each(engine, 200)
        assert sum(carrier.placed > 0 for carrier in engine.carriers) == 2


async def test_a_second_scheduler_shares_the_organizations_and_takes_over_when_the_first_ends(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    await campaigns_of(store, 12, 20)
    async with running_engine(store, kafka_address, topic_prefix, script=SHORT_CALLS) as engine:
        await engine.start_executor()
        first = await engine.start_scheduler("scheduler-0")
        await eventually(lambda: first.shards_owned == 16, timeout=15)
        second = await engine.start_scheduler("scheduler-1")
        await eventually(lambda: second.shards_owned == 8 and first.shards_owned == 8, timeout=15)
        await engine.stop_member("scheduler-0")
        await eventually(lambda: second.shards_owned == 16, timeout=15)
        await all_completed(engine, 240)
        assert called_once_each(engine, 240)
    await sums_hold(store)


async def test_garbage_on_a_topic_is_set_aside_and_work_goes_on(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    garbage = [b"\xff\xfe", b"{", b'{"type": "nonsense"}', b'{"schema_version": 99}', b"", b"x" * 500_000]
    async with running_engine(store, kafka_address, topic_prefix, script=SHORT_CALLS) as engine:
        await engine.start_executor()
        await engine.start_scheduler()
        producer = await engine.producer()
        for topic in (ORG_EVENTS, DIAL_JOBS):
            for partition in range(topic.partitions):
                assert not await producer.publish(topic, [Record(partition, b"k", value) for value in garbage])
        await campaigns_of(store, 1, 50)
        await all_completed(engine, 50)
        for topic in (ORG_EVENTS, DIAL_JOBS):
            async with consumer_of(engine, topic.dead_letter) as letters:
                found: list[bytes] = []

                async def all_there(letters: AIOKafkaConsumer = letters, found: list[bytes] = found) -> bool:
                    for records in (await letters.getmany(timeout_ms=200)).values():
                        found.extend(record.value or b"" for record in records)
                    return len(found) >= len(garbage) * 16

                await eventually(all_there, timeout=20)
                assert Counter(found) == Counter(garbage * topic.partitions)


async def test_a_repeated_ending_is_recorded_once_and_a_real_one_is_never_replaced(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    await campaigns_of(store, 1, 1)
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_executor()
        await engine.start_scheduler()
        await all_completed(engine, 1)
        attempt = await store["attempts"].find_one({})
        contact = await store["contacts"].find_one({})
        assert attempt is not None
        assert contact is not None
        late = [
            CallFinished(
                organization_id=contact["organization_id"],
                shard=contact["shard"],
                attempt_id=attempt["_id"],
                contact_id=contact["_id"],
                outcome=outcome,
                ended_at=utc_now(),
            )
            for outcome in (Outcome.BUSY, Outcome.UNKNOWN, Outcome.ANSWERED)
        ]
        producer = await engine.producer()
        assert await producer.publish_events(late) == []
        # A marker behind them: once it is worked off, so are they.
        organization = await add_organization(store, shard=contact["shard"])
        campaign = await add_campaign(store, organization)
        await add_contacts(store, organization, campaign, 1)
        await all_completed(engine, 2)
        assert await store["attempts"].find_one({"_id": attempt["_id"]}) == attempt
        assert await store["contacts"].find_one({"_id": contact["_id"]}) == contact


async def test_mongodb_away_for_seconds_loses_nothing(
    store: Store, mongodb_address: str, kafka_address: str, topic_prefix: str
) -> None:
    await campaigns_of(store, 2, 100)
    address = urlsplit(mongodb_address)
    assert address.hostname is not None
    assert address.port is not None
    async with line_to((address.hostname, address.port)) as line:
        through = f"mongodb://127.0.0.1:{line.listening_on}/?directConnection=true"
        behind = connect(MongoSettings(mongodb=through, mongodb_database=store.db.name))
        async with running_engine(behind, kafka_address, topic_prefix, script=SHORT_CALLS) as engine:
            await engine.start_executor()
            await engine.start_scheduler()
            await eventually(lambda: len(placements(engine)) > 20, timeout=20)
            line.cut()
            placed = len(placements(engine))
            await eventually(lambda: engine_noticed(engine), timeout=20)
            line.mend()
            engine.store = store
            await all_completed(engine, 200)
            assert placed < 200
            assert called_once_each(engine, 200)
        await behind.close()
    await sums_hold(store)


def engine_noticed(engine: Engine) -> bool:
    """Whether every call that was up has ended: nothing new can be claimed while the store is away."""
    return all(carrier.live == 0 for carrier in engine.carriers)


@pytest.fixture
async def own_kafka(tmp_path: Path) -> AsyncIterator[Home]:
    """A broker of this test's own, to be killed."""
    home = Home(tmp_path / "stack", Home.default().downloads)
    await kafka.start(home)
    yield home
    await kafka.stop(home)


@asynccontextmanager
async def dialing_on(own_kafka: Home, store: Store) -> AsyncIterator[Engine]:
    """An engine in the middle of dialing 300 contacts, on a broker of its own."""
    address = await kafka.start(own_kafka)
    await create_topics(KafkaSettings(kafka=address))
    await campaigns_of(store, 2, 150)
    async with running_engine(store, address, "", script=SHORT_CALLS) as engine:
        await engine.start_executor()
        await engine.start_scheduler()
        await eventually(lambda: len(placements(engine)) > 30, timeout=20)
        yield engine


async def test_a_killed_broker_loses_nothing(store: Store, own_kafka: Home) -> None:
    async with dialing_on(own_kafka, store) as engine:
        running = kafka.find(own_kafka)
        assert running is not None
        running.process.kill()
        assert await kafka.start(own_kafka) == engine.kafka
        await all_completed(engine, 300)
        assert called_once_each(engine, 300)
    await sums_hold(store)


async def test_members_end_in_order_while_kafka_is_away(store: Store, own_kafka: Home) -> None:
    """Also with records of theirs that no broker has taken."""
    async with dialing_on(own_kafka, store) as engine:
        assert await kafka.stop(own_kafka)
        async with asyncio.timeout(ENDS_WITHIN_SECONDS):
            await engine.stop()
    assert not [
        call for carrier in engine.carriers for call in carrier.placements if placements(engine)[call.contact_id] > 1
    ]


def test_every_topic_has_a_writer_and_a_reader() -> None:
    for topic in TOPICS:
        assert topic.written_by
        assert topic.read_by
