"""The check itself: true to one moment while grants move, and not blind to grants that are lost."""

import asyncio

import pytest

from shared.store import shards
from shared.store.client import Store
from shared.store.shard_transaction import Ownership
from shared.store.shards import GrantMove
from tests.integration.protocol.promises import Promises

LIMIT = 10
CHECKS = 30


async def _moved(store: Store, delta: int) -> None:
    assert await shards.move_grants(store, [GrantMove(Ownership(0, 0), delta)])


class _Mover:
    """Moves a grant to a shard and back until it is told to stop."""

    def __init__(self, store: Store) -> None:
        self._store, self.moves, self.stopping = store, 0, False

    async def run(self) -> None:
        while not self.stopping:
            await _moved(self._store, LIMIT)
            await _moved(self._store, -LIMIT)
            self.moves += 2


async def test_a_check_between_two_moves_of_a_grant_sees_one_moment(store: Store) -> None:
    """Read one after the other, ten granted and ten free are twenty: that failed a run whose grants were right."""
    await shards.ensure_shards(store)
    await shards.set_global_limit(store, LIMIT)
    mover = _Mover(store)
    moving = asyncio.create_task(mover.run())
    try:
        for _ in range(CHECKS):
            await Promises(store).check()
    finally:
        mover.stopping = True
        await moving
    assert mover.moves > CHECKS


async def test_a_grant_that_nobody_was_given_is_found(store: Store) -> None:
    await shards.ensure_shards(store)
    await shards.set_global_limit(store, LIMIT)
    await _moved(store, LIMIT)
    await store["shards"].update_one({"_id": 0}, {"$inc": {"grant": 1}})
    with pytest.raises(AssertionError, match="I7: 11 slots are granted, of a limit of 10; 0 were"):
        await Promises(store).check()
