"""Workers of the executor: everything is worked on, side by side where it waits, by few tasks where it does not."""

import asyncio

import pytest

from services.call_executor.workers import Workers


async def test_work_that_waits_is_done_side_by_side() -> None:
    together, most = 0, 0

    async def work(_: int) -> None:
        nonlocal together, most
        together += 1
        most = max(most, together)
        if together == 50:
            all_there.set()
        await all_there.wait()
        together -= 1

    all_there = asyncio.Event()
    workers = Workers(work)
    workers.add(range(50))
    async with asyncio.timeout(5):
        await all_there.wait()
    assert most == 50


async def test_work_that_waits_for_nothing_needs_two_tasks() -> None:
    done: list[int] = []
    tasks: set[object] = set()

    async def work(item: int) -> None:
        tasks.add(asyncio.current_task())
        done.append(item)
        if item == 999:
            finished.set()

    finished = asyncio.Event()
    workers = Workers(work)
    workers.add(range(500))
    workers.add(range(500, 1000))
    async with asyncio.timeout(5):
        await finished.wait()
    assert done == list(range(1000))
    assert len(tasks) <= 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_what_fails_keeps_nothing_else_from_being_done() -> None:
    done: list[int] = []

    async def work(item: int) -> None:
        if item % 3 == 0:
            raise ValueError(item)
        done.append(item)
        if item == 10:
            finished.set()

    finished = asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    workers = Workers(work)
    workers.add(range(11))
    async with asyncio.timeout(5):
        await finished.wait()
    assert done == [1, 2, 4, 5, 7, 8, 10]
