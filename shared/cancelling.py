"""Cancelling a task so that it ends, although a library may lose a cancellation.

`asyncio.wait_for` of Python 3.11 returns its result and forgets a cancellation that comes in the same step
(https://github.com/python/cpython/issues/86296, mended in 3.12), and pymongo sends each message through it: a loop that
was cancelled then goes on for ever, and the process that waits for its end never ends.
"""

import asyncio
from typing import Any, Final

# So long a task may take to end in order before it is cancelled again.
AGAIN_SECONDS: Final = 3.0


def cancel(task: asyncio.Task[Any], again_seconds: float = AGAIN_SECONDS) -> None:
    """Cancel `task` now, and again every `again_seconds` until it has ended. Does not wait."""
    if not task.done():
        task.cancel()
        task.get_loop().call_later(again_seconds, cancel, task, again_seconds)


def check_cancelled() -> None:
    """Raise `CancelledError` if the current task was cancelled and a library has lost that."""
    task = asyncio.current_task()
    assert task is not None
    if task.cancelling():
        raise asyncio.CancelledError


async def until_cancelled() -> None:
    """Wait until the current task is cancelled; a cancellation that was lost before counts, too."""
    check_cancelled()
    await asyncio.Event().wait()
