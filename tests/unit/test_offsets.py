"""When offsets are committed: at once, or a moment after the last commit, those of all partitions together."""

import asyncio
from collections.abc import Mapping

import pytest
from aiokafka import TopicPartition

from shared.bus.offsets import EVERY_SECONDS, Offsets
from tests.simulated_time import SimulatedTime

FIRST, SECOND = TopicPartition("org.events", 0), TopicPartition("org.events", 1)
Committed = list[tuple[float, dict[TopicPartition, int]]]


@pytest.fixture(autouse=True)
def _in_simulated_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.bus.offsets.monotonic", lambda: asyncio.get_running_loop().time())


class Kafka:
    """A group that takes commits, each in so many seconds, and knows when it was given what."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.committed: Committed = []
        self._seconds = seconds

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Keep the time and the offsets."""
        self.committed.append((round(asyncio.get_running_loop().time(), 4), offsets))
        await asyncio.sleep(self._seconds)


async def _committed(
    done: Mapping[float, dict[TopicPartition, int]], seconds: float, flushed_at: float | None
) -> Committed:
    kafka, loop = Kafka(seconds), asyncio.get_running_loop()
    offsets = Offsets(kafka.commit)
    for at, some in done.items():
        await asyncio.sleep(at - loop.time())
        offsets.done(some)
    if flushed_at is not None:
        await asyncio.sleep(flushed_at - loop.time())
        await offsets.flush()
        assert loop.time() == pytest.approx(flushed_at + seconds)
    await asyncio.sleep(10)
    return kafka.committed


def committed(
    done: Mapping[float, dict[TopicPartition, int]], *, seconds: float = 0.0, flushed_at: float | None = None
) -> Committed:
    """What was committed when, of what was done at these seconds; each commit takes so many `seconds`."""
    with asyncio.Runner(loop_factory=SimulatedTime) as runner:
        return runner.run(_committed(done, seconds, flushed_at))


def test_the_first_are_committed_at_once_and_those_behind_them_together() -> None:
    done = {0.0: {FIRST: 1}, 0.01: {FIRST: 2}, 0.02: {SECOND: 7}, 0.03: {FIRST: 5}}
    assert committed(done) == [(0.0, {FIRST: 1}), (EVERY_SECONDS, {FIRST: 5, SECOND: 7})]


def test_what_is_done_long_after_the_last_commit_does_not_wait() -> None:
    assert committed({0.0: {FIRST: 1}, 3.0: {FIRST: 2}}) == [(0.0, {FIRST: 1}), (3.0, {FIRST: 2})]


def test_a_commit_on_its_way_is_followed_by_one_with_what_came_meanwhile() -> None:
    done = {0.0: {FIRST: 1}, 0.1: {FIRST: 2}, 0.5: {FIRST: 3}}
    assert committed(done, seconds=0.4) == [(0.0, {FIRST: 1}), (0.4, {FIRST: 2}), (0.8, {FIRST: 3})]


def test_who_leaves_commits_what_waits_without_waiting() -> None:
    done = {0.0: {FIRST: 1}, 0.05: {FIRST: 2}}
    assert committed(done, flushed_at=0.06) == [(0.0, {FIRST: 1}), (0.06, {FIRST: 2})]
    assert committed({0.0: {FIRST: 1}}, flushed_at=0.06) == [(0.0, {FIRST: 1})]
    assert committed({}, flushed_at=0.06) == []


def test_partitions_that_are_anothers_now_are_not_committed() -> None:
    async def given_away() -> Committed:
        kafka = Kafka()
        offsets = Offsets(kafka.commit)
        offsets.done({FIRST: 1})
        await asyncio.sleep(0.01)
        offsets.done({FIRST: 2, SECOND: 3})
        offsets.forget([FIRST])
        await asyncio.sleep(1)
        return kafka.committed

    with asyncio.Runner(loop_factory=SimulatedTime) as runner:
        assert runner.run(given_away()) == [(0.0, {FIRST: 1}), (EVERY_SECONDS, {SECOND: 3})]
