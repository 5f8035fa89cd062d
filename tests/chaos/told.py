"""What a system has told, as Kafka has it: the facts of every shard in the order in which they came, and what waits."""

from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.webhook_sender.app import SERVICE
from shared.bus.consumers import group_id
from shared.domain.webhooks import DeliveryState
from shared.events import ORG_FACT, OrgFact
from shared.settings import KafkaSettings
from shared.store.client import Store
from shared.topics import ORG_FACTS
from tests.e2e.system import System

READ_MS: Final = 1000


async def read_facts(system: System) -> dict[int, list[OrgFact]]:
    """All facts by partition, as they came, those that came again too."""
    topic = system.topic_prefix + ORG_FACTS.name
    consumer = AIOKafkaConsumer(bootstrap_servers=system.addresses.kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        await consumer.topics()
        partitions = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        found: dict[int, list[OrgFact]] = {place.partition: [] for place in partitions}
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for place, records in (await consumer.getmany(timeout_ms=READ_MS)).items():
                found[place.partition] += [ORG_FACT.validate_json(record.value or b"") for record in records]
        return found
    finally:
        await consumer.stop()


async def on_their_way(system: System, store: Store) -> Mapping[str, int]:
    """How many facts are not numbered, not in Kafka, not read by the senders; how many deliveries wait."""
    relayed = {relay["_id"]: relay["relayed"] async for relay in store["relays"].find({})}
    numbered = {shard["_id"]: shard.get("facts", 0) async for shard in store["shards"].find({})}
    return {
        "facts without a number": await store["facts_in"].count_documents({}),
        "facts not relayed": sum(last - relayed.get(shard, 0) for shard, last in numbered.items()),
        "facts not read": await _unread(system),
        "webhooks not delivered": await store["deliveries"].count_documents({"state": DeliveryState.WAITING.value}),
    }


async def _unread(system: System) -> int:
    settings = KafkaSettings(kafka=system.addresses.kafka, topic_prefix=system.topic_prefix)
    topic = system.topic_prefix + ORG_FACTS.name
    admin = AIOKafkaAdminClient(bootstrap_servers=system.addresses.kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=system.addresses.kafka, enable_auto_commit=False)
    await admin.start()
    await consumer.start()
    try:
        await consumer.topics()
        partitions = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
        ends = await consumer.end_offsets(partitions)
        committed = await admin.list_consumer_group_offsets(group_id(settings, SERVICE))
    finally:
        await consumer.stop()
        await admin.close()
    return sum(end - (committed[place].offset if place in committed else 0) for place, end in ends.items())
