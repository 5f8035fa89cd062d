"""Work beside a block: it ends with the block, and the block with it."""

import asyncio

import pytest

from shared.beside import beside
from shared.errors import Unavailable


class Work:
    """Goes on until it is told to end, and then takes its time."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.cancelled = 0
        self.in_order = False

    async def run(self, steps_at_the_end: int = 3) -> None:
        try:
            await self.told.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            for _ in range(steps_at_the_end):
                await asyncio.sleep(0)
            self.in_order = True


async def fail() -> None:
    raise Unavailable("Kafka")


async def give_up() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    task.cancel()
    await task


async def return_at_once() -> None:
    pass


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_work_is_cancelled_at_the_end_and_waited_for() -> None:
    work = Work()
    async with beside(work.run(), name="work"):
        await asyncio.sleep(0)
    assert (work.cancelled, work.in_order) == (1, True)


async def test_work_that_is_told_to_end_is_not_cancelled() -> None:
    work = Work()
    async with beside(work.run(), name="work", end=work.told.set):
        await asyncio.sleep(0)
    assert (work.cancelled, work.in_order) == (0, True)


async def test_a_block_that_is_cancelled_lets_the_work_end_in_order() -> None:
    work = Work()

    async def block() -> None:
        async with beside(work.run(), name="work", end=work.told.set):
            await for_ever()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (work.cancelled, work.in_order) == (0, True)


async def test_a_block_that_is_cancelled_twice_cuts_the_work_short() -> None:
    entered, cut = asyncio.Event(), asyncio.Event()

    async def drain_for_ever() -> None:
        try:
            await for_ever()
        finally:
            entered.set()
            try:
                await for_ever()
            finally:
                cut.set()

    async def block() -> None:
        async with beside(drain_for_ever(), name="work"):
            await for_ever()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cut.is_set()


async def test_work_that_fails_ends_the_block_with_its_error() -> None:
    with pytest.raises(Unavailable, match="Kafka"):
        async with beside(fail(), name="work"):
            await for_ever()
    # Whoever goes on is not taken for cancelled.
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_work_that_fails_before_the_block_waits_is_not_lost() -> None:
    async def block() -> None:
        async with beside(fail(), name="work"):
            await asyncio.sleep(0)

    with pytest.raises(Unavailable, match="Kafka"):
        await block()


async def test_work_that_ends_without_a_word_is_a_failure() -> None:
    with pytest.raises(RuntimeError, match="work has ended, although nobody said so"):
        async with beside(return_at_once(), name="work"):
            await for_ever()


async def test_work_that_is_cancelled_by_nobody_ends_the_block() -> None:
    with pytest.raises(asyncio.CancelledError):
        async with beside(give_up(), name="work"):
            await for_ever()


async def test_an_error_of_the_block_stays_what_it_is() -> None:
    work = Work()

    async def block() -> None:
        async with beside(work.run(), name="work"):
            await asyncio.sleep(0)
            raise ValueError("of the block")

    with pytest.raises(ValueError, match="of the block"):
        await block()
    assert work.in_order
