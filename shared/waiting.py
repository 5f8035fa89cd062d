"""Waiting for something, but not for ever."""

import asyncio
from contextlib import suppress


async def wait_at_most(event: asyncio.Event, seconds: float) -> None:
    """Return when `event` is set, or after `seconds`; other tasks run meanwhile, also where that is no time at all."""
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    # Not `asyncio.wait_for`: under Python 3.11 that may lose a cancellation (shared/cancelling.py).
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
