"""Values that many follow: each is read once a second in a process, however many clients follow it.

Nothing is resumed: who follows gets the value as it is, and then each one that differs. A reader is at work while
somebody follows.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final

from shared.cancelling import cancel
from shared.clock import monotonic
from shared.errors import NotFound, TemporaryError
from shared.logs import get_logger

SECONDS_BETWEEN_READS: Final = 1.0
# Sooner than proxies give up a connection on which nothing comes.
HEARTBEAT_SECONDS: Final = 15.0
Key = tuple[str, ...]
Read = Callable[[], Awaitable[Any]]


class _Followed:
    """One value, and the task that reads it."""

    def __init__(self, read: Read) -> None:
        self.followers = 0
        self.value: Any = None
        self.version = 0
        self.is_over = False
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._run(read))
        self._task.add_done_callback(self._ended)

    async def after(self, version: int) -> None:
        """Return when there is a value after this one, or there will be none."""
        while self.version == version and not self.is_over:
            await self._changed.wait()

    def end(self) -> None:
        """Let those who follow go, and read no more."""
        cancel(self._task)
        self._tell(is_over=True)

    async def _run(self, read: Read) -> None:
        while True:
            began = monotonic()
            try:
                value = await read()
            except NotFound:
                return
            except TemporaryError:
                # A server is away: those who follow hear heartbeats until it is back.
                value = self.value
            if value != self.value:
                self.value, self.version = value, self.version + 1
                self._tell(is_over=False)
            await asyncio.sleep(max(0.0, began + SECONDS_BETWEEN_READS - monotonic()))

    def _tell(self, *, is_over: bool) -> None:
        self.is_over = self.is_over or is_over
        waited_for, self._changed = self._changed, asyncio.Event()
        waited_for.set()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            get_logger().error("a value that is followed cannot be read", exc_info=error)
        self._tell(is_over=True)


class Live:
    """The values that are followed in this process."""

    def __init__(self) -> None:
        self._followed: dict[Key, _Followed] = {}
        self._is_closed = False

    async def follow(self, key: Key, read: Read) -> AsyncGenerator[Any, None]:
        """The value of `key` as `read` has it, and each that differs, at most one a second; None is a heartbeat.

        It ends when there is nothing to read any more (`read` raises `NotFound`), and with `close`.
        """
        if self._is_closed:
            return
        followed = self._followed.get(key)
        if followed is None or followed.is_over:
            followed = self._followed[key] = _Followed(read)
        followed.followers += 1
        try:
            seen = 0
            while not followed.is_over:
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await followed.after(seen)
                except TimeoutError:
                    yield None
                    continue
                if followed.version != seen:
                    seen = followed.version
                    yield followed.value
        finally:
            followed.followers -= 1
            if not followed.followers:
                followed.end()
                if self._followed.get(key) is followed:
                    del self._followed[key]

    @property
    def followed(self) -> int:
        """How many values are read now."""
        return len(self._followed)

    def close(self) -> None:
        """Let everybody go: the process leaves."""
        self._is_closed = True
        for followed in self._followed.values():
            followed.end()
