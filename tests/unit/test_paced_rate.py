"""The rate that is set is the rate that is reached, and no claim expires in the queue.

The scheduler's `JobQueue` and the executor's `JobHandler` are the real ones, in simulated time; claims, Kafka, START
and the carrier between them are a model of what the store and the executors do.
"""

import asyncio
import itertools
import random
from collections import Counter, deque
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.call_executor import pacer
from services.call_executor.handlers import JobHandler
from services.call_executor.held_calls import HeldCalls
from services.call_executor.pacer import Pacer
from services.call_executor.placing import Batch, Placer
from services.scheduler.shards import job_queue
from services.scheduler.shards.job_queue import JobQueue
from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.domain import pacing
from shared.events import DialJob
from shared.store.dialing.claim import MAX_CLAIM
from tests.simulated_time import SimulatedTime

JOB = DialJob(
    attempt_id="attempt",
    claim_id="claim",
    organization_id="organization",
    shard=0,
    campaign_id="campaign",
    contact_id="contact",
    not_after=utc_now().replace(year=9999),
)
PUBLISHING, STARTING, PLACING = 0.02, 0.005, 0.05


@dataclass
class World:
    """Schedulers with more contacts than can be called, executors that place calls which end at once, and the books."""

    lock_seconds: float
    calls_per_second: float
    executors: int = 1
    shards: int = 1
    part: float = 1.0
    loop: SimulatedTime = field(default_factory=SimulatedTime)
    locked: dict[str, tuple[int, float]] = field(default_factory=dict)
    placed: list[float] = field(default_factory=list)
    expired: int = 0

    def __post_init__(self) -> None:
        self._topic: list[deque[DialJob]] = [deque() for _ in range(self.executors)]
        self._attempts = itertools.count()
        self._dice = random.Random(1)

    def run(self, seconds: float) -> None:
        """Let it all run for so long."""
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._all(seconds))

    async def _all(self, seconds: float) -> None:
        tasks = [asyncio.create_task(self._schedule(shard)) for shard in range(self.shards)]
        tasks += [asyncio.create_task(self._execute(jobs)) for jobs in self._topic]
        tasks.append(asyncio.create_task(self._expire()))
        await asyncio.sleep(seconds)
        for task in tasks:
            assert not task.done() or task.result()

    async def _schedule(self, shard: int) -> None:
        async def count() -> int:
            return sum(its_shard == shard for its_shard, _ in self.locked.values())

        queue = JobQueue(count, self.lock_seconds)
        while True:
            claimed_at = self.loop.time()
            rate = self.calls_per_second * self.executors
            claimed = [
                f"{next(self._attempts)}" for _ in range(await queue.room(MAX_CLAIM, rate, self.part / self.shards))
            ]
            self.locked |= dict.fromkeys(claimed, (shard, claimed_at + self.lock_seconds))
            queue.locked(len(claimed))
            await asyncio.sleep(PUBLISHING)
            for attempt in claimed:
                self._dice.choice(self._topic).append(JOB.model_copy(update={"attempt_id": attempt}))
            if len(claimed) < MAX_CLAIM:
                await asyncio.sleep(min(1.0, queue.again_in))

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(1)
            late = [attempt for attempt, (_, until) in self.locked.items() if until < self.loop.time()]
            self.expired += len(late)
            for attempt in late:
                del self.locked[attempt]

    async def _execute(self, jobs: deque[DialJob]) -> None:
        held, producer = cast(HeldCalls, ()), cast(Producer, None)
        rate = self.calls_per_second
        handler = JobHandler(cast(Placer, self), held, producer, parallel=100, per_second=rate, capacity=1000)
        while True:
            read = [jobs.popleft() for _ in range(min(len(jobs), 500))]
            records = [SimpleNamespace(value=job.model_dump_json().encode(), headers=()) for job in read]
            await handler.on_dial_jobs(cast(Any, records))
            await asyncio.sleep(0.01)

    async def start(self, jobs: list[DialJob]) -> Batch:
        """START: what is still locked."""
        await asyncio.sleep(STARTING)
        taken = [job.attempt_id for job in jobs if self.locked.pop(job.attempt_id, None)]
        return Batch("nonce", self.loop.time(), [{"_id": attempt} for attempt in taken])

    def seconds_until(self, job: DialJob) -> float:
        """No call is paced by its organization."""
        return 0.0

    def release_late(self, jobs: list[DialJob]) -> list[DialJob]:
        """None is late."""
        return jobs

    async def without_stale(self, jobs: list[DialJob]) -> list[DialJob]:
        """What could still be started."""
        await asyncio.sleep(STARTING)
        return [job for job in jobs if job.attempt_id in self.locked]

    async def gate(self, batch: Batch) -> tuple[list[dict[str, Any]], float]:
        """Everybody may be called."""
        await asyncio.sleep(STARTING)
        return list(batch.contacts), self.loop.time()

    def is_fresh(self, looked_at: float) -> bool:
        """The gate has just been looked at."""
        return True

    async def place(self, contact: dict[str, Any], batch: Batch, looked_at: float) -> None:
        """PLACE: one call in the carrier's books."""
        self.placed.append(self.loop.time())
        await asyncio.sleep(PLACING)

    @property
    def most_in_a_second(self) -> int:
        """Calls placed within any whole second of the carrier's clock or half a second beside it."""
        return max(
            *Counter(int(at) for at in self.placed).values(), *Counter(int(at + 0.5) for at in self.placed).values()
        )


@pytest.fixture
def in_simulated_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code under test reads the clock of the loop that runs it."""
    for module in (pacer, job_queue):
        monkeypatch.setattr(module, "monotonic", lambda: asyncio.get_running_loop().time())


@pytest.mark.usefixtures("in_simulated_time")
@pytest.mark.parametrize("lock_seconds", [1.1, 2, 10, 60])
@pytest.mark.parametrize("calls_per_second", [0.5, 3, 30, 200])
@pytest.mark.parametrize(("executors", "shards"), [(1, 1), (2, 16)])
def test_the_rate_that_is_set_is_reached(
    lock_seconds: float, calls_per_second: float, executors: int, shards: int
) -> None:
    world = World(lock_seconds, calls_per_second, executors, shards)
    # Long enough for twenty calls, and for claims to expire; a fast queue would show it within seconds.
    seconds = 20 + max(20 / calls_per_second, lock_seconds if calls_per_second <= 30 else 5)
    world.run(seconds)
    rate = calls_per_second * executors
    burst = max(1.0, calls_per_second) * executors
    assert len(world.placed) >= 0.95 * rate * seconds - executors
    assert len(world.placed) <= rate * seconds + burst
    assert world.most_in_a_second <= rate + burst
    # A claim cannot wait for less than the time between two calls, and every shard has one out.
    if shards / rate < lock_seconds / 3:
        assert world.expired == 0


@pytest.mark.usefixtures("in_simulated_time")
@pytest.mark.parametrize("part", [1.0, 0.2, 0.05])
def test_a_shard_with_a_small_part_of_the_limit_reaches_the_rate_when_it_is_alone(part: float) -> None:
    world = World(10, 30, part=part)
    world.run(40)
    assert 0.95 * 30 * 40 <= len(world.placed) <= 31 * 40
    assert world.expired == 0


@pytest.mark.usefixtures("in_simulated_time")
def test_a_queue_longer_than_its_claims_live_costs_claims_and_not_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "queue_seconds", lambda lock_seconds: 20.0)
    world = World(10, 30)
    world.run(60)
    assert world.expired > 100, "jobs go stale in this queue"
    assert len(world.placed) >= 0.95 * 30 * 60


@pytest.mark.usefixtures("in_simulated_time")
def test_the_model_loses_calls_where_stale_jobs_keep_their_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tests above would say of an engine that queues ten seconds whatever LOCK is, and gives nothing back."""
    monkeypatch.setattr(pacing, "queue_seconds", lambda lock_seconds: 10.0)
    monkeypatch.setattr(Pacer, "give_back", lambda self, count: None)
    monkeypatch.setattr(World, "without_stale", _all_of_them)
    world = World(5, 30)
    world.run(60)
    assert world.expired > 0
    assert len(world.placed) < 0.9 * 30 * 60


async def _all_of_them(_: World, jobs: list[DialJob]) -> list[DialJob]:
    return jobs
