"""One migration: what it changes, in batches that may be repeated."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from pymongo.errors import OperationFailure

from shared.store.client import Store

# Documents that one write changes; small enough that a killed run leaves no long write behind.
BATCH: Final = 1000
_INDEX_NOT_FOUND, _NAMESPACE_NOT_FOUND = 27, 26


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


async def drop_index(store: Store, collection: str, name: str) -> None:
    """Drop an index that no query uses any more; one that is not there is dropped already."""
    try:
        await store[collection].drop_index(name)
    except OperationFailure as error:
        if error.code not in {_INDEX_NOT_FOUND, _NAMESPACE_NOT_FOUND}:
            raise
