"""How many contacts a shard's loop may claim ahead, with starts that it never hears of."""

import math
from typing import cast

import pytest

from services.scheduler.shards import job_queue
from services.scheduler.shards.job_queue import JobQueue
from services.scheduler.sharing.global_limit import GlobalLimit
from services.scheduler.sharing.grants import Grants
from shared.store.client import Store
from shared.store.dialing.shard_transaction import Ownership


class Waiting:
    """The store's count, the clock, and how often the store was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, locked: int = 0) -> None:
        self.locked, self.now, self.asked = locked, 100.0, 0
        monkeypatch.setattr(job_queue, "monotonic", lambda: self.now)

    async def count(self) -> int:
        """What the store says."""
        self.asked += 1
        return self.locked


async def test_what_waits_already_is_counted_before_the_first_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch, locked=95)
    queue = JobQueue(waiting.count, lock_seconds=10)
    assert await queue.room(500, 30, 1.0) == 101 - 95


async def test_the_store_is_not_asked_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch)
    queue = JobQueue(waiting.count, lock_seconds=10)
    for _ in range(10):
        waiting.now += 5
        assert await queue.room(10, 30, 1.0) == 10
        queue.locked(10)
        assert queue.again_in == math.inf
    assert waiting.asked == 1


async def test_a_full_queue_is_counted_again_after_a_while_and_the_loop_is_told_when(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting = Waiting(monkeypatch)
    queue = JobQueue(waiting.count, lock_seconds=2)
    assert await queue.room(500, 30, 1.0) == 21
    queue.locked(21)
    waiting.locked = 21
    assert await queue.room(500, 30, 1.0) == 0
    assert queue.again_in == pytest.approx(0.35)
    waiting.now, waiting.locked = waiting.now + 0.36, 10
    assert await queue.room(500, 30, 1.0) == 11
    assert waiting.asked == 2


async def test_a_queue_in_doubt_is_counted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch)
    queue = JobQueue(waiting.count, lock_seconds=10)
    await queue.room(1, 30, 1.0)
    waiting.locked = 101
    queue.doubt()
    assert await queue.room(1, 30, 1.0) == 0


async def test_a_loop_with_nobody_to_claim_neither_asks_nor_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(monkeypatch)
    queue = JobQueue(waiting.count, lock_seconds=10)
    assert await queue.room(0, 30, 1.0) == 0
    assert (waiting.asked, queue.again_in) == (0, math.inf)


@pytest.mark.parametrize(
    ("grant", "limit", "free", "part"),
    [
        (10, 1000, 990, 1.0),
        (10, 1000, 900, 0.1),
        (500, 1000, 0, 0.5),
        (20, 1000, 990, 1.0),  # others have just given back, and this shard has taken since
        (50, 60, -40, 0.5),  # the limit was lowered
        (0, 1000, 1000, 1.0),
    ],
)
def test_a_shards_part_of_the_calls_is_its_part_of_what_is_granted(
    grant: int, limit: int, free: int, part: float
) -> None:
    everybody = GlobalLimit(cast(Store, None))
    everybody.limit, everybody.free = limit, free
    grants = Grants(Ownership(0, 0), everybody)
    grants.grant = grant
    assert grants.part == pytest.approx(part)
