"""The dead letters of a topic that wait to be put back: their stories, without what the messages hold."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiokafka.errors import KafkaError

from shared.bus.consumers import letters_consumer
from shared.bus.dead_letters import (
    DIED_AT,
    ERROR_CLASS,
    ERROR_MESSAGE,
    LEFT_OUT,
    MAX_ERROR_LENGTH,
    ORIGIN_OFFSET,
    ORIGIN_PARTITION,
    REPLAYS,
    KafkaRecord,
)
from shared.bus.replay import counted
from shared.domain.repeating import repeated
from shared.errors import Unavailable
from shared.settings import KafkaSettings
from shared.topics import Topic

# A person waits for the answer; so long a read waits for records.
LOOK_SECONDS: Final = 5.0
WAIT_MS: Final = 500
# Of an offset.
MOST_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter: where its message stood, when and why it died, how often it went back.

    `offset` is the letter's own place; `bytes` what its key and value have, or had where they were left out. Strangers'
    records may be among the letters: they have no origin.
    """

    offset: int
    partition: int | None
    origin_offset: int | None
    died_at: datetime | None
    error: str
    message: str
    replays: int
    bytes: int


async def read_letters(settings: KafkaSettings, topic: Topic, limit: int) -> list[Letter]:
    """The first `limit` that wait, oldest first; nothing is committed. Raises `Unavailable` when Kafka is away."""
    consumer, letters = letters_consumer(settings, topic)
    found: list[Letter] = []
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await consumer.start()
            consumer.assign([letters])
            end = (await consumer.end_offsets([letters]))[letters]
            while await consumer.position(letters) < end and len(found) < limit:
                read = await consumer.getmany(letters, timeout_ms=WAIT_MS, max_records=limit - len(found))
                found += [_letter(record, topic) for record in read.get(letters, [])]
    except (KafkaError, OSError) as error:  # a TimeoutError is an OSError
        raise Unavailable("Kafka", f"{settings.kafka}: {error!r}") from error
    finally:
        await consumer.stop()
    return found


def _letter(record: KafkaRecord, topic: Topic) -> Letter:
    headers: Mapping[str, bytes | None] = dict(record.headers)
    partition = counted(headers.get(ORIGIN_PARTITION))
    size = counted(headers.get(LEFT_OUT), MOST_DIGITS)
    return Letter(
        offset=record.offset,
        partition=None if partition is None or partition >= topic.partitions else partition,
        origin_offset=counted(headers.get(ORIGIN_OFFSET), MOST_DIGITS),
        died_at=_instant(headers.get(DIED_AT)),
        error=_text(headers.get(ERROR_CLASS)),
        message=_text(headers.get(ERROR_MESSAGE)),
        replays=counted(headers.get(REPLAYS)) or 0,
        bytes=len(record.key or b"") + len(record.value or b"") if size is None else size,
    )


def _instant(header: bytes | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(_text(header))
    except ValueError:
        return None
    return None if at.tzinfo is None else at


def _text(header: bytes | None) -> str:
    """A header as an answer can carry it: anybody may have written anything there."""
    return repeated((header or b"").decode(errors="replace"), MAX_ERROR_LENGTH)
