"""From a Kafka record to the message in it; a record that holds none is set aside, in one way on every topic."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.bus.dead_letters import KafkaRecord, faults, send_to_dead_letters
from shared.bus.patient_consumer import WHY_UNREADABLE, is_unreadable
from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.errors import PermanentError, Unavailable
from shared.logs import get_logger
from shared.topics import Topic

RETRY_SECONDS: Final = 1.0
T = TypeVar("T")


def value_of(record: KafkaRecord, unreadable: type[PermanentError]) -> bytes:
    """The record's bytes; none are an empty value. Raises `unreadable` when Kafka's record itself cannot be read."""
    if is_unreadable(record):
        raise unreadable(WHY_UNREADABLE)
    return record.value or b""


def message_in(record: KafkaRecord, form: TypeAdapter[T], unreadable: type[PermanentError]) -> T:
    """The message that the record holds in this form.

    Raises `unreadable`, with where and why and nothing of what the record holds: set it aside.
    """
    try:
        return form.validate_json(value_of(record, unreadable))
    except ValidationError as error:
        raise unreadable(faults(error)) from error


async def read_or_set_aside(
    producer: Producer, topic: Topic, record: KafkaRecord, read: Callable[[KafkaRecord], T]
) -> T | None:
    """What `read` finds in the record, else None: it raised a `PermanentError`, and the record is set aside for it."""
    try:
        return read(record)
    except PermanentError as error:
        await set_aside(producer, topic, record, error)
        return None


async def set_aside(producer: Producer, topic: Topic, record: KafkaRecord, error: Exception) -> None:
    """Set a record aside as a dead letter; when this returns the letter is safe.

    Until then no record behind it may be read: its offset must not be passed.
    """
    while True:
        try:
            return await send_to_dead_letters(producer, topic, record, error, utc_now())
        except Unavailable as away:
            get_logger().warning("cannot set a message aside", why=str(away))
            await asyncio.sleep(RETRY_SECONDS)
