"""Keeps FastStream from looking into records: whatever it cannot read it would drop, with its neighbours.

Its parser decodes header values as UTF-8 and its decoder parses the values; both raise before our
handler runs, and the next commit would pass over the whole read. Here the records arrive untouched.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from aiokafka import AIOKafkaConsumer
from faststream.kafka.message import KafkaMessage

from shared.bus.dead_letters import KafkaRecord


@dataclass(frozen=True, slots=True)
class Read:
    """What one read brought, and the consumer to commit it with."""

    records: tuple[KafkaRecord, ...]
    consumer: AIOKafkaConsumer


async def without_headers(
    records: tuple[KafkaRecord, ...], original: Callable[[Any], Awaitable[KafkaMessage]]
) -> KafkaMessage:
    """FastStream's message around the records; only it does not see their headers."""
    message = await original(tuple(replace(record, headers=()) for record in records))
    message.raw_message = records
    return message


async def as_read(message: KafkaMessage) -> Read:
    """What the handler gets."""
    return Read(cast(tuple[KafkaRecord, ...], message.raw_message), cast(AIOKafkaConsumer, message.consumer))
