"""Limits and rates that customers change while everything breaks."""

import random
from dataclasses import dataclass
from typing import Final

from shared.clock import utc_now
from tests.chaos.asking import Asking
from tests.chaos.customers import Campaign, Organization
from tests.chaos.truth import Rule, Truth

LIMITS: Final = (4, 8, 16, 24)
CAMPAIGN_LIMITS: Final = (2, 4, 8)


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls at once and calls a second: asked for with a key of an organization, and noted in the truth."""

    asking: Asking
    truth: Truth
    dice: random.Random

    async def change_limit(self, organization: Organization, campaign: Campaign) -> None:
        """Another limit: the campaign's where it has one, else the organization's."""
        if campaign.id in self.truth.campaign_limits:
            await self.limit_campaign(organization, campaign, self.dice.choice(CAMPAIGN_LIMITS))
        else:
            await self.set_limit(organization, self.dice.choice(LIMITS))

    async def set_limit(self, organization: Organization, limit: int) -> None:
        """An organization's calls at once."""
        change = organization.limit.ask(limit, utc_now())
        body = {"concurrency_limit": limit}
        await self.asking.certainly(
            organization.who.who.key, lambda api: api.put("/campaign/concurrency-settings", body)
        )
        change.acknowledged_at = utc_now()

    async def limit_campaign(self, organization: Organization, campaign: Campaign, limit: int) -> None:
        """A campaign's calls at once; nothing where it is closed."""
        if campaign.id in self.truth.closed:
            return
        rule = self.truth.campaign_limits.setdefault(campaign.id, Rule(max(LIMITS), campaign.made_at))
        change = rule.ask(limit, utc_now())
        await self._change(organization, campaign, {"concurrency_limit": limit})
        change.acknowledged_at = utc_now()

    async def pace_campaign(self, organization: Organization, campaign: Campaign, rate: float | None) -> None:
        """A campaign's calls a second; nothing where it is closed, or has no rate that could be lifted."""
        scope = f"campaign {campaign.id}"
        if campaign.id in self.truth.closed or (rate is None and scope not in self.truth.rates):
            return
        rule = self.truth.rates.setdefault(scope, Rule[float | None](None, campaign.made_at))
        change = rule.ask(rate, utc_now())
        await self._change(organization, campaign, {"calls_per_second": rate})
        change.acknowledged_at = utc_now()

    async def _change(self, organization: Organization, campaign: Campaign, body: dict[str, float | None]) -> None:
        path = f"/campaign/campaigns/{campaign.id}"
        await self.asking.certainly(organization.who.who.key, lambda api: api.patch(path, body))
