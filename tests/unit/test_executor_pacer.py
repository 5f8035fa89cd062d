"""An executor's tokens, in simulated time: how many go at once, who waits how long, and what giving back changes."""

import asyncio
from collections.abc import Coroutine

import pytest

from services.call_executor import pacer
from services.call_executor.pacer import Pacer
from tests.simulated_time import SimulatedTime


@pytest.fixture(autouse=True)
def _in_simulated_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacer, "monotonic", lambda: asyncio.get_running_loop().time())


def play(story: Coroutine[object, object, None]) -> None:
    with asyncio.Runner(loop_factory=SimulatedTime) as runner:
        runner.run(story)


def now() -> float:
    return round(asyncio.get_running_loop().time(), 3)


def test_a_seconds_worth_goes_at_once_and_then_a_fifth_of_a_second_at_a_time() -> None:
    async def story() -> None:
        tokens = Pacer(30)
        assert (await tokens.take(100), now()) == (30, 0)
        assert (await tokens.take(100), now()) == (6, 0.2)
        assert (await tokens.take(2), now()) == (2, round(0.2 + 2 / 30, 3))

    play(story())


def test_a_call_every_two_seconds() -> None:
    async def story() -> None:
        tokens = Pacer(0.5)
        taken = [(await tokens.take(5), now()) for _ in range(4)]
        assert taken == [(1, 2 * turn) for turn in range(4)]

    play(story())


def test_a_token_given_back_is_had_at_once_by_somebody_who_waits() -> None:
    async def story() -> None:
        tokens = Pacer(0.01)
        assert await tokens.take(1) == 1
        waiting = asyncio.create_task(tokens.take(1))
        await asyncio.sleep(3)
        tokens.give_back(1)
        assert (await waiting, now()) == (1, 3)

    play(story())


def test_a_wait_that_is_cut_off_takes_no_token() -> None:
    async def story() -> None:
        tokens = Pacer(1)
        assert await tokens.take(1) == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await tokens.take(1)
        assert (await tokens.take(1), now()) == (1, 1)

    play(story())
