"""Waiting for something to become true, instead of sleeping for a guessed time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")


@overload
async def eventually(
    look: Callable[[], Awaitable[T]], *, timeout: float = ..., every: float = ..., saying: str = ...
) -> T: ...


@overload
async def eventually(look: Callable[[], T], *, timeout: float = ..., every: float = ..., saying: str = ...) -> T: ...


async def eventually(
    look: Callable[[], T | Awaitable[T]], *, timeout: float = 10.0, every: float = 0.02, saying: str = ""
) -> T:
    """Calls `look` until it returns something true, and returns that.

    Raises AssertionError after `timeout` seconds with the last value seen; what `look` raises passes through.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while True:
        seen = look()
        value: T = await seen if inspect.isawaitable(seen) else seen
        if value:
            return value
        if loop.time() > deadline:
            raise AssertionError(f"{saying or 'it'} did not become true within {timeout:g} s; last seen: {value!r}")
        await asyncio.sleep(every)
