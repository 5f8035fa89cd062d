"""Campaigns that get an end date, and campaigns that complete by themselves, while everything breaks."""

import random
from dataclasses import dataclass, field
from datetime import timedelta

from shared.clock import utc_now
from tests.chaos.asking import Asking
from tests.chaos.customers import Campaign
from tests.chaos.truth import Truth

AT_MOST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class EndDates:
    """What customers say of ends: asked for with a key of theirs, and noted in the truth."""

    asking: Asking
    truth: Truth
    dice: random.Random
    completing: set[str] = field(default_factory=set)

    async def let_end(self, key: str, campaign: Campaign) -> None:
        """Have a campaign end in a moment, for good."""
        self.truth.closed.add(campaign.id)
        end_at = utc_now() + timedelta(seconds=self.dice.uniform(0, AT_MOST_SECONDS))
        change = campaign.rules.end_at.ask(end_at, utc_now())
        path, body = f"/campaign/campaigns/{campaign.id}", {"end_at": end_at.isoformat()}
        await self.asking.certainly(key, lambda api: api.patch(path, body))
        change.acknowledged_at = utc_now()

    async def let_complete(self, key: str, campaign: Campaign) -> None:
        """Have a campaign complete whenever it has nobody left, though it is given more contacts."""
        self.completing.add(campaign.id)
        path = f"/campaign/campaigns/{campaign.id}"
        await self.asking.certainly(key, lambda api: api.patch(path, {"auto_complete": True}))

    async def go_on(self, key: str, campaign: Campaign) -> None:
        """Start a campaign that may have completed, for those who wait in it; it completes no more."""
        if campaign.id not in self.completing or campaign.id in self.truth.closed:
            return
        path = f"/campaign/campaigns/{campaign.id}"
        await self.asking.certainly(key, lambda api: api.patch(path, {"auto_complete": False}))
        await self.asking.certainly(key, lambda api: api.post(f"{path}/start"))
