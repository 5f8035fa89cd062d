"""Paced jobs wait for their time in the executor, beside those that are started at once; in simulated time."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.call_executor.appointments import TOGETHER_SECONDS, Appointments
from shared.events import DialJob
from tests.simulated_time import SimulatedTime

BEGAN = datetime(2026, 6, 1, 12, tzinfo=UTC)


def job(name: str, at: float | None) -> DialJob:
    return DialJob(
        attempt_id=name,
        claim_id="claim",
        organization_id="organization",
        shard=0,
        campaign_id="campaign",
        contact_id=name,
        not_after=BEGAN + timedelta(seconds=30),
        place_at=None if at is None else BEGAN + timedelta(seconds=at),
    )


@dataclass
class Executor:
    """Starts at most `room` jobs at a time, which takes a moment; the books of what was started when."""

    room: int = 100
    started: dict[str, float] = field(default_factory=dict)
    batches: int = 0
    fails: bool = False

    async def start(self, jobs: list[DialJob]) -> list[DialJob]:
        """Start some; the others."""
        if self.fails:
            raise RuntimeError("a bug")
        self.batches += 1
        self.started |= {each.attempt_id: now() for each in jobs[: self.room]}
        await asyncio.sleep(0.01)
        return jobs[self.room :]

    def seconds_until(self, its: DialJob) -> float:
        """How far away a job's time is."""
        return 0.0 if its.place_at is None else max(0.0, (its.place_at - BEGAN).total_seconds() - now())


def now() -> float:
    return asyncio.get_running_loop().time()


def play(scene: Callable[[Executor, Appointments], Coroutine[Any, Any, None]], **executor: Any) -> Executor:
    """The scene in a loop in which waiting takes no time."""
    played = Executor(**executor)
    with asyncio.Runner(loop_factory=SimulatedTime) as runner:

        async def whole() -> None:
            await scene(played, Appointments(played.start, played.seconds_until))

        runner.run(whole())
    return played


def names(jobs: list[DialJob]) -> list[str]:
    return [each.attempt_id for each in jobs]


def test_only_jobs_whose_time_is_to_come_are_kept() -> None:
    async def scene(executor: Executor, appointments: Appointments) -> None:
        await asyncio.sleep(1)
        assert names(appointments.keep([job("free", None), job("due", 1), job("later", 1.5)])) == ["free", "due"]
        await asyncio.sleep(1)
        assert list(executor.started) == ["later"]

    play(scene)


def test_none_is_started_before_its_time_and_those_of_a_moment_go_together() -> None:
    async def scene(executor: Executor, appointments: Appointments) -> None:
        assert appointments.keep([job(f"{n}", 2 - n / 100) for n in range(100)]) == []
        await asyncio.sleep(3)
        assert len(executor.started) == 100
        for n in range(100):
            assert 0 <= executor.started[f"{n}"] - (2 - n / 100) <= TOGETHER_SECONDS + 0.05
        assert executor.batches <= 10

    play(scene)


def test_an_earlier_time_that_comes_later_is_kept() -> None:
    async def scene(executor: Executor, appointments: Appointments) -> None:
        appointments.keep([job("second", 2)])
        await asyncio.sleep(0.5)
        appointments.keep([job("first", 1)])
        await asyncio.sleep(3)
        assert list(executor.started) == ["first", "second"]
        assert executor.started["first"] < 1.2

    play(scene)


def test_what_finds_no_room_goes_on_with_what_is_due_by_then() -> None:
    async def scene(executor: Executor, appointments: Appointments) -> None:
        appointments.keep([job(f"{n}", 1) for n in range(10)])
        await asyncio.sleep(3)
        assert len(executor.started) == 10

    assert play(scene, room=3).batches == 4


def test_at_the_end_all_that_wait_are_handed_over_at_once() -> None:
    async def scene(executor: Executor, appointments: Appointments) -> None:
        appointments.keep([job("later", 2)])
        await asyncio.sleep(0.5)
        await appointments.close()
        assert executor.started["later"] < 0.7
        assert names(appointments.keep([job("too late", 9)])) == ["too late"]

    play(scene)


def test_a_failure_is_not_kept_quiet() -> None:
    async def scene(executor: Executor, appointments: Appointments) -> None:
        appointments.keep([job("a", 1)])
        await asyncio.sleep(2)
        with pytest.raises(RuntimeError, match="a bug"):
            appointments.keep([job("b", 3)])

    play(scene, fails=True)
