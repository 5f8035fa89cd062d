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

READ_MS: Final = 1000


async def read_facts(settings: KafkaSettings) -> dict[int, list[OrgFact]]:
    """All facts by partition, as they came, those that came again too."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.brokers, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = _partitions(settings)
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


async def on_their_way(settings: KafkaSettings, store: Store) -> Mapping[str, int]:
    """How many facts are not numbered, not in Kafka, not read by the senders; how many deliveries wait."""
    relayed = {relay["_id"]: relay["relayed"] async for relay in store["relays"].find({})}
    numbered = {shard["_id"]: shard.get("facts", 0) async for shard in store["shards"].find({})}
    return {
        "facts without a number": await store["facts_in"].count_documents({}),
        "facts not relayed": sum(last - relayed.get(shard, 0) for shard, last in numbered.items()),
        "facts not read": await unread(settings),
        "webhooks not delivered": await store["deliveries"].count_documents({"state": DeliveryState.WAITING.value}),
    }


async def unread(settings: KafkaSettings) -> int:
    """How many facts the senders' group has not committed."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.brokers, enable_auto_commit=False)
    await admin.start()
    await consumer.start()
    try:
        ends = await consumer.end_offsets(_partitions(settings))
        committed = await admin.list_consumer_group_offsets(group_id(settings, SERVICE))
    finally:
        await consumer.stop()
        await admin.close()
    return sum(end - (committed[place].offset if place in committed else 0) for place, end in ends.items())


def _partitions(settings: KafkaSettings) -> list[TopicPartition]:
    return [TopicPartition(settings.topic_prefix + ORG_FACTS.name, n) for n in range(ORG_FACTS.partitions)]
