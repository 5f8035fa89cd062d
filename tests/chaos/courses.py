"""Courses of campaigns while everything breaks: they begin at a time, are halted by their breakers, and are deleted."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from deploy.demo.client import Api, Refused
from shared.clock import utc_now
from tests.chaos.asking import Asking
from tests.chaos.customers import Campaign
from tests.chaos.judge import CLOCKS_OFF
from tests.chaos.truth import Rule, Truth

AT_MOST_SECONDS: Final = 6.0
# Trips where a few calls fail at once, as they do whenever the carrier or an executor is broken.
BREAKER: Final = {"threshold": 0.2, "window_seconds": 30, "min_calls": 5}
TRIPPED: Final = "circuit_breaker"


@dataclass(frozen=True, slots=True)
class Courses:
    """What customers do with whole campaigns: asked for with a key of theirs, and noted in the truth."""

    asking: Asking
    truth: Truth
    dice: random.Random

    def beginning(self) -> datetime | None:
        """When a new campaign begins: at once (None), or in a moment."""
        if self.dice.random() < 1 / 2:
            return None
        return utc_now() + timedelta(seconds=self.dice.uniform(0, AT_MOST_SECONDS))

    @staticmethod
    def has_begun(campaign: Campaign) -> bool:
        """Whether a campaign has begun by every clock: only then may it end by a date."""
        return campaign.begins_at is None or campaign.begins_at + CLOCKS_OFF < utc_now()

    @staticmethod
    def active_from(start_at: datetime | None, now: datetime) -> Rule[bool]:
        """Whether a campaign that is made now may dial: from its start on, by whichever clock."""
        active = Rule(start_at is None, now)
        if start_at is not None:
            active.switch(True, start_at - CLOCKS_OFF)
        return active

    async def put_breaker(self, key: str, campaign: Campaign) -> None:
        """Have a campaign halted when its calls fail."""
        await self._set_breaker(key, campaign, BREAKER)

    async def lift_breaker(self, key: str, campaign: Campaign) -> None:
        """Have a campaign halted no more, and go on if it was."""
        if campaign.has_breaker and campaign.id not in self.truth.closed:
            await self._set_breaker(key, campaign, None)
            await self.look_at_breaker(key, campaign)
            await self._go_on(key, campaign)

    async def look_at_breaker(self, key: str, campaign: Campaign) -> bool:
        """Whether a campaign is halted by its breaker: then it makes no call from now on, until it goes on."""
        if not campaign.has_breaker or not campaign.rules.active.last or campaign.id in self.truth.closed:
            return False
        seen = await self.asking.certainly(key, lambda api: api.get(f"/campaign/campaigns/{campaign.id}"))
        if (seen["state"], seen["state_reason"]) != ("paused", TRIPPED):
            return False
        campaign.rules.active.ask(False, utc_now()).acknowledged_at = utc_now()
        return True

    async def _go_on(self, key: str, campaign: Campaign) -> None:
        change = campaign.rules.active.ask(True, utc_now())
        await self.asking.certainly(key, lambda api: api.post(f"/campaign/campaigns/{campaign.id}/start"))
        change.acknowledged_at = utc_now()

    async def _set_breaker(self, key: str, campaign: Campaign, breaker: dict[str, Any] | None) -> None:
        campaign.has_breaker = breaker is not None
        path = f"/campaign/campaigns/{campaign.id}"
        await self.asking.certainly(key, lambda api: api.patch(path, {"circuit_breaker": breaker}))

    async def delete(self, key: str, campaign: Campaign) -> None:
        """Delete a closed campaign: from then on it is not to be found."""
        path = f"/campaign/campaigns/{campaign.id}"

        async def once(api: Api) -> None:
            try:
                await api.delete(path)
            except Refused as refused:
                # The first try was heard, only its answer was lost.
                if refused.status != HTTPStatus.NOT_FOUND:
                    raise

        await self.asking.certainly(key, once)
        try:
            await self.asking.certainly(key, lambda api: api.get(path))
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
        else:
            self.asking.wrong_answers.append(f"campaign {campaign.id} was deleted, and is found")
