"""Voice agents report on calls while everything breaks: people opt out, and ask to be called back."""

import random
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from deploy.demo.client import Refused
from shared.clock import utc_now
from shared.domain.facts import FactType
from tests.chaos.asking import Asking
from tests.chaos.customers import Campaign, Organization
from tests.chaos.truth import Truth

AT_MOST_SECONDS: Final = 4.0
# A time that has come when the request does is refused.
AT_LEAST_SECONDS: Final = 1.0
OF_A_CALL: Final = ("opt_out", "callback_at", "disposition")


@dataclass(frozen=True, slots=True)
class Results:
    """What agents report: with a key of the organization, and noted in the truth."""

    asking: Asking
    truth: Truth
    dice: random.Random

    async def report_one(self, organization: Organization, campaign: Campaign) -> None:
        """Report on a contact's last call, if it had one."""
        if not campaign.numbers:
            return
        key, external_id = organization.who.who.key, self.dice.choice(list(campaign.numbers))
        try:
            contact = await self.asking.certainly(
                key, lambda api: api.get(f"/campaign/campaigns/{campaign.id}/contacts/{external_id}")
            )
            if contact["attempts"]:
                await self._report(organization, external_id, contact)
        except Refused as refused:
            # The contact is deleted, or the time of the callback has come before it was heard of.
            if refused.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}:
                raise

    async def _report(self, organization: Organization, external_id: str, contact: dict[str, Any]) -> None:
        attempt, what = contact["attempts"][-1], self.dice.choice(OF_A_CALL)
        reported: dict[str, Any] = {"disposition": f"reported at {utc_now():%T.%f}"}
        if what == "callback_at":
            now = utc_now()
            self.truth.called_back.setdefault(contact["id"], []).append(now)
            reported[what] = (now + timedelta(seconds=self.dice.uniform(AT_LEAST_SECONDS, AT_MOST_SECONDS))).isoformat()
        listed = []
        if what == "opt_out":
            reported[what] = True
            self.truth.given_up.add((organization.id, external_id))
            for number in {*contact["phone_numbers"], attempt["phone_number"]}:
                listed.append(self.truth.numbers[organization.id, number].listed.ask(True, utc_now()))
        path = f"/campaign/attempts/{attempt['id']}/result"
        await self.asking.certainly(organization.who.who.key, lambda api: api.post(path, reported))
        self.truth.must_be_told.add((organization.id, FactType.CALL_RESULT, attempt["id"]))
        for change in listed:
            change.acknowledged_at = utc_now()
            self.truth.opted_out.setdefault(contact["id"], utc_now())
