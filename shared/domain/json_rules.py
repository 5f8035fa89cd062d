"""What text and JSON from outside may hold so that every part behind (BSON, Kafka, logs) can carry it.

The rules: no NUL, no lone surrogates, integers within signed 64 bit, finite numbers, at most 32 levels
of nesting, at most 64 KiB as compact UTF-8 JSON.
"""

from math import isfinite
from typing import Annotated, Any, Final

import orjson
from pydantic import AfterValidator, Field

MAX_JSON_BYTES: Final = 64 * 1024
MAX_NESTING: Final = 32
_INT64: Final = range(-(2**63), 2**63)


def check_text(value: str) -> str:
    """The text itself; `ValueError` in plain words when it holds what cannot be stored."""
    if "\x00" in value:
        raise ValueError("must not contain the NUL character (U+0000)")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must not contain half a surrogate pair; send valid Unicode") from error
    return value


def check_json(value: Any) -> Any:
    """The value itself, made of what a JSON parser returns; `ValueError` when it breaks a rule above."""
    _check_nesting_and_numbers(value)
    try:
        encoded = orjson.dumps(value)
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise ValueError("must be JSON with valid Unicode text (no half surrogate pairs)") from error
    if len(encoded) > MAX_JSON_BYTES:
        raise ValueError(f"must be at most {MAX_JSON_BYTES} bytes as compact JSON, but has {len(encoded)}")
    if b"\\u0000" in encoded:  # may also be a harmless backslash before "u0000"
        _check_texts(value)
    return value


def _check_nesting_and_numbers(root: Any) -> None:
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
                    raise ValueError("must not contain an integer beyond signed 64 bit; send it as text")
            elif kind is not float or not isfinite(value):
                raise ValueError("must contain only JSON values; numbers must be finite")
        if not containers:
            return
        level = deeper
    raise ValueError(f"must not be nested deeper than {MAX_NESTING} levels")


def _check_texts(root: Any) -> None:
    if isinstance(root, str):
        check_text(root)
    elif isinstance(root, dict):
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

JsonObject = Annotated[dict[str, Any], AfterValidator(check_json)]
"""A JSON object within the rules of this module."""
