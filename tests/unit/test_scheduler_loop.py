"""When a shard's loop begins its next step, behind a small one a moment later; and what it leaves behind: nothing."""

import asyncio
from collections.abc import Mapping
from typing import cast

import pytest

from services.scheduler.fleet import Fleet
from services.scheduler.shards.loop import LoopParts, ShardLoop
from services.scheduler.sharing.global_limit import GlobalLimit
from shared.bus.producer import Producer
from shared.domain.turnover import AT_MOST, ENOUGH, LONGEST_SECONDS, PART_OF_SHARD
from shared.store.client import Store
from tests.factories import ending
from tests.simulated_time import SimulatedTime

SHARD = 3
A_LITTLE = 0.001


class _NoRelay:
    """No facts are relayed."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def run(self) -> None:
        """Until it is stopped."""
        await self.ended.wait()

    def stop(self) -> None:
        """End."""
        self.ended.set()


class Loop(ShardLoop):
    """A thousand calls are up; a step serves all that has come, at once, and its time is kept."""

    def __init__(self) -> None:
        def nothing_done(shard: int, offset: int) -> None:
            raise AssertionError("nothing was read")

        nothing = cast(Store, None), cast(Producer, None), Fleet(), cast(GlobalLimit, None)
        super().__init__(LoopParts(*nothing, nothing_done, 30.0), SHARD)
        self._relay = _NoRelay()  # type: ignore[assignment]
        self.steps: list[tuple[float, int]] = []
        self.relay_ended = self._relay.ended  # type: ignore[attr-defined]

    def publish_for(self, seconds: float) -> None:
        """Have jobs on their way to Kafka for so long."""
        self._publishing = asyncio.create_task(asyncio.sleep(seconds))

    @property
    def held(self) -> int:
        """Slots held in this shard."""
        return 1000

    async def _take_over(self) -> None:
        """It has its shard."""

    async def _step(self) -> bool:
        self._arrived.clear()
        if served := self.backlog:
            now = asyncio.get_running_loop().time()
            self.steps.append((round(now, 4), served))
            ended, _ = self._inbox.next_batch()
            self._inbox.done_with(len(ended))
            self._gathering.served(served, served, 0, now)
        return bool(served)

    async def _wait(self) -> None:
        await self._arrived.wait()


@pytest.fixture(autouse=True)
def _in_simulated_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.scheduler.shards.loop.monotonic", lambda: asyncio.get_running_loop().time())


def steps(came: Mapping[float, int], stopped_at: float) -> tuple[list[tuple[float, int]], float]:
    """The steps of a loop to which so many ends came at these seconds, and when it had ended."""

    async def run() -> tuple[list[tuple[float, int]], float]:
        clock = asyncio.get_running_loop()
        loop = Loop()
        running = asyncio.create_task(loop.run())
        for at, count in came.items():
            await asyncio.sleep(at - clock.time())
            loop.put([ending() for _ in range(count)])
        await asyncio.sleep(stopped_at - clock.time())
        loop.stop()
        await running
        return loop.steps, round(clock.time(), 4)

    with asyncio.Runner(loop_factory=SimulatedTime) as runner:
        return runner.run(run())


def test_the_first_end_is_served_at_once_and_one_behind_it_a_moment_later() -> None:
    served, _ = steps({0.0: 1, A_LITTLE: 1}, stopped_at=1.0)
    assert served == [(0.0, 1), (AT_MOST * PART_OF_SHARD * LONGEST_SECONDS, 1)]


def test_a_step_serves_as_many_as_usually_come_in_that_time_and_one_as_soon_as_they_are_there() -> None:
    served, _ = steps({0.0: 1, A_LITTLE: 1, 2 * A_LITTLE: 1}, stopped_at=1.0)
    assert served == [(0.0, 1), (2 * A_LITTLE, 2)]


def test_a_crowd_that_comes_behind_a_few_ends_their_wait() -> None:
    served, _ = steps({0.0: 1, A_LITTLE: 1, 2 * A_LITTLE: ENOUGH}, stopped_at=1.0)
    assert served == [(0.0, 1), (2 * A_LITTLE, 1 + ENOUGH)]


def test_a_loop_that_is_stopped_does_not_wait_for_more() -> None:
    served, ended_at = steps({0.0: 1, A_LITTLE: 1}, stopped_at=2 * A_LITTLE)
    assert (served, ended_at) == ([(0.0, 1)], 2 * A_LITTLE)


def test_a_loop_that_is_given_up_while_it_publishes_has_ended_its_relay() -> None:
    """As where Kafka is away: its group waits for it only so long, and then cancels it."""

    async def run() -> None:
        loop = Loop()
        running = asyncio.create_task(loop.run())
        await asyncio.sleep(A_LITTLE)
        loop.publish_for(seconds=10)
        loop.stop()
        await asyncio.wait([running], timeout=1)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        assert loop.relay_ended.is_set()

    with asyncio.Runner(loop_factory=SimulatedTime) as runner:
        runner.run(run())
