"""Prepares the servers for the services: MongoDB's replica set, Kafka's topics. One shot, safe to repeat.

Run it before the first start and after each upgrade: `python -m deploy.prepare`. It waits for servers that are still
starting, so nothing has to watch them for it.
"""

import asyncio
import logging
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from deploy.create_topics import create_topics
from deploy.replica_set import ensure_primary
from shared.clock import monotonic
from shared.errors import ConfigurationError, Unavailable
from shared.process import refuse_to_start
from shared.settings import KafkaSettings, MongoSettings, StartSettings

COMMAND: Final = "prepare"
AGAIN_SECONDS: Final = 0.5


class PrepareSettings(KafkaSettings, MongoSettings, StartSettings):
    """The servers' addresses, and how long they may take to start."""


async def prepare(settings: PrepareSettings, *, replication_factor: int = 1) -> list[str]:
    """Returns the topics that were missing, once MongoDB has a primary and every topic a leader.

    Raises Unavailable when a server is still away after `start_deadline_seconds` (try again), ConfigurationError when
    somebody must look: see `ensure_primary` and `create_topics`.
    """
    # Both are waited for even when one fails, so that none is left in the middle of its work.
    results = await asyncio.gather(
        ensure_primary(settings, settings.start_deadline_seconds),
        _topics(settings, replication_factor),
        return_exceptions=True,
    )
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results[1] if isinstance(results[1], list) else []


async def _topics(settings: PrepareSettings, replication_factor: int) -> list[str]:
    deadline = monotonic() + settings.start_deadline_seconds
    while True:
        try:
            return await create_topics(settings, replication_factor=replication_factor)
        except Unavailable:
            if monotonic() > deadline:
                raise
        await asyncio.sleep(AGAIN_SECONDS)


def main(
    replication_factor: Annotated[int, typer.Option(min=1, help="Copies of each partition; 3 on a cluster.")] = 1,
) -> None:
    """Make the replica set and the topics that are missing."""
    # Refused connections are part of starting; Kafka's client would print each as an error.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        settings = PrepareSettings()
        created = asyncio.run(prepare(settings, replication_factor=replication_factor))
    except ValidationError as error:
        raise SystemExit(refuse_to_start(COMMAND, error)) from None
    except (Unavailable, ConfigurationError) as error:
        raise SystemExit(f"{COMMAND}: {error}") from None
    print("MongoDB has a primary. " + (f"Created {', '.join(created)}." if created else "All topics exist."))


if __name__ == "__main__":
    typer.run(main)
