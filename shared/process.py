"""How every service runs as a process: uvloop, SIGTERM as a polite end, one exit code for each kind of failure."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import uvloop
from pydantic import ValidationError

from shared.errors import DialstreamError
from shared.logs import get_logger

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_CONFIGURATION = 2


def run_until_stopped(work: Coroutine[Any, Any, None]) -> int:
    """Run `work` until it ends or SIGTERM or SIGINT cancels it; the process's exit code.

    A server that stayed away past its deadline, or settings that contradict each other, end it with a
    message in words and a code other than 0.
    """
    log = get_logger()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_signalled(work))
    except DialstreamError as error:
        log.error("stopped", why=str(error))
        return EXIT_FAILED
    except asyncio.CancelledError:
        log.exception("stopped, although nobody said so")
        return EXIT_FAILED
    return EXIT_OK


async def _until_signalled(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    told = False

    def stop() -> None:
        nonlocal told
        told = True
        task.cancel()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    try:
        await task
    except asyncio.CancelledError:
        # A library that awaits a task it has cancelled raises this, too: a supervisor must start us again then.
        if not told:
            raise
        get_logger().info("stopped in order")


def explain(error: ValidationError) -> str:
    """Settings errors for a person: each setting's name, its value's fault, one to a line."""
    lines = []
    for detail in error.errors():
        name = "_".join(str(part) for part in detail["loc"]).upper()
        lines.append(f"DIALSTREAM_{name}: {detail['msg']}" if name else detail["msg"].removeprefix("Value error, "))
    return "\n".join(lines)


def refuse_to_start(error: ValidationError) -> int:
    """Print what is wrong with the settings; the exit code for it."""
    sys.stderr.write(f"The settings contradict each other or are incomplete:\n{explain(error)}\n")
    return EXIT_CONFIGURATION
