"""Words from documents that another version may have written."""

from enum import StrEnum
from typing import TypeVar

Word = TypeVar("Word", bound=StrEnum)


def known(words: type[Word], stored: str | None) -> Word | None:
    """The stored word if this version knows it; None for one of another version, which must stop no shard."""
    return next((word for word in words if word == stored), None)
