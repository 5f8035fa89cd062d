"""Puts dead letters back onto their topic, after what killed them has been mended.

`python -m deploy.replay --topic contact.batches [--limit 10]`; stop it at any time and run it again. Kafka is the one
that DIALSTREAM_KAFKA names, else that of the local stack, if it runs.
"""

import asyncio
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from deploy.dev_env import kafka_settings
from shared.bus.producer import Producer
from shared.bus.replay import Replayed, replay
from shared.errors import Unavailable
from shared.settings import KafkaSettings
from shared.topics import CONTACT_BATCHES, TOPICS

START_SECONDS = 10.0


async def run(settings: KafkaSettings, topic_name: str, limit: int | None) -> Replayed:
    """Replay one topic by its name in shared/topics.py. Raises `Unavailable` when Kafka is away."""
    topic = next(topic for topic in TOPICS if topic.name == topic_name)
    producer = Producer(settings)
    await producer.start(START_SECONDS)
    try:
        return await replay(settings, producer, topic, limit=limit)
    except (KafkaError, OSError) as error:
        raise Unavailable("Kafka", f"{settings.kafka}: {error!r}") from error
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
    try:
        result = asyncio.run(run(kafka_settings("replay"), topic, limit))
    except Unavailable as error:
        raise SystemExit(f"replay: {error}") from None
    print(f"Put {result.put_back} dead letters back onto {topic}.")
    if result.left_out:
        print(f"Left out {result.left_out} records: not put there by Dialstream, or too large for {topic}.")


if __name__ == "__main__":
    typer.run(main)
