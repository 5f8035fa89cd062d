"""The telephones of contacts in the chaos runs."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any


def numbers_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The first number of each row, by its external id."""
    return {row["external_id"]: row["phone_numbers"][0] for row in rows}


def new_numbers() -> Iterator[str]:
    """German mobile numbers, each once. Nobody's phone rings: the carrier is simulated."""
    return (f"+49152{10_000_000 + n}" for n in count())
