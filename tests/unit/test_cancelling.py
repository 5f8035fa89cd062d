"""A task that loses a cancellation is cancelled again."""

import asyncio

import pytest

from shared.beside import beside
from shared.cancelling import cancel, until_cancelled
from shared.process import stay_in


class Deaf:
    """Work that loses its first cancellations, as `asyncio.wait_for` of Python 3.11 may."""

    def __init__(self, loses: int) -> None:
        self.left, self.lost = loses, 0

    async def run(self) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if not self.left:
                    raise
                self.left, self.lost = self.left - 1, self.lost + 1


async def test_a_lost_cancellation_is_repeated() -> None:
    work = Deaf(loses=2)
    task = asyncio.create_task(work.run())
    await asyncio.sleep(0)
    cancel(task, again_seconds=0.01)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, timeout=5)
    assert work.lost == 2


async def test_a_task_that_ends_at_once_is_cancelled_once() -> None:
    work = Deaf(loses=0)
    task = asyncio.create_task(work.run())
    await asyncio.sleep(0)
    cancel(task)
    await asyncio.wait([task])
    cancel(task)
    assert task.cancelling() == 1


async def test_a_block_ends_although_the_work_beside_it_loses_its_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.beside.cancel", lambda task: cancel(task, again_seconds=0.01))
    work = Deaf(loses=1)
    async with asyncio.timeout(5), beside(work.run(), name="work"):
        await asyncio.sleep(0)
    assert work.lost == 1


async def test_work_that_drains_is_cancelled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    again: list[object] = []
    monkeypatch.setattr("shared.beside.cancel", again.append)
    work = Deaf(loses=0)
    async with beside(work.run(), name="work", drains=True):
        await asyncio.sleep(0)
    assert again == []


async def test_a_cancellation_that_the_start_has_lost_ends_the_process() -> None:
    """A service that is told to end while it starts does not go to work after all."""

    class Start:
        async def __aenter__(self) -> None:
            with pytest.raises(asyncio.CancelledError):
                await asyncio.Event().wait()

        async def __aexit__(self, *_: object) -> None:
            return None

    task = asyncio.create_task(stay_in(Start()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, timeout=5)


async def test_who_waits_to_be_cancelled_waits() -> None:
    task = asyncio.create_task(until_cancelled())
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
