"""Requests are counted by credential and window; what other gateways counted counts too."""

from datetime import UTC, datetime, timedelta

import pytest

from services.campaign_api.http import request_limits
from services.campaign_api.http.request_limits import RequestLimits, limit_headers
from shared.domain.request_limits import LimitState, request_windows

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ORGANIZATION = "org"


class Clock:
    """The clock that the counts read."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now.timestamp()

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(request_limits, "_now", made)
    return made


def limits(text: str) -> RequestLimits:
    return RequestLimits(request_windows(text))


def asked(
    these: RequestLimits, times: int = 1, *, name: str = "key", own: str | None = None, method: str = "GET"
) -> list[bool]:
    """Which of so many requests go on."""
    states = [these.ask(name, own, ORGANIZATION, method) for _ in range(times)]
    return [state is None or not state.retry_after for state in states]


def test_where_no_limit_is_set_nothing_is_counted() -> None:
    none = limits("")
    assert none.ask("key", None, ORGANIZATION, "GET") is None
    assert none.counts.own() == {}


def test_a_request_goes_on_while_every_window_has_room_and_a_refused_one_is_not_counted(clock: Clock) -> None:
    both = limits("3/second; 5/minute")
    assert asked(both, 4) == [True, True, True, False]
    clock.forward(2)
    assert asked(both, 4) == [True, True, False, False]
    state = both.ask("key", None, ORGANIZATION, "GET")
    assert state == LimitState(5, 0, 118, 58)
    clock.forward(state.retry_after + 0.1)
    assert asked(both) == [True]


def test_each_credential_has_windows_of_its_own(clock: Clock) -> None:
    one = limits("1/minute")
    assert asked(one, 2, name="a") == [True, False]
    assert asked(one, 2, name="b") == [True, False]


def test_reads_and_writes_are_counted_apart(clock: Clock) -> None:
    apart = limits("2/minute reads; 1/minute writes")
    assert asked(apart, 2, method="POST") == [True, False]
    assert asked(apart, 3, method="GET") == [True, True, False]


def test_a_keys_own_limit_goes_before_its_organizations_and_that_before_the_default_one(clock: Clock) -> None:
    these = limits("1/minute")
    these.set_organizations({ORGANIZATION: "2/minute"})
    assert asked(these, 3, name="a") == [True, True, False]
    assert asked(these, 4, name="b", own="3/minute") == [True, True, True, False]
    assert asked(these, 9, name="c", own="") == [True] * 9
    these.set_organizations({})
    assert asked(these, 2, name="d") == [True, False]


def test_what_others_have_counted_counts_and_is_not_told_as_ours(clock: Clock) -> None:
    here = limits("10/minute")
    assert asked(here, 4) == [True] * 4
    [(key, (mine, ends_at))] = here.counts.own().items()
    assert (mine, ends_at) == (4, NOON.timestamp() + 120)
    here.counts.learn({key: 5, "unknown": 7})
    here.counts.learn({key: 5})
    assert asked(here, 2) == [True, False]
    assert [count for count, _ in here.counts.own().values()] == [5]
    here.counts.learn({key: 50})
    state = here.ask("key", None, ORGANIZATION, "GET")
    assert state is not None
    assert (state.remaining, state.retry_after > 60) == (0, True)


def test_counts_are_forgotten_when_their_time_is_over(clock: Clock) -> None:
    one = limits("1/minute")
    asked(one)
    clock.forward(119)
    assert len(one.counts.own()) == 1
    clock.forward(1)
    assert one.counts.own() == {}


def test_the_headers_tell_limit_rest_and_reset(clock: Clock) -> None:
    assert limit_headers(LimitState(60, 59, 110.2)) == {
        "X-RateLimit-Limit": "60",
        "X-RateLimit-Remaining": "59",
        "X-RateLimit-Reset": str(int(NOON.timestamp()) + 111),
    }
