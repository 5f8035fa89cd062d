"""People of the contact book while everything breaks: enrolled, given other numbers, flagged, deleted."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from deploy.demo.client import Api, Refused
from shared.clock import utc_now
from shared.domain.facts import FactType
from tests.chaos.asking import Asking
from tests.chaos.customers import Campaign, Organization
from tests.chaos.truth import NumberRules, Rule, Truth

CHANGES: Final = ("phone", "phone", "flag", "delete")


@dataclass(slots=True)
class Person:
    """One person, its contact, and the number in force."""

    id: str
    contact_id: str
    campaign_id: str
    number: str


@dataclass(frozen=True, slots=True)
class People:
    """What customers do with people: asked for with a key of theirs, and noted in the truth.

    In the truth a person's contact, which has no external id, stands under its own id.
    """

    asking: Asking
    truth: Truth
    dice: random.Random
    numbers: Iterator[str]
    known: dict[str, list[Person]] = field(default_factory=dict)

    async def enrol_one(self, organization: Organization, campaign: Campaign) -> None:
        """A new person, enrolled at once."""
        key, number = organization.who.who.key, next(self.numbers)
        external_id = f"person-{number[1:]}"
        rules = self._give(organization, campaign.id, external_id, number)

        async def make(api: Api) -> Any:
            try:
                return await api.post("/campaign/people", {"external_id": external_id, "phone": number})
            except Refused as refused:
                if refused.status != HTTPStatus.CONFLICT:
                    raise
                # The first try was heard, only its answer was lost.
                return await api.get(f"/campaign/people/{external_id}")

        person = await self.asking.certainly(key, make)
        self._must_be_told(organization, FactType.PERSON_CREATED, person["id"])
        path, wanted = f"/campaign/campaigns/{campaign.id}/people", {"people": [external_id]}
        [enrolled] = (await self.asking.certainly(key, lambda api: api.post(path, wanted)))["people"]
        rules.external_id = enrolled["contact_id"]
        self.truth.accepted.add((organization.id, enrolled["contact_id"]))
        one = Person(person["id"], enrolled["contact_id"], campaign.id, number)
        self.known.setdefault(organization.id, []).append(one)

    async def change_one(self, organization: Organization, _: Campaign) -> None:
        """Another number, or never called again, or deleted."""
        known = self.known.get(organization.id)
        if not known:
            return
        person, what = self.dice.choice(known), self.dice.choice(CHANGES)
        if what == "phone":
            await self._give_number(organization, person)
            return
        known.remove(person)
        if what == "flag":
            await self._flag(organization, person)
        else:
            await self._delete(organization, person)

    async def _give_number(self, organization: Organization, person: Person) -> None:
        old, person.number = person.number, next(self.numbers)
        self._give(organization, person.campaign_id, person.contact_id, person.number)
        gone = self.truth.numbers[organization.id, old].wanted.ask(False, utc_now())
        await self._edit(organization, person, {"phone": person.number})
        gone.acknowledged_at = utc_now()

    async def _flag(self, organization: Organization, person: Person) -> None:
        listed = self.truth.numbers[organization.id, person.number].listed.ask(True, utc_now())
        await self._edit(organization, person, {"do_not_call": True})
        listed.acknowledged_at = utc_now()
        self._must_be_told(organization, FactType.PERSON_DO_NOT_CALL, person.id)

    async def _edit(self, organization: Organization, person: Person, changes: dict[str, Any]) -> None:
        path = f"/campaign/people/{person.id}"
        await self.asking.certainly(organization.who.who.key, lambda api: api.patch(path, changes))

    async def _delete(self, organization: Organization, person: Person) -> None:
        gone = self.truth.numbers[organization.id, person.number].wanted.ask(False, utc_now())
        try:
            await self.asking.certainly(
                organization.who.who.key, lambda api: api.delete(f"/campaign/people/{person.id}")
            )
        except Refused as refused:
            # The first try was heard, only its answer was lost.
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
        gone.acknowledged_at = utc_now()
        self.truth.deleted.add((organization.id, person.contact_id))
        self._must_be_told(organization, FactType.PERSON_DELETED, person.id)

    def _give(self, organization: Organization, campaign_id: str, external_id: str, number: str) -> NumberRules:
        now = utc_now()
        rules = NumberRules(campaign_id, external_id, wanted=Rule(True, now), listed=Rule(False, now))
        self.truth.numbers[organization.id, number] = rules
        return rules

    def _must_be_told(self, organization: Organization, kind: FactType, person_id: str) -> None:
        self.truth.must_be_told.add((organization.id, kind, person_id))
