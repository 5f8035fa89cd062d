"""Dead letters: a message that cannot be used is set aside with its bytes as they were, and work goes on.

The dead-letter topic holds the original key, value and headers, and where, when and why the message died
in headers of our own. `python -m deploy.replay` puts them back (shared/bus/replay.py).
"""

from datetime import datetime
from typing import Final

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from shared.bus.producer import Headers, Producer, Record, RecordTooLarge
from shared.domain.repeating import repeated
from shared.errors import Unavailable
from shared.logs import get_logger
from shared.metrics import DEAD_LETTERS
from shared.topics import Topic

ORIGIN_TOPIC: Final = "dialstream-origin-topic"
ORIGIN_PARTITION: Final = "dialstream-origin-partition"
ORIGIN_OFFSET: Final = "dialstream-origin-offset"
ERROR_CLASS: Final = "dialstream-error-class"
ERROR_MESSAGE: Final = "dialstream-error-message"
DIED_AT: Final = "dialstream-died-at"
NULL_VALUE: Final = "dialstream-null-value"
# On a letter without key, value and headers of its message: how many bytes they had.
LEFT_OUT: Final = "dialstream-left-out-bytes"
# On a message that was put back: how often.
REPLAYS: Final = "dialstream-replays"

OF_THE_DEATH: Final = frozenset(
    {ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET, ERROR_CLASS, ERROR_MESSAGE, DIED_AT, NULL_VALUE, LEFT_OUT}
)
# Dead-letter topics have one partition (deploy/create_topics.py): there are few letters, in order of death.
DEAD_LETTER_PARTITION: Final = 0
MAX_ERROR_LENGTH: Final = 1000
# So many faults of a message are named.
MAX_FAULTS: Final = 5

KafkaRecord = ConsumerRecord[bytes | None, bytes | None]


async def send_to_dead_letters(
    producer: Producer, topic: Topic, record: KafkaRecord, error: Exception, now: datetime
) -> None:
    """Set the record aside; when this returns it is safe and its offset may be committed.

    The class of `error` and its message (keep personal data out of it) go into the headers; the class
    into the metric too. Raises `Unavailable` when Kafka did not acknowledge: do not commit, try again.
    """
    letters, letter = producer.prefix + topic.dead_letter, dead_letter(record, error, now)
    try:
        lost = await producer.publish_to(letters, [letter])
    except RecordTooLarge:
        # It came packed tighter than we can pack it. The message itself stays where it died, as long as Kafka keeps it.
        lost = await producer.publish_to(letters, [only_the_story(record, error, now)])
    if lost:
        raise Unavailable("Kafka", f"a dead letter of {topic.name} was not acknowledged")
    DEAD_LETTERS.labels(topic=topic.name, error=type(error).__name__).inc()
    get_logger().warning(
        "set a message aside as a dead letter",
        topic=topic.name,
        partition=record.partition,
        offset=record.offset,
        error_class=type(error).__name__,
        error_message=repeated(str(error), MAX_ERROR_LENGTH),
    )


def faults(error: ValidationError) -> str:
    """What is wrong with a message, in a line: where and why, and nothing of what it holds."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(
        f"{repeated('.'.join(map(str, fault['loc']))) or 'message'}: {repeated(fault['msg'])}"
        for fault in found[:MAX_FAULTS]
    )


def dead_letter(record: KafkaRecord, error: Exception, now: datetime) -> Record:
    """The dead letter of a record: its key, value and headers, and the story of its death."""
    story = _story(record, error, now)
    if record.value is None:
        story[NULL_VALUE] = "1"  # a null value would be a deletion on a compacted topic
    headers = (*original_headers(record), *_as_headers(story))
    return Record(DEAD_LETTER_PARTITION, record.key, record.value or b"", headers)


def only_the_story(record: KafkaRecord, error: Exception, now: datetime) -> Record:
    """The dead letter of a record that is larger than the dead-letter topic takes."""
    size = Record(record.partition, record.key, record.value or b"", original_headers(record)).size
    return Record(DEAD_LETTER_PARTITION, None, b"", _as_headers(_story(record, error, now) | {LEFT_OUT: str(size)}))


def _story(record: KafkaRecord, error: Exception, now: datetime) -> dict[str, str]:
    return {
        ORIGIN_TOPIC: record.topic,
        ORIGIN_PARTITION: str(record.partition),
        ORIGIN_OFFSET: str(record.offset),
        ERROR_CLASS: type(error).__name__,
        ERROR_MESSAGE: repeated(str(error), MAX_ERROR_LENGTH),
        DIED_AT: now.isoformat(),
    }


def _as_headers(story: dict[str, str]) -> Headers:
    return tuple((name, text.encode(errors="replace")) for name, text in story.items())


def original_headers(record: KafkaRecord) -> Headers:
    """The record's headers without those of an earlier death."""
    return tuple((name, value) for name, value in record.headers if name not in OF_THE_DEATH)
