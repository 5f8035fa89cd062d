"""Makes every topic of shared/topics.py and its dead-letter topic; safe to run twice.

Run it before the services: `python -m deploy.create_topics`.
"""

import asyncio
from typing import Annotated, Final

import typer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    CoordinatorNotAvailableError,
    GroupAuthorizationFailedError,
    KafkaError,
    NoError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from deploy.dev_env import kafka_settings
from shared.errors import ConfigurationError, Unavailable
from shared.settings import KafkaSettings
from shared.topics import TOPICS, Topic

# One partition keeps dead letters in the order in which they died; there should be few.
DEAD_LETTER_PARTITIONS: Final = 1
# Origin and error travel in the headers, beside the original bytes.
DEAD_LETTER_HEADER_BYTES: Final = 64 * 1024
DEAD_LETTER_DAYS: Final = 30
POLL_SECONDS: Final = 0.02
LEADER_SECONDS: Final = 30.0
# Any name does: the coordinators of all groups come up together.
FIRST_GROUP: Final = "contact_ingest"
DAY_MS: Final = 24 * 60 * 60 * 1000


def new_topics(prefix: str, replication_factor: int = 1) -> list[NewTopic]:
    """What to ask Kafka for: each topic and its dead-letter topic."""
    wanted = []
    for topic in TOPICS:
        limits = {"max.message.bytes": str(topic.max_message_bytes)}
        wanted.append(NewTopic(prefix + topic.name, topic.partitions, replication_factor, topic_configs=limits))
        wanted.append(_dead_letter_topic(topic, prefix, replication_factor))
    return wanted


def _dead_letter_topic(topic: Topic, prefix: str, replication_factor: int) -> NewTopic:
    limits = {
        "max.message.bytes": str(topic.max_message_bytes + DEAD_LETTER_HEADER_BYTES),
        "retention.ms": str(DEAD_LETTER_DAYS * DAY_MS),
    }
    name = prefix + topic.dead_letter
    return NewTopic(name, DEAD_LETTER_PARTITIONS, replication_factor, topic_configs=limits)


async def create_topics(settings: KafkaSettings, *, replication_factor: int = 1) -> list[str]:
    """Makes the topics that are missing and returns their names, once partitions have leaders and groups a coordinator.

    Raises Unavailable when Kafka is away (try again), ConfigurationError when a topic exists with another
    number of partitions: that number is fixed for the life of a deployment, so somebody must look.
    """
    wanted = new_topics(settings.topic_prefix, replication_factor)
    try:
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
        try:
            await admin.start()
            answers = (await admin.create_topics(wanted)).to_object()["topic_errors"]
            created = [answer["topic"] for answer in answers if _was_created(answer["topic"], answer["error_code"])]
            await _check_partitions(admin, wanted)
            await _groups_can_form(admin)
        finally:
            await admin.close()
    except (KafkaError, OSError) as error:  # a TimeoutError is an OSError
        raise Unavailable("Kafka", f"{settings.kafka}: {error!r}") from error
    return created


async def delete_topics(settings: KafkaSettings) -> None:
    """Deletes the topics of this prefix, with all that is in them. Raises Unavailable when Kafka is away."""
    try:
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
        try:
            await admin.start()
            await admin.delete_topics([topic.name for topic in new_topics(settings.topic_prefix)])
        finally:
            await admin.close()
    except (KafkaError, OSError) as error:
        raise Unavailable("Kafka", f"{settings.kafka}: {error!r}") from error


def _was_created(name: str, code: int) -> bool:
    kind = for_code(code)
    if kind is NoError:
        return True
    if kind is TopicAlreadyExistsError:
        return False
    raise ConfigurationError(f"Kafka refuses to create the topic {name}: {kind.__name__}")


async def _check_partitions(admin: AIOKafkaAdminClient, wanted: list[NewTopic]) -> None:
    partitions = {topic.name: topic.num_partitions for topic in wanted}
    # The controller has the new topics at once, the broker a moment later.
    async with asyncio.timeout(LEADER_SECONDS):
        while True:
            if await _all_led(admin, partitions):
                return
            await asyncio.sleep(POLL_SECONDS)


async def _groups_can_form(admin: AIOKafkaAdminClient) -> None:
    """Asks for a coordinator until there is one: a new Kafka makes its topic of offsets only when the first asks.

    Else all services ask at once, and their logs begin with an error each.
    """
    async with asyncio.timeout(LEADER_SECONDS):
        while True:
            try:
                await admin.find_coordinator(FIRST_GROUP)
            except CoordinatorNotAvailableError:
                await asyncio.sleep(POLL_SECONDS)
            except GroupAuthorizationFailedError:
                # Whoever makes topics need not see the services' groups.
                return
            else:
                return


async def _all_led(admin: AIOKafkaAdminClient, partitions: dict[str, int]) -> bool:
    led = True
    for found in await admin.describe_topics(list(partitions)):
        leaders = [partition["leader"] for partition in found["partitions"]]
        if found["error_code"] == UnknownTopicOrPartitionError.errno or -1 in leaders:
            led = False
        elif len(leaders) != partitions[found["topic"]]:
            raise ConfigurationError(
                f"the topic {found['topic']} has {len(leaders)} partitions and must have {partitions[found['topic']]}"
            )
    return led


def main(
    replication_factor: Annotated[int, typer.Option(help="Copies of each partition; 3 on a cluster.")] = 1,
) -> None:
    """Make the topics that are missing."""
    settings = kafka_settings("create_topics")
    try:
        created = asyncio.run(create_topics(settings, replication_factor=replication_factor))
    except (Unavailable, ConfigurationError) as error:
        raise SystemExit(f"create_topics: {error}") from None
    print(f"Created {', '.join(created)}." if created else "All topics exist.")


if __name__ == "__main__":
    typer.run(main)
