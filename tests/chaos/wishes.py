"""What customers ask of single contacts, while everything breaks: to be called back, sooner, later, or no more."""

import random
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from deploy.demo.client import Refused
from shared.clock import utc_now
from tests.chaos.asking import Asking
from tests.chaos.customers import Campaign, Organization
from tests.chaos.truth import Truth

AT_MOST_SECONDS = 3.0
# What may be asked of a contact that waits for another call; the last two end it.
OF_A_CALLBACK = ("now", "skip", "cancel", "done")
NO_MORE = frozenset({"cancel", "done"})
# Being called, over, deleted, closed; or the time of the callback had passed before the request was heard.
NOT_NOW = frozenset(
    {HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What customers ask of contacts: asked for with a key of theirs, and noted in the truth."""

    asking: Asking
    truth: Truth
    dice: random.Random

    async def ask_of_one(self, organization: Organization, campaign: Campaign) -> None:
        """Ask something of a contact; that it is being called, or is over, is a refusal that changes nothing."""
        if not campaign.numbers:
            return
        key, external_id = organization.who.who.key, self.dice.choice(list(campaign.numbers))
        try:
            contact = await self.asking.certainly(
                key, lambda api: api.get(f"/campaign/campaigns/{campaign.id}/contacts/{external_id}")
            )
            if contact["callback"] is None or self.dice.random() < 1 / 2:
                await self._call_back(key, campaign.id, contact)
            else:
                await self._ask_of_callback(key, (organization.id, external_id), contact)
        except Refused as refused:
            if refused.status not in NOT_NOW:
                raise

    async def _call_back(self, key: str, campaign_id: str, contact: dict[str, Any]) -> None:
        now = utc_now()
        # Noted before: of a refusal whose first try was carried out nobody would know.
        self.truth.called_back.setdefault(contact["id"], []).append(now)
        body = {"at": (now + timedelta(seconds=self.dice.uniform(0, AT_MOST_SECONDS))).isoformat()}
        path = f"/campaign/campaigns/{campaign_id}/contacts/{contact['id']}/callback"
        await self.asking.certainly(key, lambda api: api.post(path, body))

    async def _ask_of_callback(self, key: str, who: tuple[str, str], contact: dict[str, Any]) -> None:
        kind = self.dice.choice(OF_A_CALLBACK)
        if kind in NO_MORE or kind == "skip":
            # A retry that is left out may be the last one.
            self.truth.given_up.add(who)
        await self.asking.certainly(
            key, lambda api: api.post(f"/campaign/callbacks/{contact['callback']['id']}/{kind}")
        )
        if kind in NO_MORE:
            self.truth.no_more[contact["id"]] = utc_now()
