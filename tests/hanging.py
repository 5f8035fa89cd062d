"""What a test that hangs was waiting for: every task's awaits, shown before pytest-timeout ends the run."""

import asyncio
import sys
from types import CoroutineType
from typing import Any, TextIO


def show_tasks(loop: asyncio.AbstractEventLoop, to: TextIO | None = None) -> None:
    """Write each task with the lines it waits at, outermost first."""
    to = to or sys.stderr
    for task in asyncio.all_tasks(loop):
        to.write(f"{task.get_name()}\n")
        awaited: Any = task.get_coro()
        while isinstance(awaited, CoroutineType):
            frame = awaited.cr_frame
            if frame is not None:
                to.write(f"    {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}\n")
            awaited = awaited.cr_await
