"""Waiting for something to become true, instead of sleeping for a guessed time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar, overload

T = TypeVar("T")
# Tests say how long what they wait for takes at most on a machine that has nothing else to do. One of a third of the
# speed, or with the other half of the suite beside it, needs longer; only a test that fails waits so long.
PATIENCE: Final = 3
# Below what a test may take in all (pyproject.toml), so that it can still say what it waited for.
LONGEST_SECONDS: Final = 200.0


@overload
async def eventually(
    look: Callable[[], Awaitable[T]],
    *,
    timeout: float = ...,
    within: float | None = ...,
    every: float = ...,
    saying: str = ...,
) -> T: ...


@overload
async def eventually(
    look: Callable[[], T],
    *,
    timeout: float = ...,
    within: float | None = ...,
    every: float = ...,
    saying: str = ...,
) -> T: ...


async def eventually(
    look: Callable[[], T | Awaitable[T]],
    *,
    timeout: float = 10.0,
    within: float | None = None,
    every: float = 0.02,
    saying: str = "",
) -> T:
    """Calls `look` until it returns something true, and returns that.

    Raises AssertionError with the last value seen: after `PATIENCE` times `timeout` seconds, though not after more than
    `LONGEST_SECONDS` for that; or after `within`, where so many are promised. What `look` raises passes through.
    """
    loop = asyncio.get_running_loop()
    longest = max(timeout, min(PATIENCE * timeout, LONGEST_SECONDS)) if within is None else within
    deadline = loop.time() + longest
    while True:
        seen = look()
        value: T = await seen if inspect.isawaitable(seen) else seen
        if value:
            return value
        if loop.time() > deadline:
            raise AssertionError(f"{saying or 'it'} did not become true within {longest:g} s; last seen: {value!r}")
        await asyncio.sleep(every)
