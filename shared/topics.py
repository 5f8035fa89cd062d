"""Every Kafka topic, once: its name, key, partitions, writers and readers. AsyncAPI comes from here."""

from dataclasses import dataclass
from typing import Final

from shared.domain.ids import SHARDS, partition_of


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `key` says in words what the record key is; equal keys stay in order.

    `group` is the consumer group of the service among its readers, without the prefix of this broker.
    """

    name: str
    partitions: int
    key: str
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    group: str
    max_message_bytes: int = 1024 * 1024

    @property
    def dead_letter(self) -> str:
        """Where messages of this topic go that could not be used."""
        return f"{self.name}.dlq"


CONTACT_BATCHES: Final = Topic(
    name="contact.batches",
    partitions=8,
    key="organization id + '/' + campaign",
    written_by=("customers",),
    read_by=("contact-ingest",),
    group="contact-ingest",
    # 1,000 contacts of a few KiB each; a larger batch is refused by the broker before it is sent.
    max_message_bytes=16 * 1024 * 1024,
)
DIAL_JOBS: Final = Topic(
    name="dial.jobs",
    partitions=16,
    key="attempt id, so that a released contact's next job may reach another executor",
    written_by=("scheduler",),
    read_by=("call-executor",),
    group="call-executor",
)
JOBS: Final = Topic(
    name="jobs",
    partitions=8,
    key="job id",
    written_by=("campaign-api", "contact-ingest"),
    read_by=("contact-ingest",),
    group="contact-ingest.jobs",
)
ORG_EVENTS: Final = Topic(
    name="org.events",
    partitions=SHARDS,
    key="organization id; the partition is the organization's shard",
    written_by=("call-executor", "campaign-api", "contact-ingest"),
    read_by=("scheduler",),
    group="scheduler",
)
ORG_FACTS: Final = Topic(
    name="org.facts",
    partitions=SHARDS,
    key="organization id; the partition is the organization's shard",
    written_by=("scheduler",),
    read_by=("webhook-sender", "customers"),
    group="webhook-sender",
)

TOPICS: Final = (CONTACT_BATCHES, DIAL_JOBS, JOBS, ORG_EVENTS, ORG_FACTS)


def partition_for(topic: Topic, key: bytes) -> int:
    """The partition of the topic that our own producers use for `key`."""
    return partition_of(key, topic.partitions)
