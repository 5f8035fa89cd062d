"""The judge of what customers do with whole campaigns is judged, and what the crowd makes of a halted one."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from tests.chaos.courses import Courses
from tests.chaos.customers import Campaign
from tests.chaos.judge import CLOCKS_OFF
from tests.chaos.test_judge import CAMPAIGN, ORGANIZATION, START, at, call, convicted, good_truth
from tests.chaos.truth import CampaignRules, Rule


class Answering:
    """An API that answers with one campaign."""

    def __init__(self, state: str, reason: str | None) -> None:
        self._seen = {"state": state, "state_reason": reason}
        self.asked = 0

    async def certainly(self, key: str, ask: Callable[[Any], Awaitable[Any]]) -> Any:
        self.asked += 1
        return self._seen


def courses(api: Answering) -> Courses:
    return Courses(api, good_truth(), random.Random(1))  # type: ignore[arg-type]


def a_campaign() -> Campaign:
    rules = CampaignRules(ORGANIZATION, active=Rule(True, START), open=Rule(True, START))
    return Campaign(CAMPAIGN, "configuration", rules, START, has_breaker=True)


@pytest.mark.parametrize(
    ("placed", "promises"),
    [
        pytest.param(9, {"I5"}, id="before any clock says that it has begun"),
        pytest.param(16, set(), id="by a fast clock"),
        pytest.param(21, set(), id="after it began"),
    ],
)
def test_a_call_before_the_campaign_begins_is_convicted(placed: float, promises: set[str]) -> None:
    truth = good_truth()
    truth.campaigns[CAMPAIGN].active = Courses.active_from(at(20), at(0))
    assert convicted([call(0, placed, placed + 1)], truth) == promises


def test_a_campaign_that_begins_at_once_may_call_at_once() -> None:
    truth = good_truth()
    truth.campaigns[CAMPAIGN].active = Courses.active_from(None, at(0))
    assert convicted([call(0, 1, 2)], truth) == set()


def test_a_pause_before_it_begins_holds() -> None:
    truth = good_truth()
    active = truth.campaigns[CAMPAIGN].active = Courses.active_from(at(20), at(0))
    active.ask(False, at(10)).acknowledged_at = at(10)
    assert convicted([call(0, 30, 31)], truth) == {"I5"}


async def test_a_call_of_a_campaign_that_was_seen_halted_is_convicted() -> None:
    campaign, api = a_campaign(), Answering("paused", "circuit_breaker")
    assert await courses(api).look_at_breaker("key", campaign)
    [halted] = campaign.rules.active.possible(utc_now() + timedelta(seconds=1), utc_now() + timedelta(seconds=2))
    assert halted is False
    assert not await courses(api).look_at_breaker("key", campaign), "it is known"
    assert api.asked == 1


@pytest.mark.parametrize(("state", "reason"), [("running", None), ("paused", "user"), ("paused", "max_calls")])
async def test_a_campaign_that_its_breaker_has_not_halted_may_call(state: str, reason: str | None) -> None:
    campaign = a_campaign()
    assert not await courses(Answering(state, reason)).look_at_breaker("key", campaign)
    assert campaign.rules.active.last


def test_a_campaign_gets_an_end_date_only_once_it_has_begun_by_every_clock() -> None:
    campaign = a_campaign()
    assert Courses.has_begun(campaign)
    campaign.begins_at = utc_now() - CLOCKS_OFF + timedelta(seconds=2)
    assert not Courses.has_begun(campaign)
    campaign.begins_at = utc_now() - CLOCKS_OFF - timedelta(seconds=2)
    assert Courses.has_begun(campaign)
