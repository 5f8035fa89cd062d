"""The dial jobs of one shard that wait in Kafka: how many more may join them, so that none expires there."""

import math
from collections.abc import Awaitable, Callable

from shared.clock import monotonic
from shared.domain.pacing import count_again_after, queue_length


class JobQueue:
    """One shard's contacts that are claimed and not started, as far as its loop knows.

    The loop hears of no start, so what it remembers only grows; `count` asks the store, and only when what is
    remembered leaves too little room.
    """

    def __init__(self, count: Callable[[], Awaitable[int]], lock_seconds: float) -> None:
        self._count, self._lock_seconds = count, lock_seconds
        self._locked: int | None = None
        self._counted_at = 0.0
        self._again_at = math.inf

    @property
    def again_in(self) -> float:
        """Seconds until there may be room for contacts that found none; infinite when all found some."""
        return max(0.0, self._again_at - monotonic())

    async def room(self, wanted: int, calls_per_second: float, part: float) -> int:
        """How many of `wanted` contacts may be locked now.

        `calls_per_second` is the rate of all executors, `part` the shard's part of it. Raises `Unavailable`.
        """
        self._again_at = math.inf
        if wanted <= 0:
            return 0
        length = queue_length(self._lock_seconds, calls_per_second, part)
        pause = count_again_after(length, calls_per_second)
        if self._locked is None or (length - self._locked < wanted and monotonic() - self._counted_at >= pause):
            counted_at = monotonic()
            self._locked = await self._count()
            self._counted_at = counted_at
        room = max(0, length - self._locked)
        if room < wanted:
            self._again_at = self._counted_at + pause
        return min(room, wanted)

    def locked(self, count: int) -> None:
        """Note that so many contacts have been claimed."""
        if self._locked is not None:
            self._locked += count

    def doubt(self) -> None:
        """Have the queue counted before the next claim: the last one may have been interrupted in the middle."""
        self._locked = None
