"""Topics that a service waits for, and the sentence about those that are missing."""

from collections.abc import AsyncIterator

import pytest

from shared.bus.producer import Producer
from shared.bus.required_topics import TopicsMissing, needed_by, wait_for_topics
from shared.errors import Unavailable
from shared.settings import KafkaSettings

INGEST_NEEDS = ["contact.batches", "contact.batches.dlq", "jobs", "jobs.dlq", "org.events"]


class Known(Producer):
    """A producer on a broker with these topics; None: the broker is away."""

    topics: set[str] | None = None

    async def existing_topics(self) -> set[str]:
        """As told."""
        if self.topics is None:
            raise Unavailable("Kafka", "gone")
        return self.topics


@pytest.fixture
async def producer() -> AsyncIterator[Known]:
    made = Known(KafkaSettings(kafka="broker:9092", topic_prefix="p."))
    yield made
    await made.stop()


@pytest.mark.parametrize(
    ("service", "topics"),
    [
        ("contact-ingest", INGEST_NEEDS),
        ("scheduler", ["dial.jobs", "org.events", "org.events.dlq", "org.facts"]),
        ("call-executor", ["dial.jobs", "dial.jobs.dlq", "org.events"]),
        ("campaign-api", ["jobs", "org.events"]),
        ("webhook-sender", ["org.facts", "org.facts.dlq"]),
    ],
)
def test_a_service_needs_what_it_reads_and_writes_and_where_it_sets_messages_aside(
    service: str, topics: list[str]
) -> None:
    assert needed_by(service) == topics


async def test_missing_topics_are_named_with_their_prefix_and_what_makes_them(producer: Known) -> None:
    producer.topics = {"p.contact.batches", "contact.batches.dlq", "p.dial.jobs"}
    with pytest.raises(TopicsMissing) as refused:
        await wait_for_topics(producer, INGEST_NEEDS, -1)
    assert str(refused.value) == (
        "These topics do not exist on Kafka at broker:9092, or may not be seen from here: p.contact.batches.dlq, "
        "p.jobs, p.jobs.dlq, p.org.events; make them with `python -m deploy.create_topics`."
    )


async def test_a_broker_that_is_away_is_not_taken_for_one_without_topics(producer: Known) -> None:
    with pytest.raises(Unavailable):
        await wait_for_topics(producer, INGEST_NEEDS, -1)


async def test_nothing_is_waited_for_when_all_are_there(producer: Known) -> None:
    producer.topics = {f"p.{name}" for name in INGEST_NEEDS}
    await wait_for_topics(producer, INGEST_NEEDS, -1)
