"""The waits that `make back` prints: worked out by hand for a record of three calls."""

from datetime import UTC, datetime, timedelta

from tests.chaos.back import WATCHED, wait_after
from tests.chaos.record import CarrierCall

FAULT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def call(organization: str, seconds: float) -> CarrierCall:
    at = FAULT + timedelta(seconds=seconds)
    return CarrierCall("call", "attempt", organization, "contact", "to", "from", ordered_at=at, placed_at=at)


def test_the_next_call_of_anybody_and_the_longest_silence_of_an_organization() -> None:
    calls = [call("a", -1), call("a", 2), call("b", 5), call("b", 6), *(call("a", second) for second in range(7, 20))]
    calls += [call("b", second) for second in range(8, 20)]
    wait = wait_after(sorted(calls, key=lambda one: one.placed_at), FAULT, ["a", "b"])
    assert (wait.anybody, wait.slowest) == (2.0, 5.0)


def test_who_is_not_called_at_all_waits_as_long_as_the_record_is_watched() -> None:
    wait = wait_after([call("a", 1)], FAULT, ["a", "b"])
    assert wait.slowest == WATCHED.total_seconds()
    assert wait_after([], FAULT, ["a"]).anybody == WATCHED.total_seconds()
