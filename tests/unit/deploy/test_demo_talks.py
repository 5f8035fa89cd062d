from datetime import UTC, datetime, timedelta

import pytest

from deploy.demo.talks import CALLED_BACK_IN, Talk, judge

START = datetime(2026, 11, 28, 12, tzinfo=UTC)
SINCE, BACK_AT = START + timedelta(seconds=5), START + timedelta(seconds=10)


def talk(contact: str, after: float) -> Talk:
    return Talk(contact, f"{contact}-{after}", START + timedelta(seconds=after), "answered", "rt_x")


GOOD = [talk("quiet", 1), talk("busy", 2), talk("busy", 10.5), talk("else", 20)]


def broken(calls: list[Talk], again: str | None = "skipped") -> list[str]:
    return [promise.said for promise in judge(calls, ("quiet", SINCE), ("busy", BACK_AT), again) if not promise.kept]


def test_a_campaign_that_does_what_was_asked_is_found_good() -> None:
    assert broken(GOOD) == []


@pytest.mark.parametrize(
    ("calls", "again", "said"),
    [
        ([*GOOD, talk("quiet", 6)], "skipped", "since then: 1"),
        (GOOD, "pending", "sent once more: pending"),
        (GOOD[:2], "skipped", "asked for it: 0"),
        ([*GOOD, talk("busy", 10 - CALLED_BACK_IN.total_seconds() / 2)], "skipped", "before the time: 1"),
    ],
)
def test_what_must_not_be_is_found(calls: list[Talk], again: str, said: str) -> None:
    [found] = broken(calls, again)
    assert said in found


def test_too_few_answers_prove_nothing() -> None:
    assert [promise.kept for promise in judge(GOOD, None, None, None)] == [False]
