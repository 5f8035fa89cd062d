"""Offsets of records that are done, committed a few times a second at most, those of all partitions together.

A commit is a request of its own, which Kafka writes to a log. While a few records come at a time, one for each would
cost as much as the records themselves. What could not be committed is done all the same: its records come again after a
restart, and change nothing.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.clock import monotonic
from shared.logs import get_logger
from shared.waiting import wait_at_most

EVERY_SECONDS: Final = 0.2
# While Kafka is away the client library would try for ever.
COMMIT_SECONDS: Final = 3.0

log = get_logger()


class Offsets:
    """The offsets that wait to be committed by one member of a group."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
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
        """Commit what waits now; returns when that was done or could not be, in two `COMMIT_SECONDS` at most."""
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
            self._committed_at = monotonic()
            await self._commit(waiting)

    async def _commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        assigned = self._consumer.assignment()
        ours = {partition: offset for partition, offset in offsets.items() if partition in assigned}
        if not ours:
            return
        partitions = sorted(partition.partition for partition in ours)
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._consumer.commit(ours)
        except TimeoutError:
            log.info("offsets not committed in time", partitions=partitions)
            _heed_requests_left_behind()
        except (CommitFailedError, IllegalStateError) as error:
            log.info("offsets not committed, the partitions have moved", partitions=partitions, why=str(error))
        except KafkaError as error:
            log.warning("offsets not committed", partitions=partitions, why=repr(error))


def _heed_requests_left_behind() -> None:
    """Look at how requests end whose commits were given up: the client library shields them, and then forgets them.

    asyncio would report the error of one as an error that nobody has looked at.
    """
    for task in asyncio.all_tasks():
        if getattr(task.get_coro(), "__name__", "") == GroupCoordinator._do_commit_offsets.__name__:
            task.add_done_callback(_heed)


def _heed(task: asyncio.Task[object]) -> None:
    if not task.cancelled():
        task.exception()
