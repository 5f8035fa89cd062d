"""From a valid message to hundreds that nobody can use. Pure and seeded: the same seed makes the same ones.

What is wrong with a field follows from the model's own JSON schema, so a new kind of message or a new field
is covered without a word here.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

# JSON texts, because half of them cannot be written as a Python value.
OF_NO_TEXT: Final = ("17", "-1.5", "true", "[]", '["x"]', "{}", '{"$ne": ""}', "NaN", "[" * 150 + "]" * 150)
OF_NO_VERSION: Final = (
    "0",
    "2",
    "-1",
    '"1"',
    "1.5",
    "null",
    "[1]",
    '{"$gt": 0}',
    "NaN",
    "1" + "0" * 30,
    "1" + "0" * 5000,
)
OF_NO_SHARD: Final = (
    "-1",
    "16",
    '"x"',
    "1.5",
    "null",
    "[3]",
    "{}",
    "NaN",
    "Infinity",
    "9223372036854775808",
    "1" * 400,
)
OF_NO_NUMBER: Final = ('"x"', "[]", "{}", "NaN", "Infinity", "-Infinity", "1e999", "1" * 5000)
OF_NO_TIME: Final = (
    '"yesterday"',
    '""',
    "[]",
    "{}",
    "NaN",
    "1e400",
    "1" * 400,
    '"2026-02-30T00:00:00Z"',
    '"2026-01-01T00:00:00"',  # of which place?
    '"0001-01-01T00:00:00+14:00"',  # before all time in UTC
    '"9999-12-31T23:59:59-14:00"',  # after it
)
OF_NO_TRUTH: Final = ('"perhaps"', "7", "[]", "{}")
OF_NO_LIST: Final = ('"x"', "1", "true", '{"0": 1}')
OF_NO_OBJECT: Final = ("7", '"text"', "[]", "true", "{}", '{"subject": "the moon"}')
TOO_LONG: Final = json.dumps("x" * 300)
NOTHING: Final = ("null", "false", "0", '""', "[]", "{}", "NaN", "[[[", "}", '"', "\x00", "not a message")


@dataclass(frozen=True, slots=True)
class Bad:
    """A value that nobody can use, and in a few words what is wrong with it."""

    what: str
    value: bytes | None


def unusable(rng: random.Random, model: type[BaseModel], valid: Mapping[str, Any], step: int) -> list[Bad]:
    """Everything below for one valid message of a model; `step`: how many bytes apart it is cut off."""
    whole = json.dumps(valid).encode()
    return [
        *truncated(whole, step),
        *garbled(rng, whole),
        *wrong_fields(model, valid),
        *wrong_wrapping(whole, valid),
    ]


def truncated(whole: bytes, step: int) -> Iterator[Bad]:
    """Cut off at every few bytes."""
    for length in range(1, len(whole), step):
        yield Bad(f"cut off after {length} bytes", whole[:length])


def garbled(rng: random.Random, whole: bytes) -> Iterator[Bad]:
    """Bytes that are no UTF-8 somewhere inside, other encodings, and pure noise."""
    for wrong in (b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x00"):
        where = rng.randrange(1, len(whole))
        yield Bad(f"{wrong!r} at {where}", whole[:where] + wrong + whole[where:])
    for encoding in ("utf-8-sig", "utf-16", "utf-32", "cp037"):
        yield Bad(f"in {encoding}", whole.decode().encode(encoding))
    for length in (1, 7, 64, 1000):
        yield Bad(f"{length} random bytes", b"\xfe" + rng.randbytes(length))


def wrong_fields(model: type[BaseModel], valid: Mapping[str, Any]) -> Iterator[Bad]:
    """Each field missing where it is required, and of every wrong type."""
    schema = model.model_json_schema()
    for name in schema["required"]:
        yield Bad(f"without {name}", json.dumps({k: v for k, v in valid.items() if k != name}).encode())
    for name, field in schema["properties"].items():
        for text in wrong_values(name, _resolved(schema, field)):
            yield Bad(f"{name}: {text[:40]}", with_text(valid, name, text))


def _resolved(schema: Mapping[str, Any], field: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = field.get("$ref")
    resolved: Mapping[str, Any] = schema["$defs"][reference.rsplit("/", 1)[1]] if reference else field
    if "anyOf" in resolved:
        return {**resolved, "anyOf": [_resolved(schema, option) for option in resolved["anyOf"]]}
    return resolved


def wrong_values(name: str, field: Mapping[str, Any]) -> Sequence[str]:
    """JSON texts that are certainly wrong for a field of this schema."""
    if "anyOf" in field:
        [real] = [option for option in field["anyOf"] if option != {"type": "null"}]
        # Remarks may have any length: they are cut.
        return [text for text in wrong_values(name, real) if text not in {"null", TOO_LONG}]
    if name == "schema_version":
        return OF_NO_VERSION
    if "const" in field or "enum" in field:
        return (*OF_NO_TEXT, "null", '"nonsense"', '""')
    if field.get("format") == "date-time":
        return (*OF_NO_TIME, "null")
    match field["type"]:
        case "string":
            return (*OF_NO_TEXT, "null", *([TOO_LONG] if "maxLength" in field else []))
        case "integer":
            return OF_NO_SHARD
        case "number":
            return (*OF_NO_NUMBER, "null")
        case "boolean":
            return (*OF_NO_TRUTH, "null")
        case "array":
            return (*OF_NO_LIST, "null")
        case "object":
            return (*OF_NO_OBJECT, "null")
    raise AssertionError(f"nobody knows what is wrong for {name}: {field}")


def with_text(valid: Mapping[str, Any], name: str, text: str) -> bytes:
    """The message with a JSON text in the place of one field."""
    return json.dumps({**valid, name: "@@"}).replace('"@@"', text).encode()


def wrong_wrapping(whole: bytes, valid: Mapping[str, Any]) -> Iterator[Bad]:
    """A good message in the wrong clothes."""
    yield Bad("null value", None)
    yield Bad("empty", b"")
    for text in NOTHING:
        yield Bad(f"only {text!r}", text.encode())
    yield Bad("in a list", b"[" + whole + b"]")
    yield Bad("as text", json.dumps(whole.decode()).encode())
    yield Bad("two of them", whole + whole)
    yield Bad("with a comma behind", whole[:-1] + b",}")
    yield Bad("with a comment", whole + b" // here it is")
    yield Bad("as Python writes it", repr(dict(valid)).encode())
    yield Bad("version twice, the last one wrong", whole[:-1] + b', "schema_version": 99}')
    yield Bad("deep", whole[:-1] + b', "more": ' + b"[" * 50_000 + b"]" * 50_000 + b"}")
    yield Bad("deep and open", b'{"a":' * 50_000)


def noise(rng: random.Random, whole: bytes, count: int) -> Iterator[Bad]:
    """A few bytes changed, lost or doubled; some of these are good messages all the same."""
    for number in range(count):
        changed = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            where = rng.randrange(len(changed))
            match rng.randrange(3):
                case 0:
                    changed[where] ^= 1 << rng.randrange(8)
                case 1:
                    del changed[where]
                case 2:
                    changed.insert(where, changed[where])
        yield Bad(f"noise {number}", bytes(changed))
