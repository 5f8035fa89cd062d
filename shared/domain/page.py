"""A part of a list, as every list is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. `next_cursor` is None on the last one."""

    rows: Sequence[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class NumberedPage(Generic[T]):
    """One page of a list that is read by number; `total` is how many rows there are in all."""

    rows: Sequence[T]
    total: int
