"""A batch written part by part: in order, one part at a time, each beside the making of the next."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from shared.store import in_parts
from shared.store.in_parts import FIRST_PART, PART, write_in_parts

MANY = FIRST_PART + 2 * PART + 1


@dataclass
class Batch:
    """What was made and written, in order, and how many writes went on when each item was made."""

    made: list[int] = field(default_factory=list)
    written: list[list[int]] = field(default_factory=list)
    beside: list[int] = field(default_factory=list)
    writing: int = 0

    def make(self, items: Sequence[int]) -> list[int]:
        """All items but the multiples of 7 are written."""
        self.made += items
        self.beside += [self.writing] * len(items)
        return [item for item in items if item % 7]

    async def write(self, items: Sequence[int]) -> None:
        """A write that takes several turns of the loop."""
        assert not self.writing, "one at a time"
        self.writing += 1
        try:
            for _ in range(100):
                await asyncio.sleep(0)
            self.written.append(list(items))
        finally:
            self.writing -= 1


@pytest.mark.parametrize("count", [0, 1, FIRST_PART, 2 * FIRST_PART, 2 * FIRST_PART + 1, MANY, 500])
async def test_everything_is_made_and_written_once_and_in_order(count: int) -> None:
    batch = Batch()
    await write_in_parts(range(count), batch.make, batch.write)
    assert batch.made == list(range(count))
    assert [item for part in batch.written for item in part] == [item for item in range(count) if item % 7]
    assert all(batch.written), "a part of which nothing is to be written is not"


async def test_a_few_are_written_at_once_and_of_many_each_part_is_made_beside_the_write_of_the_one_before() -> None:
    few, many = Batch(), Batch()
    await write_in_parts(range(2 * FIRST_PART), few.make, few.write)
    assert len(few.written) == 1
    await write_in_parts(range(MANY), many.make, many.write)
    assert len(many.written) == 3
    assert many.beside == [0] * FIRST_PART + [1] * (MANY - FIRST_PART)


@pytest.mark.parametrize("count", [0, 1, 7, MANY])
async def test_what_is_done_meanwhile_is_done_once_all_is_made_beside_the_last_write(count: int) -> None:
    batch = Batch()
    done: list[tuple[int, int]] = []
    items = range(7 if count == 7 else 1, count + 1)
    await write_in_parts(items, batch.make, batch.write, lambda: done.append((len(batch.made), batch.writing)))
    # Of none, and of a seven alone, nothing is written.
    assert done == [(len(items), int(count in {1, MANY}))]
    assert sum(map(len, batch.written)) == sum(item % 7 > 0 for item in items)


async def test_an_error_of_what_is_done_meanwhile_is_raised_when_no_write_goes_on() -> None:
    batch = Batch()

    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await write_in_parts(range(MANY), batch.make, batch.write, fail)
    assert not batch.writing
    assert len(batch.written) == 2, "the last one was broken off"


async def test_nothing_is_written_of_parts_that_come_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_parts, "FIRST_PART", 1)
    monkeypatch.setattr(in_parts, "PART", 1)
    batch = Batch()
    await write_in_parts([7, 1, 14, 21, 2], batch.make, batch.write)
    assert batch.written == [[1], [2]]


@pytest.mark.parametrize("place", [0, FIRST_PART, MANY - 1])
async def test_an_error_of_what_is_made_is_raised_when_no_write_goes_on(place: int) -> None:
    batch = Batch()

    def make(items: Sequence[int]) -> list[int]:
        if place in items:
            raise LookupError(place)
        return batch.make(items)

    with pytest.raises(LookupError):
        await write_in_parts(range(MANY), make, batch.write)
    assert not batch.writing, "whoever goes on with the session has it for itself"
    assert sum(map(len, batch.written)) <= place


async def test_an_error_of_a_write_is_raised_and_nothing_is_written_after_it() -> None:
    batch = Batch()

    async def write(items: Sequence[int]) -> None:
        await batch.write(items)
        if len(batch.written) == 2:
            raise LookupError

    with pytest.raises(LookupError):
        await write_in_parts(range(FIRST_PART + 4 * PART), batch.make, write)
    await asyncio.sleep(0.01)
    assert len(batch.written) == 2
    assert max(batch.made) < FIRST_PART + 2 * PART


async def test_a_write_that_fails_while_the_next_part_cannot_be_made_is_not_left_behind() -> None:
    batch, failed = Batch(), []

    async def write(items: Sequence[int]) -> None:
        try:
            await batch.write(items)
        except asyncio.CancelledError:
            failed.append(len(items))
            raise OSError from None

    def make(items: Sequence[int]) -> list[int]:
        if FIRST_PART in items:
            raise LookupError
        return batch.make(items)

    with pytest.raises(LookupError):
        await write_in_parts(range(MANY), make, write)
    assert failed, "it has ended, and its error is not the one that counts"


async def test_what_cannot_be_made_is_told_at_once_though_the_server_hangs() -> None:
    batch, hanging = Batch(), []

    async def hang(items: Sequence[int]) -> None:
        hanging.append(len(items))
        try:
            await asyncio.Event().wait()
        finally:
            hanging.clear()

    def make(items: Sequence[int]) -> list[int]:
        if FIRST_PART + 20 in items:
            assert hanging, "beside the write that hangs"
            raise LookupError
        return batch.make(items)

    async with asyncio.timeout(30):
        with pytest.raises(LookupError):
            await write_in_parts(range(MANY), make, hang)
    assert not hanging


async def test_a_caller_that_is_cancelled_again_while_a_write_ends_leaves_none_behind() -> None:
    """As a driver that closes its connection takes a while."""
    batch, ending = Batch(), asyncio.Event()
    states: list[str] = []

    async def hang(items: Sequence[int]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ending.set()
            await asyncio.sleep(0.1)
            states.append("over")

    task = asyncio.create_task(write_in_parts(range(MANY), batch.make, hang))
    asyncio.get_running_loop().call_later(0.05, task.cancel)
    await ending.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert states == ["over"]


@pytest.mark.parametrize("made", [FIRST_PART + 15, MANY])
async def test_a_batch_that_is_cancelled_ends_at_once_and_leaves_no_write_behind(made: int) -> None:
    """While the next part is made, and while all there is to do is to wait for a server that hangs."""
    batch, hanging = Batch(), []

    async def hang(items: Sequence[int]) -> None:
        hanging.append(len(items))
        try:
            await asyncio.Event().wait()
        finally:
            hanging.clear()

    def make(items: Sequence[int]) -> list[int]:
        done = batch.make(items)
        if made in items:
            task.cancel()
        return done

    task = asyncio.create_task(write_in_parts(range(MANY), make, hang))
    if made == MANY:
        asyncio.get_running_loop().call_later(0.05, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not hanging
