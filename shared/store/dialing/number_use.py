"""Caller numbers inside one read or one transaction: what is registered, what is in use, and how its sums are written.

The budget of a number is `{held, day, used}`: slots, and the calls claimed on that day (UTC). A claim counts on the day
that its lock carries as `day`; what was no call is given back only while the budget still counts that day.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.caller_numbers import (
    DEFAULT_CHOICE,
    UNUSED,
    CallerNumber,
    CallerNumbers,
    ListedNumber,
    NumberChoice,
    NumberPlan,
    NumberUse,
    plan_of_list,
    plan_of_pool,
)
from shared.domain.ids import number_budget
from shared.domain.telephony_accounts import TelephonyAccounts, accounts_in_force, plan_of_account
from shared.store.catalog.caller_numbers import entry_of
from shared.store.catalog.telephony_accounts import accounts_of
from shared.store.client import Document, Store
from shared.store.documents.completing import complete
from shared.store.documents.dialing import BudgetDocument

# (organization id, number): one caller number.
OneNumber = tuple[str, str]
Registries = dict[str, dict[str, CallerNumber]]
_CHOICES: Final = {choice.value: choice for choice in NumberChoice}


def holds_number(lock: Mapping[str, Any]) -> bool:
    """Whether a claim holds a slot of its caller number."""
    return bool(lock.get("exclusive")) or lock.get("day") is not None


async def read_registries(
    store: Store, organization_ids: Collection[str], session: AsyncClientSession | None = None
) -> Registries:
    """The registered numbers of these organizations, by organization id and number, whatever their accounts are."""
    registries: Registries = {organization_id: {} for organization_id in organization_ids}
    if organization_ids:
        query = {"organization_id": {"$in": sorted(organization_ids)}}
        async for document in store["caller_numbers"].find(query, session=session):
            registries[document["organization_id"]][document["number"]] = entry_of(document)
    return registries


async def read_numbers(
    store: Store, organizations: Iterable[Mapping[str, Any]], session: AsyncClientSession | None = None
) -> tuple[Registries, dict[str, TelephonyAccounts]]:
    """The registered numbers and the telephony accounts of those of these organizations that have any.

    A number of an account that is switched off is not active. Nothing is read where nothing was set up.
    """
    with_any = {o["_id"]: o for o in organizations if has_registry(o) or o["account_count"]}
    registries = await read_registries(store, [key for key, o in with_any.items() if has_registry(o)], session)
    stored = await accounts_of(store, [key for key, o in with_any.items() if o["account_count"]], session)
    accounts: dict[str, TelephonyAccounts] = {}
    for key, found in stored.items():
        off = {account.id for account in found if not account.active}
        registries[key] = {
            number: replace(entry, active=False) if entry.account_id in off else entry
            for number, entry in registries.get(key, {}).items()
        }
        accounts[key] = accounts_in_force(found, with_any[key]["default_account_id"], registries[key].values())
    return {key: registries.get(key, {}) for key in with_any}, accounts


def has_registry(organization: Mapping[str, Any]) -> bool:
    """Whether an organization has registered any number; nothing more is read for one that has not."""
    return bool(organization["caller_number_count"])


def names_registered(campaign: Mapping[str, Any]) -> bool:
    """Whether a campaign lists registered numbers, or names a pool of them."""
    return bool(campaign["caller_numbers"] or campaign["caller_number_pool"])


def may_have_several(campaign: Mapping[str, Any]) -> bool:
    """Whether a campaign may be called from more numbers than one: its own list, a pool's or its account's."""
    return names_registered(campaign) or bool(campaign["telephony_account_id"] and not campaign["agent_number"])


def plan_of(campaign: Mapping[str, Any], registry: Mapping[str, CallerNumber]) -> NumberPlan | None:
    """The numbers that a stored campaign may call from; None where it names no number, and no account that has any."""
    if not may_have_several(campaign):
        return None
    if not names_registered(campaign):
        return plan_of_account(campaign["telephony_account_id"], registry.values())
    # A choice that this version does not know must not stop a shard.
    choice = _CHOICES.get(campaign["caller_number_choice"] or "", DEFAULT_CHOICE)
    if campaign["caller_numbers"]:
        listed = [ListedNumber(each["id"], each["weight"]) for each in campaign["caller_numbers"]]
        return plan_of_list(listed, choice, registry.values(), campaign["_id"])
    return plan_of_pool(campaign["caller_number_pool"], choice, registry.values(), campaign["_id"])


@dataclass(slots=True)
class NumbersInForce:
    """Registries, uses and turns as far as they were read, by organization id; changed by the claims made since.

    `times`: for how many calls each number with a limit of calls a second has a time, by organization id, in a claim.
    """

    registries: Registries = field(default_factory=dict)
    accounts: dict[str, TelephonyAccounts] = field(default_factory=dict)
    uses: defaultdict[str, dict[str, NumberUse]] = field(default_factory=lambda: defaultdict(dict))
    turns: dict[str, str] = field(default_factory=dict)
    times: defaultdict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    async def load_registries(
        self, store: Store, organizations: Iterable[Mapping[str, Any]], session: AsyncClientSession | None
    ) -> bool:
        """Read the numbers and accounts of these organizations that were not read; whether there were any."""
        new = [o for o in organizations if o["_id"] not in self.registries]
        registries, accounts = await read_numbers(store, new, session)
        self.registries |= registries
        self.accounts |= accounts
        return bool(registries)

    async def load_uses(self, store: Store, numbers: Collection[OneNumber], session: AsyncClientSession | None) -> None:
        """Read what these numbers have in use."""
        by_key = {number_budget(*number): number for number in numbers if number[1] not in self.uses[number[0]]}
        if not by_key:
            return
        async for budget in store["budgets"].find({"_id": {"$in": list(by_key)}}, session=session):
            organization_id, number = by_key[budget["_id"]]
            whole = complete(BudgetDocument, budget)
            self.uses[organization_id][number] = NumberUse(whole["held"], whole["day"], whole["used"])

    def of(self, organization_id: str, organization: Mapping[str, Any] | None) -> CallerNumbers:
        """An organization's numbers as rules see them; later changes of their use show in it."""
        return CallerNumbers(
            registered=self.registries.get(organization_id, {}),
            exclusive=frozenset(organization["exclusive_caller_numbers"] if organization is not None else ()),
            uses=self.uses[organization_id],
            turns=self.turns,
            times=self.times[organization_id],
        )

    def give_times(self, times: Mapping[OneNumber, int]) -> None:
        """Have the claims that follow made within these times; a number that is not among them has no limit."""
        for (organization_id, number), count in times.items():
            self.times[organization_id][number] = count

    def day_of_call(self, organization_id: str, number: str | None, now: datetime) -> str | None:
        """The day on which a call claimed at `now` counts; None where the number is not registered."""
        if number is None or number not in self.registries.get(organization_id, {}):
            return None
        return self.uses[organization_id].get(number, UNUSED).day_at(now)

    def take(self, organization_id: str, lock: Mapping[str, Any]) -> None:
        """Count a claim in the use of its number."""
        if holds_number(lock):
            uses, number = self.uses[organization_id], lock["caller_number"]
            uses[number] = uses.get(number, UNUSED).with_call(lock.get("day"))
            times = self.times[organization_id]
            if number in times:
                times[number] -= 1


@dataclass(slots=True)
class NumberSums:
    """What one transaction changes in the budgets of caller numbers, and whose turn it is."""

    held: Counter[OneNumber] = field(default_factory=Counter)
    claimed: defaultdict[OneNumber, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    returned: defaultdict[OneNumber, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def claim(self, organization_id: str, lock: Mapping[str, Any]) -> None:
        """Note a claim: it holds a slot of its number, and counts on its day."""
        if holds_number(lock):
            number = organization_id, lock["caller_number"]
            self.held[number] += 1
            if lock.get("day") is not None:
                self.claimed[number][lock["day"]] += 1

    def give_back(self, organization_id: str, lock: Mapping[str, Any], *, called: bool) -> None:
        """Note the end of a claim; one that was no call counts no more on its day."""
        if holds_number(lock):
            number = organization_id, lock["caller_number"]
            self.held[number] -= 1
            if lock.get("day") is not None and not called:
                self.returned[number][lock["day"]] += 1

    @property
    def given_back(self) -> set[OneNumber]:
        """The numbers that may make a call more on some day."""
        return {number for number, days in self.returned.items() if days}

    def applied_to(self, uses: Mapping[str, dict[str, NumberUse]]) -> None:
        """Apply what this transaction has given back so far to uses as it has read them."""
        for (organization_id, number), held in self.held.items():
            use = uses[organization_id].get(number)
            if use is None:
                continue
            returned = self.returned[organization_id, number][use.day] if use.day is not None else 0
            uses[organization_id][number] = NumberUse(use.held + held, use.day, max(0, use.used - returned))

    def writes(self) -> list[UpdateOne]:
        """The writes of all changes."""
        numbers = self.held.keys() | self.claimed.keys() | self.returned.keys()
        return [write for number in sorted(numbers) for write in self._writes(number)]

    def _writes(self, number: OneNumber) -> Iterable[UpdateOne]:
        held, claimed, returned = self.held[number], self.claimed[number], self.returned[number]
        key = number_budget(*number)
        if claimed or returned:
            yield UpdateOne({"_id": key}, [{"$set": _counted(held, claimed, returned)}], upsert=True)
        elif held:
            yield UpdateOne({"_id": key}, {"$inc": {"held": held}}, upsert=True)


def _counted(held: int, claimed: Mapping[str, int], returned: Mapping[str, int]) -> Document:
    """The fields of a budget after these claims and returns, by day, as expressions over its fields before."""
    returns = [{"$cond": [{"$eq": ["$day", day]}, count, 0]} for day, count in returned.items()]
    used: Document = {"$subtract": [{"$ifNull": ["$used", 0]}, {"$add": [0, *returns]}]}
    fields: Document = {"held": {"$add": [{"$ifNull": ["$held", 0]}, held]}}
    if not claimed:
        return {**fields, "used": used}
    # All claims of one transaction count on one day, which is never earlier than the budget's.
    day = max(claimed)
    return {**fields, "day": day, "used": {"$add": [{"$cond": [{"$eq": ["$day", day]}, used, 0]}, claimed[day]]}}
