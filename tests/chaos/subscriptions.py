"""Customers subscribe to what is told: everything at one receiver, what becomes of contacts at another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import methodcaller
from typing import Final

from shared.domain.facts import FactType
from tests.chaos.asking import Asking
from tests.chaos.customers import Organization
from tests.chaos.receiving import SHAKY, STEADY, Receiving
from tests.e2e.system import SystemCustomer

OF_CONTACTS: Final = (FactType.CONTACT_COMPLETED, FactType.CONTACT_SKIPPED)
WANTED: Final[Mapping[str, Sequence[FactType]]] = {STEADY: tuple(FactType), SHAKY: OF_CONTACTS}


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The webhooks of organizations: organization → receiver → webhook."""

    receiving: Receiving
    webhooks: dict[str, dict[str, str]] = field(default_factory=dict)

    async def subscribe(self, who: SystemCustomer) -> None:
        """Subscribe an organization, before anything of it is told. Nothing is broken yet."""
        made = {}
        for receiver, wanted in WANTED.items():
            url = self.receiving.url(receiver, who.organization_id)
            webhook = await who.api.post("/campaign/webhooks", {"url": url, "events": list(wanted)})
            made[receiver] = webhook["id"]
        self.webhooks[who.organization_id] = made

    async def send_dead_letters_again(self, asking: Asking, organizations: Sequence[Organization]) -> None:
        """What was given up because the receiver was unwell for too long is sent once more."""
        for organization in organizations:
            for webhook in self.webhooks.get(organization.id, {}).values():
                replay = methodcaller("post", f"/campaign/webhooks/{webhook}/replay")
                await asking.certainly(organization.who.who.key, replay)
