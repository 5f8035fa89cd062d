"""What text and JSON from outside may hold so that every part behind (BSON, Kafka, logs) can carry it.

The rules: no NUL, no lone surrogates, integers within signed 64 bit, finite numbers, at most 32 levels
of nesting, at most 64 KiB as compact UTF-8 JSON, no object with both "$ref" and "$id".
"""

from math import isfinite
from typing import Annotated, Any, Final

import orjson
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

MAX_JSON_BYTES: Final = 64 * 1024
# Of a document that is kept for others to read: an agent's definition.
MAX_DEFINITION_BYTES: Final = 256 * 1024
MAX_NESTING: Final = 32
SURROGATE: Final = "Send valid Unicode: the text has half a surrogate pair"
# MongoDB's driver turns an object with a text as "$ref" and with an "$id" into a reference when it reads it. One
# of them alone, as in every JSON schema that an agent's tools are described by, is plain data.
_REFERENCE: Final = "$ref"
_REFERENCED_ID: Final = "$id"
_INT64: Final = range(-(2**63), 2**63)
# What no rule of nesting and numbers is about: most objects have nothing else.
_PLAIN: Final = frozenset({str, bool, type(None)})


def check_text(value: str) -> str:
    """The text itself; `PydanticCustomError` when it cannot be stored."""
    if "\x00" in value:
        raise PydanticCustomError("nul", "Remove the NUL character (U+0000)")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise PydanticCustomError("surrogate", SURROGATE) from error
    return value


def check_json(value: Any) -> Any:
    """The value itself, made of what a JSON parser returns; `PydanticCustomError` when it breaks a rule."""
    return _check_json(value, MAX_JSON_BYTES)


def check_definition(value: Any) -> Any:
    """The value itself, as `check_json`, but for its size: at most 256 KiB."""
    return _check_json(value, MAX_DEFINITION_BYTES)


def check_json_within(value: Any, most_bytes: int) -> Any:
    """The value itself, as `check_json`, but for its size."""
    return _check_json(value, most_bytes)


def _check_json(value: Any, most_bytes: int) -> Any:
    _check_nesting_and_numbers(value)
    try:
        encoded = orjson.dumps(value)
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise PydanticCustomError("surrogate", SURROGATE) from error
    if len(encoded) > most_bytes:
        raise PydanticCustomError(
            "too_long",
            "Send at most {limit} bytes as compact JSON, not {size}",
            {"limit": most_bytes, "size": len(encoded)},
        )
    if b"\\u0000" in encoded or _REFERENCE.encode() in encoded:  # may also be harmless: look closer
        _check_texts(value)
    return value


def _check_nesting_and_numbers(root: Any) -> None:
    if type(root) is dict and _PLAIN.issuperset(map(type, root.values())):
        return
    level: list[Any] = [root]
    for _ in range(MAX_NESTING + 1):
        deeper: list[Any] = []
        containers = False
        for value in level:
            kind = type(value)
            if kind is str or kind is bool or value is None:
                continue
            if kind is dict:
                containers = True
                deeper.extend(value.values())
            elif kind is list:
                containers = True
                deeper.extend(value)
            elif kind is int:
                if value not in _INT64:
                    raise PydanticCustomError("integer_size", "Send an integer beyond 64 bit as text")
            elif kind is not float or not isfinite(value):
                raise PydanticCustomError("json_value", "Send only JSON values; numbers must be finite")
        if not containers:
            return
        level = deeper
    raise PydanticCustomError("nesting", "Nest at most {limit} levels deep", {"limit": MAX_NESTING})


def _check_texts(root: Any) -> None:
    if isinstance(root, str):
        check_text(root)
    elif isinstance(root, dict):
        if isinstance(root.get(_REFERENCE), str) and _REFERENCED_ID in root:
            raise PydanticCustomError(
                "reserved_key", 'Rename the key "$ref" or "$id": both in one object are a reference to MongoDB'
            )
        for key, value in root.items():
            check_text(key)
            _check_texts(value)
    elif isinstance(root, list):
        for value in root:
            _check_texts(value)


Text = Annotated[str, AfterValidator(check_text)]
"""A string that can be stored."""

ShortText = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(check_text)]
"""A name or an id of the customer: 1 to 255 characters."""

LongText = Annotated[str, Field(max_length=10_000), AfterValidator(check_text)]
"""What somebody writes for people to read: up to 10,000 characters."""

JsonObject = Annotated[dict[str, Any], AfterValidator(check_json)]
"""A JSON object within the rules of this module."""

Definition = Annotated[dict[str, Any], AfterValidator(check_definition)]
"""A JSON object of up to 256 KiB, otherwise within the rules of this module."""
