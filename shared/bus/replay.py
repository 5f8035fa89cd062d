"""Putting dead letters back onto the topic they came from, to be read once more."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka.errors import KafkaError

from shared.bus.consumers import letters_consumer
from shared.bus.dead_letters import (
    LEFT_OUT,
    NULL_VALUE,
    ORIGIN_PARTITION,
    REPLAYS,
    KafkaRecord,
    original_headers,
)
from shared.bus.producer import Producer, Record, RecordTooLarge
from shared.errors import Unavailable
from shared.settings import KafkaSettings
from shared.topics import Topic

WAIT_MS = 500
# A header that counts has fewer digits; anybody may have written anything there.
MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many letters went back, and how many could not: no dead letters of ours, or too large for the topic."""

    put_back: int
    left_out: int


async def replay(settings: KafkaSettings, producer: Producer, topic: Topic, *, limit: int | None = None) -> Replayed:
    """Put the waiting dead letters of a topic back, oldest first, at most `limit`; those that die again
    meanwhile wait for the next run.

    Safe to stop at any moment: a letter counts as replayed once its copy is acknowledged, so at worst one
    goes back twice, and every consumer bears that. Raises `Unavailable` when Kafka is away.
    """
    consumer, letters = letters_consumer(settings, topic)
    try:
        await consumer.start()
        # By hand: no waiting for a group.
        consumer.assign([letters])
        end = (await consumer.end_offsets([letters]))[letters]
        put_back = left_out = 0
        while await consumer.position(letters) < end and (limit is None or put_back < limit):
            fetched = await consumer.getmany(letters, timeout_ms=WAIT_MS, max_records=1)
            for record in fetched.get(letters, []):
                original = original_of(record, topic)
                if original is not None and await _put_back(producer, topic, original):
                    put_back += 1
                else:
                    left_out += 1
                await consumer.commit({letters: record.offset + 1})
        return Replayed(put_back, left_out)
    except (KafkaError, OSError) as error:
        raise Unavailable("Kafka", f"{settings.kafka}: {error!r}") from error
    finally:
        await consumer.stop()


async def _put_back(producer: Producer, topic: Topic, original: Record) -> bool:
    """Whether the topic has the message again; False: with the note of its replay it is larger than the topic takes."""
    try:
        lost = await producer.publish_to(producer.topic_name(topic), [original])
    except RecordTooLarge:
        return False
    if lost:
        raise Unavailable("Kafka", f"a message to {topic.name} was not acknowledged")
    return True


def original_of(letter: KafkaRecord, topic: Topic) -> Record | None:
    """The message as it was before it died, with one more replay noted; None for a stranger's record, and for a
    letter that could not hold its message."""
    headers: Mapping[str, bytes | None] = dict(letter.headers)
    partition = counted(headers.get(ORIGIN_PARTITION))
    if partition is None or partition >= topic.partitions or LEFT_OUT in headers:
        return None
    count = (counted(headers.get(REPLAYS)) or 0) + 1
    kept = tuple((name, value) for name, value in original_headers(letter) if name != REPLAYS)
    # A message without key and value cannot be sent again as it was; an empty value dies just the same.
    value = b"" if NULL_VALUE in headers else letter.value or b""
    return Record(partition, letter.key, value, (*kept, (REPLAYS, str(count).encode())))


def counted(told: bytes | None, digits: int = MAX_DIGITS) -> int | None:
    """The number in a header; None where there is none of at most so many digits."""
    return int(told) if told is not None and told.isdigit() and len(told) <= digits else None
