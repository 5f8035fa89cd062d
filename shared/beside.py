"""Work beside a block: it goes on while the block does, and each ends the other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from shared.cancelling import cancel


@asynccontextmanager
async def beside(
    work: Coroutine[Any, Any, None], *, name: str, end: Callable[[], object] | None = None, drains: bool = False
) -> AsyncIterator[None]:
    """`work` goes on while the block does; at the block's end it is told to end, and waited for.

    `end` tells it; without, it is cancelled: once if it `drains`, which takes its time, else until it has ended. Work
    that ends before ends the block, which raises the work's error, or `RuntimeError` if it had none. Who is cancelled
    while waiting cancels the work: what it does in order is cut short.
    """
    block = asyncio.current_task()
    assert block is not None
    task = asyncio.create_task(work, name=name)
    leaving = cut = False

    def end_block(_: asyncio.Task[None]) -> None:
        nonlocal cut
        if not leaving:
            cut = block.cancel()

    task.add_done_callback(end_block)
    try:
        yield
    except asyncio.CancelledError:
        if not cut:
            raise
        block.uncancel()
    finally:
        leaving, by_itself = True, task.done()
        if not by_itself:
            await _end(task, end or (task.cancel if drains else lambda: cancel(task)), block)
    if by_itself:
        task.result()
        raise RuntimeError(f"{name} has ended, although nobody said so")


async def _end(task: asyncio.Task[None], end: Callable[[], object], block: asyncio.Task[Any]) -> None:
    """Tell the work to end and wait for it. Raises an error that it ends with."""
    end()
    try:
        await task
    except asyncio.CancelledError:
        # Its own end, which we asked for; unless it is ours.
        if block.cancelling():
            raise
