from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import utc_now
from shared.store.client import Store
from shared.store.dialing import server_clock
from shared.store.dialing.server_clock import ASKED_EVERY_SECONDS, DRIFT_SECONDS, ServerClock
from shared.store.dialing.shard_catalog import server_now


async def test_the_servers_clock_can_be_compared_with_stored_stamps(store: Store) -> None:
    assert (await server_now(store)).utcoffset() == timedelta(0)
    assert abs(await server_now(store) - utc_now()) < timedelta(minutes=5)


async def test_a_process_with_a_wrong_clock_reckons_the_servers_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_clock, "utc_now", lambda: utc_now() + timedelta(hours=1))
    clock = ServerClock(store)
    assert clock.now() - await server_now(store) > timedelta(minutes=59), "nothing better is known yet"
    await clock.look()
    before, reckoned, after = await server_now(store), clock.now(), await server_now(store)
    assert before - timedelta(seconds=0.5) <= reckoned <= after + timedelta(seconds=0.5)


class Answers:
    """A server whose clock is right, and whose answers take their time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.takes, self.asked = 1000.0, 0.0, 0
        monkeypatch.setattr(server_clock, "monotonic", lambda: self.now)
        monkeypatch.setattr(server_clock, "server_now", self.answer)

    async def answer(self, _: Store) -> datetime:
        """Its time, on the way back all the while."""
        at, self.asked = self.time, self.asked + 1
        self.now += self.takes
        return at

    @property
    def time(self) -> datetime:
        """The right time."""
        return datetime(2026, 6, 1, tzinfo=UTC) + timedelta(seconds=self.now)


async def test_an_answer_that_took_longer_counts_only_when_the_better_one_is_old(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Answers(monkeypatch)
    clock = ServerClock(store)
    await clock.look()
    assert clock.now() == server.time
    server.takes, server.now = 0.4, server.now + 1
    await clock.look()
    assert clock.now() == server.time
    server.now += DRIFT_SECONDS
    await clock.look()
    assert server.time - clock.now() == timedelta(seconds=0.2), "half of what the answer took, at worst"


async def test_a_clock_that_is_kept_asks_every_few_seconds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Answers(monkeypatch)
    clock = ServerClock(store)
    for _ in range(20):
        await clock.keep()
        assert clock.now() == server.time
        server.now += 1
    assert server.asked == 20 / ASKED_EVERY_SECONDS
