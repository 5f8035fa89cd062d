"""One migration: what it changes, in batches that may be repeated."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from shared.store.client import Store

# Documents that one write changes; small enough that a killed run leaves no long write behind.
BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Migration:
    """A step that brings a database to `version`, from the version before.

    `count` says how many documents it has still to change, and changes none. `change_some` changes at most `BATCH` of
    them and says how many it found; it asks for the old form in the write itself, so that it may be repeated, killed,
    and run twice at once. `while_up`: services of this release and of the one before may run meanwhile; without that
    no service may.
    """

    version: int
    title: str
    while_up: bool
    count: Callable[[Store], Awaitable[int]]
    change_some: Callable[[Store], Awaitable[int]]
