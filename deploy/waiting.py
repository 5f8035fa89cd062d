"""Waiting for a condition, for all commands of this package: one look after the other, up to a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

POLL_SECONDS: Final = 0.05


async def until(ready: Callable[[], Awaitable[bool]], deadline_seconds: float) -> None:
    """Waits until `ready()`; raises TimeoutError after the deadline."""
    async with asyncio.timeout(deadline_seconds):
        while True:
            if await ready():
                return
            await asyncio.sleep(POLL_SECONDS)
