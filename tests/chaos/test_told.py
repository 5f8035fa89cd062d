"""What a run reads of Kafka's facts: all of them, and how many the senders have not read."""

from shared.bus.producer import Producer, Record
from shared.clock import utc_now
from shared.domain.facts import FactType
from shared.events import OrgFact
from shared.settings import KafkaSettings
from tests.chaos.told import read_facts, unread

SHARD = 2


async def test_every_fact_is_read_and_counted_as_long_as_no_sender_has_read_it(
    kafka_address: str, topic_prefix: str
) -> None:
    settings = KafkaSettings(kafka=kafka_address, topic_prefix=topic_prefix)
    facts = [OrgFact(shard=SHARD, n=n, organization_id="acme", type=FactType.CALL_PLACED, at=utc_now()) for n in (1, 2)]
    producer = Producer(settings)
    await producer.start()
    try:
        await producer.publish_facts([Record(SHARD, b"acme", fact.model_dump_json().encode()) for fact in facts])
    finally:
        await producer.stop()
    read = await read_facts(settings)
    assert read.pop(SHARD) == facts
    assert not any(read.values())
    assert await unread(settings) == len(facts)
