"""Topics are made by `python -m deploy.create_topics` and by no service; one that lacks some waits and says which."""

import asyncio
from collections.abc import Iterable
from typing import Final

from shared.bus.producer import Producer
from shared.clock import monotonic
from shared.errors import TemporaryError, Unavailable
from shared.logs import get_logger
from shared.topics import TOPICS

LOOK_SECONDS: Final = 1.0


class TopicsMissing(TemporaryError):
    """Kafka is there and lacks topics; the message says which, and what makes them."""


async def wait_for_topics(producer: Producer, names: Iterable[str], deadline_seconds: float) -> None:
    """Return when all of these exist, named as in shared/topics.py; log once which do not.

    After the deadline raises `TopicsMissing` with the same sentence, or `Unavailable` when Kafka has gone.
    """
    deadline, told = monotonic() + deadline_seconds, ""
    wanted = [producer.prefix + name for name in names]
    while True:
        try:
            existing = await producer.existing_topics()
        except Unavailable:
            if monotonic() > deadline:
                raise
        else:
            missing = [name for name in wanted if name not in existing]
            if not missing:
                return
            sentence = _what_to_do(missing, producer.brokers)
            if monotonic() > deadline:
                raise TopicsMissing(sentence)
            if sentence != told:
                get_logger().warning("waiting for topics", why=sentence)
                told = sentence
        await asyncio.sleep(LOOK_SECONDS)


def needed_by(service: str) -> list[str]:
    """The topics that a service reads or writes, by its name there; of those it reads the dead-letter topics too."""
    needed = []
    for topic in TOPICS:
        if service in (*topic.read_by, *topic.written_by):
            needed.append(topic.name)
        if service in topic.read_by:
            needed.append(topic.dead_letter)
    return needed


def _what_to_do(missing: Iterable[str], brokers: str) -> str:
    return (
        f"These topics do not exist on Kafka at {brokers}, or may not be seen from here: {', '.join(missing)}; "
        "make them with `python -m deploy.create_topics`."
    )
