"""Offsets of records that are done, committed a few times a second at most, those of all partitions together.

A commit is a request of its own, which Kafka writes to a log. While a few records come at a time, one for each would
cost as much as the records themselves. Records whose offset was not committed come again after a restart, and change
nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from aiokafka import TopicPartition

from shared.clock import monotonic
from shared.waiting import wait_at_most

EVERY_SECONDS: Final = 0.2

Commit = Callable[[dict[TopicPartition, int]], Awaitable[None]]


class Offsets:
    """The offsets that wait to be committed; `commit` is given them, and bears whatever may go wrong with Kafka."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._waiting: dict[TopicPartition, int] = {}
        self._committing: asyncio.Task[None] | None = None
        self._committed_at: float | None = None
        self._hurry = asyncio.Event()

    def done(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Note that all before these offsets is done. Committed at once, or `EVERY_SECONDS` after the last commit."""
        self._waiting.update(offsets)
        if self._waiting and (self._committing is None or self._committing.done()):
            self._committing = asyncio.create_task(self._commit_in_turn(), name="offsets")

    async def flush(self) -> None:
        """Commit what waits now; returns when that was done, or could not be."""
        if self._committing is not None:
            self._hurry.set()
            await asyncio.wait({self._committing})
            self._hurry.clear()

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """Commit no more of these, which are another member's now."""
        for partition in partitions:
            self._waiting.pop(partition, None)

    async def _commit_in_turn(self) -> None:
        while self._waiting:
            if self._committed_at is not None:
                await wait_at_most(self._hurry, self._committed_at + EVERY_SECONDS - monotonic())
            waiting, self._waiting = self._waiting, {}
            if waiting:
                self._committed_at = monotonic()
                await self._commit(waiting)
