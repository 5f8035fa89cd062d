"""The engine while things go wrong: members coming and going, servers away."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from deploy.create_topics import create_topics
from deploy.local import kafka
from deploy.local.home import Home
from shared.settings import KafkaSettings, MongoSettings
from shared.store.client import Document, Store, connect
from shared.telephony.scripts import ScriptedCall, always
from shared.topics import TOPICS
from tests.engine import Engine, running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization
from tests.proxy import line_to

# A scheduler's loops and a producer's last records each have their own few seconds; see END_SECONDS, PUBLISH_SECONDS.
ENDS_WITHIN_SECONDS = 60
SHORT_CALLS = always(ScriptedCall(talk_seconds=0.05))


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


async def test_a_second_scheduler_shares_the_organizations_and_takes_over_when_the_first_ends(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    await campaigns_of(store, 12, 20)
    # The one that ends is missed after this.
    settings = {"kafka_session_timeout_ms": 1500}
    async with running_engine(store, kafka_address, topic_prefix, script=SHORT_CALLS, settings=settings) as engine:
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


@pytest.fixture(scope="module")
async def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    """A broker of this file's own, to be killed and stopped."""
    home = Home(tmp_path_factory.mktemp("kafka") / "stack", Home.default().downloads)
    yield home
    await kafka.stop(home)


@asynccontextmanager
async def dialing_on(own_kafka: Home, store: Store) -> AsyncIterator[Engine]:
    """An engine in the middle of dialing 300 contacts, on the broker of its own."""
    settings = KafkaSettings(kafka=await kafka.start(own_kafka), topic_prefix=f"{uuid.uuid4().hex}.")
    await create_topics(settings)
    await campaigns_of(store, 2, 150)
    async with running_engine(store, settings.kafka, settings.topic_prefix, script=SHORT_CALLS) as engine:
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
