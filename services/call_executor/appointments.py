"""Dial jobs that wait here for their time to be placed, beside those that may be placed at once.

Kafka's offset is not held back by them: one that is lost here with the process waits until its claim expires.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from itertools import count
from typing import Final

from shared.events import DialJob
from shared.waiting import wait_at_most

# Jobs whose times are so close are started together.
TOGETHER_SECONDS: Final = 0.1


class Appointments:
    """Jobs by their time. `start` starts as many of those whose time has come as there is room for, and gives back the
    others; `seconds_until` says how far away a job's time is."""

    def __init__(
        self, start: Callable[[list[DialJob]], Awaitable[list[DialJob]]], seconds_until: Callable[[DialJob], float]
    ) -> None:
        self._start, self._seconds_until = start, seconds_until
        self._waiting: list[tuple[datetime | None, int, DialJob]] = []
        self._order = count()
        self._keeping: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._no_more = False

    def keep(self, jobs: Sequence[DialJob]) -> list[DialJob]:
        """Take in the jobs whose time is to come; the others."""
        later = [job for job in jobs if self._seconds_until(job) > 0]
        if not later or self._no_more:
            return list(jobs)
        for job in later:
            heapq.heappush(self._waiting, (job.place_at, next(self._order), job))
        self._changed.set()
        if self._keeping is not None and self._keeping.done():
            # What has failed there fails here, where somebody hears of it.
            self._keeping.result()
            self._keeping = None
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep())
        kept = {job.attempt_id for job in later}
        return [job for job in jobs if job.attempt_id not in kept]

    async def close(self) -> None:
        """Start, or let `start` give back, all that wait here; none is kept from now on."""
        self._no_more = True
        self._changed.set()
        if self._keeping is not None:
            await self._keeping

    async def _keep(self) -> None:
        due: list[DialJob] = []
        while due or self._waiting:
            if not due and not self._no_more:
                await self._first_is_due()
                await asyncio.sleep(TOGETHER_SECONDS)
            while self._waiting and (self._no_more or self._seconds_until(self._waiting[0][2]) <= 0):
                due.append(heapq.heappop(self._waiting)[2])
            if due:
                due = await self._start(due)

    async def _first_is_due(self) -> None:
        """Wait for the first one's time, whichever is the first meanwhile, or for the end."""
        while not self._no_more and (seconds := self._seconds_until(self._waiting[0][2])) > 0:
            self._changed.clear()
            await wait_at_most(self._changed, seconds)
