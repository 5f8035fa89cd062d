"""webhook-sender as a service: from the topic to the receiver, two of them side by side, drained at the end."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from standardwebhooks import Webhook as Verifier

from services.webhook_sender.app import running
from services.webhook_sender.settings import SenderSettings
from shared.bus.producer import Producer, Record
from shared.clock import utc_now
from shared.domain.facts import FactType
from shared.domain.ids import event_key, shard_of
from shared.domain.webhook_signatures import standard_secret
from shared.engine.engine import Engine
from shared.engine.webhooks import send_test
from shared.events import OrgFact
from shared.settings import KafkaSettings
from shared.store.client import Store
from shared.topics import ORG_FACTS
from tests.eventually import eventually
from tests.integration.webhook_sender.conftest import SECRET_KEY, subscribed
from tests.integration.webhook_sender.receiver import Receiver


@pytest.fixture
async def producer(kafka_address: str, topic_prefix: str) -> AsyncIterator[Producer]:
    made = Producer(KafkaSettings(kafka=kafka_address, topic_prefix=topic_prefix))
    await made.start()
    yield made
    await made.stop()


def settings_of(store: Store, mongodb: str, kafka: str, topic_prefix: str) -> SenderSettings:
    return SenderSettings(
        kafka=kafka,
        topic_prefix=topic_prefix,
        mongodb=mongodb,
        mongodb_database=store.db.name,
        secret_key=SECRET_KEY,
        webhook_private_addresses=True,
    )


async def publish(producer: Producer, *facts: OrgFact) -> None:
    records = [Record(one.shard, event_key(one.organization_id), one.model_dump_json().encode()) for one in facts]
    assert await producer.publish(ORG_FACTS, records) == []


async def test_facts_reach_their_receiver_signed_and_once_with_two_senders_at_work(
    engine: Engine,
    store: Store,
    organization_id: str,
    receiver: Receiver,
    producer: Producer,
    mongodb_address: str,
    kafka_address: str,
    topic_prefix: str,
) -> None:
    made = await subscribed(engine, organization_id, f"{receiver.url}/ok")
    shard = shard_of(organization_id)
    facts = [
        OrgFact(shard=shard, n=n, organization_id=organization_id, type=FactType.CALL_ENDED, at=utc_now())
        for n in range(1, 51)
    ]
    settings = settings_of(store, mongodb_address, kafka_address, topic_prefix)
    async with AsyncExitStack() as stack:
        health = await stack.enter_async_context(running(settings))
        await stack.enter_async_context(running(settings))
        bad = Record(shard, event_key(organization_id), b"no fact")
        assert await producer.publish(ORG_FACTS, [bad]) == []
        await publish(producer, *facts, *facts[:5])
        test = await send_test(engine, organization_id, made.webhook.id, utc_now())
        await eventually(lambda: len(receiver.got) >= 51, timeout=30, saying="all events")
        assert await health.checks["consumer"]()
    # Both have drained: nothing is on its way any more, and nothing was told twice.
    assert len(receiver.got) == 51
    verifier = Verifier(standard_secret(made.secret))
    events = [verifier.verify(got.raw, dict(got.headers)) for got in receiver.got]
    assert sorted(event["type"] for event in events) == ["call.ended"] * 50 + ["webhook.test"]
    assert len({event["id"] for event in events}) == 51
    assert test.event_id in {event["id"] for event in events}
    assert await store["deliveries"].count_documents({"state": "delivered", "queue": {"$exists": False}}) == 51
