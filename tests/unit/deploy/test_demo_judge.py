from datetime import UTC, datetime, timedelta

import pytest

from deploy.demo.follow_up import CALLS_AT_ONCE, CALLS_PER_SECOND, NUMBERS, PlacedCall, judge

START = datetime(2026, 11, 28, 12, tzinfo=UTC)
TIMEZONES = {f"c{n}": "America/New_York" for n in range(100)}


def call(
    n: int, after: float, *, caller: str | None = None, contact: str | None = None, lasts: float = 0.5
) -> PlacedCall:
    at = START + timedelta(seconds=after)
    return PlacedCall(caller or NUMBERS[n % len(NUMBERS)], contact or f"c{n}", at, at + timedelta(seconds=lasts))


def broken(calls: list[PlacedCall]) -> list[str]:
    return [promise.said for promise in judge(calls, START, TIMEZONES) if not promise.kept]


PACED = [call(n, n / CALLS_PER_SECOND) for n in range(40)]


def test_a_campaign_that_keeps_what_was_asked_is_found_good() -> None:
    assert broken(PACED) == []


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([call(0, -0.1), *PACED[1:]], "calls before the scheduled start: 1 of 40"),
        ([], "calls before the scheduled start: 0 of 0"),
        ([call(n, n * 0.05) for n in range(40)], "most calls in any 3 s: 40, allowed are 25"),
        ([call(0, 0, caller="+14155550100"), *PACED[1:]], "calls from a number that is not in the pool: 1"),
        (
            [call(n, n / 10, caller=NUMBERS[0], lasts=9) for n in range(CALLS_AT_ONCE + 1)],
            "most calls at once from one number: 5, the limit is 4",
        ),
        ([*PACED, call(0, 20)], "most calls to one person in a day: 2, the cap is 1"),
    ],
)
def test_what_must_not_be_is_told(calls: list[PlacedCall], said: str) -> None:
    assert broken(calls) == [said]


def test_a_day_is_one_of_the_persons_zone() -> None:
    # Midnight in New York.
    before, after = call(0, 16 * 3600 + 59 * 60 + 59), call(0, 17 * 3600 + 1)
    assert broken([before, after]) == []
