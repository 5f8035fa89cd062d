"""The last minute of a shard's campaigns, as its loop counts it."""

from datetime import UTC, datetime, timedelta

from services.scheduler.shards.recent_calls import AT_ONCE, RecentCalls
from shared.domain.counts import Minute
from shared.store.dialing.ledger import CallChange

START = datetime(2026, 3, 10, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_what_is_older_than_a_minute_is_forgotten_and_that_is_said_once() -> None:
    recent = RecentCalls()
    recent.count({"spring": CallChange(5, 0)}, at(0))
    recent.count({"spring": CallChange(2, 5)}, at(0.5))
    recent.count({"spring": CallChange(1, 2)}, at(30))
    assert recent.news(at(30)) == {"spring": Minute(at(30), 8, 7)}
    assert recent.news(at(59.9)) == {"spring": Minute(at(59.9), 8, 7)}
    assert recent.news(at(60.9)) == {"spring": Minute(at(60.9), 1, 2)}
    assert recent.are_any
    assert recent.news(at(90)) == {"spring": Minute(at(90), 0, 0)}
    assert not recent.are_any
    assert recent.news(at(91)) == {}


def test_nothing_is_said_twice_within_a_second_nor_what_has_not_changed_within_ten() -> None:
    recent = RecentCalls()
    recent.count({"spring": CallChange(1, 0)}, at(0))
    assert recent.news(at(0)).keys() == {"spring"}
    recent.count({"spring": CallChange(1, 0)}, at(0.2))
    assert recent.news(at(0.9)) == {}
    assert recent.news(at(1)) == {"spring": Minute(at(1), 2, 0)}
    assert recent.news(at(2)) == {}
    assert recent.news(at(10)) == {}
    assert recent.news(at(11)) == {"spring": Minute(at(11), 2, 0)}


def test_calls_that_came_back_were_never_made() -> None:
    recent = RecentCalls()
    recent.count({"spring": CallChange(3, 0)}, at(0))
    recent.count({"spring": CallChange(-2, 0)}, at(5))
    assert recent.news(at(5)) == {"spring": Minute(at(5), 1, 0)}
    assert recent.news(at(61)) == {"spring": Minute(at(61), 0, 0)}


def test_of_many_campaigns_each_has_its_turn() -> None:
    recent = RecentCalls()
    names = [str(number) for number in range(2 * AT_ONCE)]
    recent.count(dict.fromkeys(names, CallChange(1, 0)), at(0))
    first = recent.news(at(0))
    recent.count(dict.fromkeys(names, CallChange(1, 0)), at(1))
    second = recent.news(at(1))
    assert first.keys() | second.keys() == set(names)
    assert len(first) == len(second) == AT_ONCE
