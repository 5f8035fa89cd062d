"""When an executor's outbox sends: at once, or behind a small batch a moment later, with all that has come."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import cast

import pytest

from services.call_executor.outbox import Outbox
from shared.bus.producer import Producer
from shared.domain.turnover import AT_MOST, ENOUGH, LONGEST_SECONDS
from shared.events import AnyOrgEvent, JobReleased
from shared.store.client import Store
from tests.factories import ending, new_id
from tests.simulated_time import SimulatedTime

UP = 1000
A_LITTLE = 0.001
LONGEST_PAUSE = AT_MOST * LONGEST_SECONDS


class Kafka:
    """A producer that acknowledges at once, and knows when it was given what."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, int]] = []

    async def publish_events(self, events: Iterable[AnyOrgEvent], timeout_seconds: float) -> list[AnyOrgEvent]:
        """Keep the time and how many events came."""
        self.sent.append((round(asyncio.get_running_loop().time(), 4), len(list(events))))
        return []


@pytest.fixture(autouse=True)
def _in_simulated_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = "services.call_executor.outbox.monotonic"
    monkeypatch.setattr(clock, lambda: asyncio.get_running_loop().time())


def released() -> JobReleased:
    return JobReleased(
        organization_id=new_id(), shard=0, attempt_id=new_id(), contact_id=new_id(), nonce=None, reason="no token"
    )


async def sent_by(
    held: int, came: Mapping[float, Sequence[AnyOrgEvent]], leaves_at: float | None = None
) -> list[tuple[float, int]]:
    """When how many events were sent, of those that came at these seconds."""
    kafka = Kafka()
    outbox = Outbox(cast(Store, None), cast(Producer, kafka), lambda: held)
    sending = asyncio.create_task(outbox.run())
    leaving: asyncio.Task[None] | None = None
    loop = asyncio.get_running_loop()
    for at, events in came.items():
        await asyncio.sleep(at - loop.time())
        if leaves_at == at:
            leaving = asyncio.create_task(outbox.flushed())
            await asyncio.sleep(0)
        for event in events:
            outbox.add(event)
    await asyncio.sleep(1)
    if leaving is not None:
        await leaving
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending
    return kafka.sent


def in_simulated_time(
    held: int, came: Mapping[float, Sequence[AnyOrgEvent]], leaves_at: float | None = None
) -> list[tuple[float, int]]:
    with asyncio.Runner(loop_factory=SimulatedTime) as runner:
        return runner.run(sent_by(held, came, leaves_at))


def ends(count: int) -> list[AnyOrgEvent]:
    return [ending() for _ in range(count)]


def test_the_first_end_is_sent_at_once_and_one_behind_it_a_moment_later() -> None:
    assert in_simulated_time(UP, {0.0: ends(1), A_LITTLE: ends(1)}) == [(0.0, 1), (LONGEST_PAUSE, 1)]


def test_as_many_as_usually_come_in_that_time_and_one_are_sent_as_soon_as_they_are_there() -> None:
    came = {0.0: ends(1), A_LITTLE: ends(1), 2 * A_LITTLE: ends(1)}
    assert in_simulated_time(UP, came) == [(0.0, 1), (2 * A_LITTLE, 2)]


def test_an_end_that_comes_later_is_sent_at_once() -> None:
    assert in_simulated_time(UP, {0.0: ends(1), 2 * LONGEST_PAUSE: ends(1)}) == [(0.0, 1), (2 * LONGEST_PAUSE, 1)]


def test_many_are_not_held_up_nor_what_comes_behind_them() -> None:
    came = {0.0: ends(ENOUGH), A_LITTLE: ends(1)}
    assert in_simulated_time(UP, came) == [(0.0, ENOUGH), (A_LITTLE, 1)]


def test_short_calls_and_an_executor_that_leaves_are_not_held_up() -> None:
    assert in_simulated_time(0, {0.0: ends(1), A_LITTLE: ends(1)}) == [(0.0, 1), (A_LITTLE, 1)]
    assert in_simulated_time(UP, {0.0: ends(1), A_LITTLE: ends(1)}, leaves_at=A_LITTLE) == [(0.0, 1), (A_LITTLE, 1)]


def test_a_crowd_that_comes_behind_a_few_ends_their_wait_and_so_does_leaving() -> None:
    came = {0.0: ends(1), A_LITTLE: ends(1), 2 * A_LITTLE: ends(ENOUGH)}
    assert in_simulated_time(UP, came) == [(0.0, 1), (2 * A_LITTLE, 1 + ENOUGH)]
    came = {0.0: ends(1), A_LITTLE: ends(1), 2 * A_LITTLE: []}
    assert in_simulated_time(UP, came, leaves_at=2 * A_LITTLE) == [(0.0, 1), (2 * A_LITTLE, 1)]


def test_what_is_given_back_goes_with_the_ends_that_gather() -> None:
    came: dict[float, Sequence[AnyOrgEvent]] = {0.0: ends(1), A_LITTLE: [released()]}
    assert in_simulated_time(UP, came) == [(0.0, 1), (LONGEST_PAUSE, 1)]
    assert in_simulated_time(UP, came | {2 * A_LITTLE: ends(1)}) == [(0.0, 1), (2 * A_LITTLE, 2)]
