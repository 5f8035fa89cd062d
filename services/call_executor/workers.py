"""Workers: as many tasks at once as wait for something, whatever there is to do.

A task for each placement costs as much as a sixth of all that an executor does for a call, where the carrier's answer
is there at once (docs/benchmarks.md); where it is not, there are as many tasks as answers are waited for.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Workers(Generic[Item]):
    """Does `work` for each item, in the order in which they were added, side by side wherever it waits.

    What `work` raises ends one worker and is logged by the event loop; the other items are worked on all the same.
    """

    def __init__(self, work: Callable[[Item], Awaitable[None]]) -> None:
        self._work = work
        self._items: deque[Item] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._coming = False

    def add(self, items: Iterable[Item]) -> None:
        """Work on these as soon as the event loop comes to it."""
        self._items.extend(items)
        self._call_one()

    def _call_one(self) -> None:
        """Have one more worker come, unless one is on its way or nothing is left for it."""
        if self._items and not self._coming:
            self._coming = True
            task = asyncio.create_task(self._until_nothing_is_left())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _until_nothing_is_left(self) -> None:
        self._coming = False
        try:
            while self._items:
                item = self._items.popleft()
                self._call_one()
                await self._work(item)
        finally:
            self._call_one()
