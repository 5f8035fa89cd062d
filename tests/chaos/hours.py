"""Organizations that shut for days and open again, and keep legal hours or do not, while everything breaks."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.clock import utc_now
from tests.chaos.asking import Asking
from tests.chaos.truth import Rule, Truth

PATH = "/campaign/calling-hours-settings"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """What organizations say of hours: asked for with a key of theirs, and noted in the truth."""

    asking: Asking
    truth: Truth

    def begin(self, organization_id: str) -> None:
        """Note a new organization, which is open and keeps no legal hours."""
        self.truth.shut[organization_id] = Rule(False, utc_now())
        self.truth.lawful[organization_id] = Rule(False, utc_now())

    async def shut_or_open(self, organization_id: str, key: str) -> None:
        """Close yesterday, today and tomorrow, which is now in every zone, or open them again."""
        await self._shut(organization_id, key, not self.truth.shut[organization_id].last)

    async def keep_law_or_not(self, organization_id: str, key: str) -> None:
        """Keep legal hours from now on, or no more."""
        lawful = self.truth.lawful[organization_id]
        await self._set(lawful, not lawful.last, key, {"legal_hours": "off" if lawful.last else "on"})

    async def open(self, organization_id: str, key: str) -> None:
        """Be open from now on."""
        if self.truth.shut[organization_id].last:
            await self._shut(organization_id, key, False)

    async def _shut(self, organization_id: str, key: str, shut: bool) -> None:
        today = utc_now().date()
        days = {"first_day": (today - ONE_DAY).isoformat(), "last_day": (today + ONE_DAY).isoformat()}
        await self._set(self.truth.shut[organization_id], shut, key, {"closures": [days] if shut else []})

    async def _set(self, rule: Rule[bool], value: bool, key: str, body: dict[str, Any]) -> None:
        change = rule.ask(value, utc_now())
        await self.asking.certainly(key, lambda api: api.patch(PATH, body))
        change.acknowledged_at = utc_now()
