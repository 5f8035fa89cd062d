"""Puts dead letters back onto their topic, after what killed them has been mended.

`python -m deploy.replay --topic contact.batches [--limit 10]`; stop it at any time and run it again. Kafka is the one
that DIALSTREAM_KAFKA names, else that of the local stack, if it runs.
"""

import asyncio
import logging
from typing import Annotated

import typer

from deploy.dev_env import kafka_settings
from shared.bus.producer import Producer
from shared.bus.replay import Replayed, replay
from shared.bus.required_topics import wait_for_topics
from shared.errors import ConfigurationError, TemporaryError
from shared.logs import configure_logs
from shared.settings import KafkaSettings
from shared.topics import CONTACT_BATCHES, TOPICS

START_SECONDS = 3.0


async def run(settings: KafkaSettings, topic_name: str, limit: int | None) -> Replayed:
    """Replay one topic by its name in shared/topics.py.

    Raises `Unavailable` when Kafka is away, `TopicsMissing` when it lacks the topic.
    """
    topic = next(topic for topic in TOPICS if topic.name == topic_name)
    producer = Producer(settings)
    await producer.start(START_SECONDS)
    try:
        await wait_for_topics(producer, (topic.name, topic.dead_letter), 0)
        return await replay(settings, producer, topic, limit=limit)
    finally:
        await producer.stop()


def main(
    topic: Annotated[str, typer.Option(help=f"One of {', '.join(topic.name for topic in TOPICS)}.")] = (
        CONTACT_BATCHES.name
    ),
    limit: Annotated[int | None, typer.Option(min=1, help="Put back at most so many; without it all.")] = None,
) -> None:
    """Put the waiting dead letters of a topic back onto it, oldest first."""
    if topic not in {known.name for known in TOPICS}:
        raise SystemExit(f"replay: there is no topic {topic!r}")
    settings = kafka_settings("replay")
    # What goes wrong is said once, at the end, and not at each try to connect.
    configure_logs("ERROR", "replay")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    print(f"Asking Kafka at {settings.kafka} for the dead letters of {settings.topic_prefix}{topic}.", flush=True)
    try:
        result = asyncio.run(run(settings, topic, limit))
    except (TemporaryError, ConfigurationError) as error:
        raise SystemExit(f"replay: {error}") from None
    print(f"Put {result.put_back} dead letters back onto {topic}.")
    if result.left_out:
        print(f"Left out {result.left_out} records: not put there by Dialstream, or too large for {topic}.")


if __name__ == "__main__":
    typer.run(main)
