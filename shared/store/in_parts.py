"""A batch of writes that is made and written part by part: while the server writes one part, the next is made.

The requests of a transaction follow one another, so the server rests while the next is made, and we rest while it
writes. Of a large batch both go on at the same time (docs/benchmarks.md).
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, Final, TypeVar

from shared.cancelling import cancel

# Items of the first part: few, because nothing is written while they are made. And of each other: each part costs a
# request.
FIRST_PART: Final = 50
PART: Final = 150
# After so many the loop looks around: the request that is under way is sent, and its answer read.
_AT_A_TIME: Final = 15

T = TypeVar("T")
W = TypeVar("W")


async def write_in_parts(
    items: Sequence[T],
    make: Callable[[Sequence[T]], Sequence[W]],
    write: Callable[[Sequence[W]], Coroutine[Any, Any, object]],
    meanwhile: Callable[[], object] | None = None,
) -> None:
    """`make` the writes of all items and `write` them, in order and one after the other.

    `make` gets a few neighbours at a time, none twice; `meanwhile` is called once when all are made. Both may run while
    a `write` goes on, so they must not use the session, nor read what the write changes. Raises what any of them
    raises, once no write goes on: one that does is cancelled, for the batch is given up. A part of which nothing is to
    be written is not.
    """
    writing: asyncio.Task[object] | None = None
    try:
        for part in _parts(items):
            made: list[W] = []
            for first in range(0, len(part), _AT_A_TIME):
                made += make(part[first : first + _AT_A_TIME])
                if writing is not None:
                    await asyncio.sleep(0)
            if writing is not None:
                await _over(writing)
                writing = None
            if made:
                writing = asyncio.create_task(write(made))
                await asyncio.sleep(0)
        if meanwhile is not None:
            meanwhile()
        if writing is not None:
            await _over(writing)
            writing = None
    finally:
        if writing is not None:
            await _end(writing)


async def _over(writing: asyncio.Task[object]) -> None:
    """Wait for a write, and raise what it raises."""
    # Not awaited itself: a caller that is cancelled twice would break off how it ends.
    await asyncio.wait([writing])
    writing.result()


async def _end(writing: asyncio.Task[object]) -> None:
    """End a write: the session is free only when its request is over, however that ends.

    A server that hangs would keep the caller, and hide the error for which the batch is given up.
    """
    cancel(writing)
    is_cancelled = False
    while not writing.done():
        try:
            await asyncio.wait([writing])
        except asyncio.CancelledError:
            is_cancelled = True
    if not writing.cancelled():
        writing.exception()
    if is_cancelled:
        raise asyncio.CancelledError


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    start, size = 0, FIRST_PART
    # A few more than a part are written with it: a request for them alone costs more than what it saves.
    while len(items) - start > size + FIRST_PART:
        yield items[start : start + size]
        start, size = start + size, PART
    if start < len(items):
        yield items[start:]
