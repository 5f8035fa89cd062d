"""Pools of caller numbers while everything breaks: customers change limits, and switch numbers off and on."""

import random
from http import HTTPStatus
from typing import Any, Final

from deploy.demo.client import Api, Refused
from shared.clock import utc_now
from tests.chaos.asking import Asking
from tests.chaos.truth import CallerRules, Rule, Truth

POOL: Final = "chaos"
NUMBERS: Final = ("+1415555031{}", "+1415555032{}", "+1415555033{}")
MAX_CALLS: Final = (1, 2, 4, None)
# Some are used up in a run, some are not.
DAILY_LIMITS: Final = (5, 20, 60, None)
RATES: Final = (0.5, 2.0, None)
CHOICES: Final = ("weighted_sticky", "rotate", "random_free")


class Pools:
    """One pool for each organization, by the place in which it came."""

    def __init__(self, asking: Asking, truth: Truth, dice: random.Random) -> None:
        self._asking, self._truth, self._dice = asking, truth, dice
        self._ids: dict[tuple[str, str], str] = {}

    async def open(self, key: str, organization_id: str, campaign_id: str, place: int) -> None:
        """Register an organization's numbers, and have a campaign call from them."""
        for pattern in NUMBERS:
            number = pattern.format(place)
            limits = {"max_calls": self._dice.choice(MAX_CALLS), "daily_limit": self._dice.choice(DAILY_LIMITS)}
            rate = self._dice.choice(RATES)
            made = await self._register(key, {"number": number, "pools": [POOL], "calls_per_second": rate, **limits})
            self._ids[organization_id, number] = made["id"]
            now = utc_now()
            rules = (Rule(limits["max_calls"], now), Rule(limits["daily_limit"], now), Rule(True, now))
            self._truth.callers[organization_id, number] = CallerRules(*rules)
            self._truth.rates[_scope(organization_id, number)] = Rule(rate, now)
        chosen = {"caller_number_pool": POOL, "caller_number_choice": self._dice.choice(CHOICES)}
        await self._asking.certainly(key, lambda api: api.patch(f"/campaign/campaigns/{campaign_id}", chosen))

    async def _register(self, key: str, wanted: dict[str, Any]) -> Any:
        async def make(api: Api) -> Any:
            try:
                return await api.post("/campaign/caller-numbers", wanted)
            except Refused as refused:
                if refused.status != HTTPStatus.CONFLICT:
                    raise
                # The first try was heard, only its answer was lost.
                known = await api.get("/campaign/caller-numbers")
                return next(one for one in known["caller_numbers"] if one["number"] == wanted["number"])

        return await self._asking.certainly(key, make)

    async def change_one(self, key: str, organization_id: str) -> None:
        """Give one number another limit, or switch it off or on; nothing where an organization has none."""
        numbers = [number for mine, number in self._ids if mine == organization_id]
        if not numbers:
            return
        number = self._dice.choice(numbers)
        changes: list[dict[str, Any]] = [
            {"max_calls": self._dice.choice(MAX_CALLS)},
            {"daily_limit": self._dice.choice(DAILY_LIMITS)},
            {"active": self._dice.random() < 0.7},
            {"calls_per_second": self._dice.choice(RATES)},
        ]
        await self._change(key, organization_id, number, self._dice.choice(changes))

    async def lift(self, key: str, organization_id: str) -> None:
        """Take everything away that keeps calls of today from being made."""
        for mine, number in self._ids:
            if mine == organization_id:
                unlimited = dict.fromkeys(("max_calls", "daily_limit", "calls_per_second"))
                await self._change(key, mine, number, {**unlimited, "active": True})

    async def _change(self, key: str, organization_id: str, number: str, changes: dict[str, Any]) -> None:
        rules, now = self._truth.callers[organization_id, number], utc_now()
        rate = self._truth.rates[_scope(organization_id, number)]
        asked = [
            (rate if name == "calls_per_second" else getattr(rules, name)).ask(value, now)
            for name, value in changes.items()
        ]
        path = f"/campaign/caller-numbers/{self._ids[organization_id, number]}"
        await self._asking.certainly(key, lambda api: api.patch(path, changes))
        for change in asked:
            change.acknowledged_at = utc_now()


def _scope(organization_id: str, number: str) -> str:
    return f"caller number {organization_id} {number}"
