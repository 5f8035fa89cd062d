"""Version 9: one index leads to claimed contacts and to those on a call, in the place of one for each."""

from typing import Final

from shared.store.client import Store, translates
from shared.store.indexes import INDEXES
from shared.store.migrations.step import Migration, drop_index

_OLD_INDEXES: Final = ("locked", "in_progress")


@translates
async def _count(store: Store) -> int:
    return 0


@translates
async def _change_some(store: Store) -> int:
    # The new one first: a service that starts meanwhile finds contacts all the same.
    await store["contacts"].create_indexes(INDEXES["contacts"])
    for name in _OLD_INDEXES:
        await drop_index(store, "contacts", name)
    return 0


ACTIVE_INDEX: Final = Migration(
    9, "one index in the place of two leads to contacts that are being called", False, _count, _change_some
)
