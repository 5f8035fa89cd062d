"""Runs of so many calls while everything breaks: customers start campaigns anew, each time for some other number."""

import random
from datetime import UTC, datetime
from typing import Final

from shared.clock import utc_now
from tests.chaos.asking import Asking
from tests.chaos.customers import Campaign, Organization
from tests.chaos.truth import LimitedRun, Rule, Truth

# Some are made within a run of the test, some are not.
MAX_CALLS: Final = (5, 20, 60, None)
NOT_YET: Final = datetime(9000, 1, 1, tzinfo=UTC)


class Runs:
    """Starts of campaigns for so many calls."""

    def __init__(self, asking: Asking, truth: Truth, dice: random.Random) -> None:
        self._asking, self._truth, self._dice = asking, truth, dice

    async def start_for_some_calls(self, organization: Organization, campaign: Campaign) -> None:
        """Start a campaign that is not paused, for a number of calls or for any."""
        if campaign.rules.active.last and campaign.id not in self._truth.closed:
            # One that would have begun later begins with this.
            change = campaign.rules.active.ask(True, utc_now())
            await self._begin(organization.who.who.key, campaign.id, self._dice.choice(MAX_CALLS))
            change.acknowledged_at = utc_now()

    async def resume(self, key: str, campaign_id: str) -> bool:
        """Start a campaign for as many calls as before; False where it was never started for so many."""
        before = self._truth.runs.get(campaign_id)
        if before:
            await self._begin(key, campaign_id, before[-1].max_calls.last)
        return bool(before)

    async def lift(self, key: str, campaign_id: str) -> None:
        """Start a campaign that makes so many calls a run once more, for as many as there are."""
        if campaign_id in self._truth.runs and campaign_id not in self._truth.closed:
            await self._begin(key, campaign_id, None)

    async def _begin(self, key: str, campaign_id: str, max_calls: int | None) -> None:
        """One start; each of its tries begins a run, and what is placed until the answer may be of any of them."""
        now = utc_now()
        run = LimitedRun(now, NOT_YET, Rule(max_calls, now))
        self._truth.runs.setdefault(campaign_id, []).append(run)
        path = f"/campaign/campaigns/{campaign_id}/start"
        await self._asking.certainly(key, lambda api: api.post(path, {"max_calls": max_calls}))
        run.begun_by = utc_now()
