"""The check itself: true to one moment while grants and the limit move, and not blind to grants beyond it."""

import asyncio

import pytest

from shared.store.client import Store
from shared.store.dialing import shards
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shards import GrantMove
from tests.integration.protocol import promises
from tests.integration.protocol.promises import Promises

LIMIT = 10
CHECKS = 60


async def _moved(store: Store, delta: int) -> None:
    assert await shards.move_grants(store, [GrantMove(Ownership(0, 0), delta)])


class _Mover:
    """Grants twice the limit while it is twice as high, until it is told to stop."""

    def __init__(self, store: Store) -> None:
        self._store, self.changes, self.stopping = store, 0, False

    async def run(self) -> None:
        while not self.stopping:
            await shards.set_global_limit(self._store, 2 * LIMIT)
            await _moved(self._store, 2 * LIMIT)
            await _moved(self._store, -2 * LIMIT)
            await shards.set_global_limit(self._store, LIMIT)
            self.changes += 4


async def test_a_check_between_two_moves_of_a_grant_sees_one_moment(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty granted, and a limit of ten that was read a moment later: grants that were right failed a run that way."""
    await shards.ensure_shards(store)
    await shards.set_global_limit(store, LIMIT)
    # So much is read in between that the grants of one moment and the limit of another one would meet.
    others = [name for name in promises.LOOKED_AT if name not in ("shards", "global_budget")]
    monkeypatch.setattr(promises, "LOOKED_AT", ("shards", *(40 * others), "global_budget"))
    mover = _Mover(store)
    moving = asyncio.create_task(mover.run())
    try:
        checks = 0
        # On a busy machine the mover is the slower one.
        while not moving.done() and (checks < CHECKS or mover.changes < CHECKS):
            await Promises(store).check()
            checks += 1
    finally:
        mover.stopping = True
        await moving


async def test_a_grant_that_nobody_was_given_is_found(store: Store) -> None:
    await shards.ensure_shards(store)
    await shards.set_global_limit(store, LIMIT)
    await _moved(store, LIMIT)
    await store["shards"].update_one({"_id": 0}, {"$inc": {"grant": 1}})
    with pytest.raises(AssertionError, match="I7: 11 slots are granted, of a limit of 10; 0 were at the last look"):
        await Promises(store).check()
