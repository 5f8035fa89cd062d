"""When offsets are committed: at once, or a moment after the last commit, those of all partitions together."""

import asyncio
import gc
from collections.abc import Mapping
from typing import cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError, KafkaError

from shared.bus.offsets import COMMIT_SECONDS, EVERY_SECONDS, Offsets
from tests.simulated_time import SimulatedTime

FIRST, SECOND = TopicPartition("org.events", 0), TopicPartition("org.events", 1)
# Of another member.
ELSEWHERE = TopicPartition("org.events", 2)
Committed = list[tuple[float, dict[TopicPartition, int]]]


@pytest.fixture(autouse=True)
def _in_simulated_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.bus.offsets.monotonic", lambda: asyncio.get_running_loop().time())


class Consumer:
    """A member of a group which has two partitions. A commit takes so many seconds; when it was given what is kept."""

    def __init__(self, seconds: float = 0.0, error: KafkaError | None = None) -> None:
        self.committed: Committed = []
        self._seconds, self._error = seconds, error

    def assignment(self) -> set[TopicPartition]:
        """The two."""
        return {FIRST, SECOND}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Keep the time and the offsets."""
        self.committed.append((round(asyncio.get_running_loop().time(), 4), offsets))
        await asyncio.sleep(self._seconds)
        if self._error is not None:
            raise self._error


async def _committed(
    done: Mapping[float, dict[TopicPartition, int]], seconds: float, flushed_at: float | None
) -> Committed:
    consumer, loop = Consumer(seconds), asyncio.get_running_loop()
    offsets = Offsets(cast(AIOKafkaConsumer, consumer))
    for at, some in done.items():
        await asyncio.sleep(at - loop.time())
        offsets.done(some)
    if flushed_at is not None:
        await asyncio.sleep(flushed_at - loop.time())
        await offsets.flush()
        assert loop.time() == pytest.approx(flushed_at + seconds)
    await asyncio.sleep(10)
    return consumer.committed


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


def test_a_kafka_that_is_away_or_refuses_holds_up_nobody_for_long() -> None:
    async def left_after(consumer: Consumer) -> float:
        offsets = Offsets(cast(AIOKafkaConsumer, consumer))
        offsets.done({FIRST: 1})
        await offsets.flush()
        offsets.done({SECOND: 1})
        await offsets.flush()
        assert [some for _, some in consumer.committed] == [{FIRST: 1}, {SECOND: 1}]
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=SimulatedTime) as runner:
        assert runner.run(left_after(Consumer(seconds=1000.0))) == pytest.approx(2 * COMMIT_SECONDS)
    for error in (KafkaConnectionError(), CommitFailedError(), IllegalStateError()):
        with asyncio.Runner(loop_factory=SimulatedTime) as runner:
            assert runner.run(left_after(Consumer(error=error))) < EVERY_SECONDS


class SlowToRefuse(GroupCoordinator):
    """The client library's own commit, whose request fails long after the commit was given up."""

    def __init__(self) -> None:
        self._commit_lock = asyncio.Lock()
        self.is_refused = False

    def __del__(self) -> None:
        """Nothing was opened."""

    async def ensure_coordinator_known(self) -> None:
        """It is known."""

    async def _do_commit_offsets(self, assignment: object, offsets: object) -> None:
        await asyncio.sleep(10 * COMMIT_SECONDS)
        self.is_refused = True
        raise KafkaConnectionError


def test_a_request_that_fails_after_its_commit_was_given_up_is_no_error_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def given_up() -> None:
        coordinator = SlowToRefuse()

        class OfTheLibrary(Consumer):
            async def commit(self, offsets: dict[TopicPartition, int]) -> None:
                await coordinator.commit_offsets(None, offsets)  # type: ignore[no-untyped-call]

        Offsets(cast(AIOKafkaConsumer, OfTheLibrary())).done({FIRST: 1})
        await asyncio.sleep(20 * COMMIT_SECONDS)
        assert coordinator.is_refused
        gc.collect()

    with asyncio.Runner(loop_factory=SimulatedTime) as runner:
        runner.run(given_up())
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_partitions_that_are_anothers_now_are_not_committed() -> None:
    async def given_away() -> Committed:
        consumer = Consumer()
        offsets = Offsets(cast(AIOKafkaConsumer, consumer))
        offsets.done({FIRST: 1, ELSEWHERE: 1})
        await asyncio.sleep(0.01)
        offsets.done({FIRST: 2, SECOND: 3})
        offsets.forget([FIRST])
        await asyncio.sleep(1)
        return consumer.committed

    with asyncio.Runner(loop_factory=SimulatedTime) as runner:
        assert runner.run(given_away()) == [(0.0, {FIRST: 1}), (EVERY_SECONDS, {SECOND: 3})]
