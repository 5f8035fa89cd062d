"""What a dead letter must hold: the message as it was, and where, when and why it died."""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from shared.bus.dead_letters import (
    DIED_AT,
    ERROR_CLASS,
    ERROR_MESSAGE,
    LEFT_OUT,
    NULL_VALUE,
    OF_THE_DEATH,
    ORIGIN_OFFSET,
    ORIGIN_PARTITION,
    ORIGIN_TOPIC,
    REPLAYS,
    KafkaRecord,
)
from shared.bus.patient_consumer import UNREADABLE
from shared.topics import Topic
from tests.integration.topic_fuzz.mutations import Bad
from tests.integration.topic_fuzz.wire import Message, OddHeaders, Sent

Place = tuple[int, int]
ODD_KEYS: Final = (None, None, b"", b"\xff\xfe\x00", b"a key", "schlüssel".encode(), b"k" * 100_000)
ODD_HEADERS: Final[OddHeaders] = (
    ("trace", b"1"),
    ("trace", b"\xff\xfe\x80"),
    ("", b"no name"),
    ("no value", None),
    ("empty", b""),
    ("long", b"\x00" * 30_000),
    ("correlation_id", b"\x80"),
    ("reply_to", b"\xc3\x28"),
    ("content-type", b"application/json"),
    ("content-type", b"\xff"),
    # What only Dialstream itself may say of a message.
    (ORIGIN_TOPIC, b"elsewhere"),
    (ORIGIN_PARTITION, b"99"),
    (ERROR_CLASS, b"Forged"),
    (NULL_VALUE, b"1"),
    (REPLAYS, b"9" * 5000),
    (REPLAYS, None),
)


def odd_headers(rng: random.Random) -> OddHeaders:
    """Up to three odd headers, most often none."""
    return tuple(rng.choices(ODD_HEADERS, k=rng.choice((0, 0, 0, 1, 2, 3))))


def dressed(
    rng: random.Random, bads: Iterable[Bad], error: str | None = None, partition: int | None = None
) -> list[Message]:
    """The values with odd keys and headers, all to die of one error if it is named."""
    return [
        Message(bad.what, bad.value, rng.choice(ODD_KEYS), odd_headers(rng), partition, error=error) for bad in bads
    ]


def mixed(rng: random.Random, bad: Iterable[Message], good: Iterable[Message]) -> list[Message]:
    """All of them in one order, the good ones in theirs."""
    everything, kept = [*bad], [*good]
    places = sorted(rng.randrange(len(everything) + 1) for _ in kept)
    for shift, (place, message) in enumerate(zip(places, kept, strict=True)):
        everything.insert(place + shift, message)
    return everything


def origin(letter: KafkaRecord) -> Place:
    """Where the message of a letter had stood."""
    told = dict(letter.headers)
    return int(told[ORIGIN_PARTITION]), int(told[ORIGIN_OFFSET])


def check(
    topic: Topic,
    prefix: str,
    letters: Sequence[KafkaRecord],
    bad: Iterable[Sent],
    *,
    perhaps: Iterable[Sent] = (),
    classes: Collection[str],
) -> None:
    """Every bad message is a letter, once, whole and with its story; of the others only `perhaps` may be."""
    must = {(sent.partition, sent.offset): sent for sent in bad}
    may = {(sent.partition, sent.offset): sent for sent in perhaps}
    counted = Counter(map(origin, letters))
    assert not {where: times for where, times in counted.items() if times > 1}, "set aside more than once"
    lost = [sent.message.what for where, sent in must.items() if where not in counted]
    assert not lost, f"{len(lost)} of {len(must)} were not set aside"
    wrongly = counted.keys() - must.keys() - may.keys()
    assert not wrongly, "good messages were set aside"
    for letter in letters:
        _check_one(prefix + topic.name, letter, (must | may)[origin(letter)].message, classes)


def _check_one(topic_name: str, letter: KafkaRecord, message: Message, classes: Collection[str]) -> None:
    if message.unreadable:
        # Nobody can read it, so what is left of it is its place.
        message = Message(message.what, None, None, ((UNREADABLE, b"UnicodeDecodeError"),), error=message.error)
    told = dict(letter.headers)
    assert (letter.key, letter.value) == (message.key, message.value or b""), message.what
    kept = tuple((name, value) for name, value in message.headers if name not in OF_THE_DEATH)
    assert letter.headers[: len(kept)] == kept, message.what
    story = letter.headers[len(kept) :]
    assert {name for name, _ in story} | {NULL_VALUE} == OF_THE_DEATH - {LEFT_OUT}, message.what
    assert (NULL_VALUE in told) == (message.value is None), message.what
    assert told[ORIGIN_TOPIC] == topic_name.encode()
    assert told[ERROR_CLASS].decode() in ({message.error} if message.error else classes), message.what
    assert 10 <= len(told[ERROR_MESSAGE].decode()) <= 1000, message.what
    died_at = datetime.fromisoformat(told[DIED_AT].decode())
    assert died_at.utcoffset() is not None


def lives(letter: KafkaRecord) -> bytes | None:
    """How often the message of a letter was put back, as the letter says."""
    value: bytes | None = dict(letter.headers).get(REPLAYS)
    return value


def check_replayed(before: Sequence[KafkaRecord], again: Sequence[KafkaRecord], *, without: int) -> None:
    """What died again did so once, as it was before and from where it was; `without` letters did not."""

    def message(letter: KafkaRecord) -> tuple[object, ...]:
        kept = tuple(header for header in letter.headers if header[0] not in OF_THE_DEATH | {REPLAYS})
        return origin(letter)[0], letter.key, letter.value, kept

    first, second = Counter(map(message, before)), Counter(map(message, again))
    assert not second - first, "something new has died"
    assert (first - second).total() == without
    for letter in again:
        assert [name for name, _ in letter.headers].count(REPLAYS) == 1
        assert (lives(letter) or b"").isdigit()
