"""Telephony accounts: through which account of which carrier an organization's calls are placed.

An organization that has none calls through the operator's account, which is written as None here and in stored claims.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from shared.domain.caller_numbers import CallerNumber, NumberChoice, NumberPlan, Offer

MAX_ACCOUNTS: Final = 50  # of one organization: a claim reads them all
MAX_ACCOUNT_NAME: Final = 64


class AccountProvider(StrEnum):
    """The carrier behind an account."""

    DIALSTREAM = "dialstream"  # stands for the operator's account; has no credentials of its own
    TWILIO = "twilio"


@dataclass(frozen=True, slots=True)
class AccountInForce:
    """One account as dialing sees it. One that is not `active` places no call and answers for those that are up."""

    id: str
    number: int
    name: str
    provider: AccountProvider
    active: bool = True


@dataclass(frozen=True, slots=True)
class TelephonyAccounts:
    """An organization's accounts, by id.

    `default` places the calls for which neither a caller number nor a campaign names an account; None: the operator's.
    `default_numbers` are those of that account, for campaigns that name no number; None: it has none.
    """

    known: Mapping[str, AccountInForce] = field(default_factory=dict)
    default: str | None = None
    default_numbers: NumberPlan | None = None

    def is_off(self, account_id: str | None) -> bool:
        """Whether no call may be placed through an account: it is switched off, or not there (any more)."""
        if account_id is None:
            return False
        account = self.known.get(account_id)
        return account is None or not account.active

    def claim_fields(self, account_id: str | None) -> dict[str, Any]:
        """The fields of a claim that say through which account its call is placed; none for the operator's."""
        if account_id is None:
            return {}
        account = self.known.get(account_id)
        return {"account": account_id, "provider": account.provider if account else AccountProvider.DIALSTREAM}


NO_ACCOUNTS: Final = TelephonyAccounts()


def accounts_in_force(
    accounts: Iterable[AccountInForce], chosen: str | None, registered: Iterable[CallerNumber]
) -> TelephonyAccounts:
    """The accounts of an organization that has `chosen` a default, and these caller numbers.

    Where that one is switched off, the oldest that is active is the default, and where none is, the operator's.
    """
    known = {account.id: account for account in accounts}
    if not known:
        return NO_ACCOUNTS
    active = sorted((each for each in known.values() if each.active), key=lambda each: each.number)
    named = known.get(chosen or "")
    default = named.id if named is not None and named.active else next((each.id for each in active), None)
    numbers = plan_of_account(default, registered) if default is not None else None
    return TelephonyAccounts(MappingProxyType(known), default, numbers)


def plan_of_account(account_id: str, registered: Iterable[CallerNumber]) -> NumberPlan | None:
    """The plan of a campaign that names an account and no numbers: any of the account's that is free.

    None: the account has no number that is active.
    """
    members = [entry for entry in registered if entry.active and entry.account_id == account_id]
    offers = tuple(Offer(entry.number, entry.weight) for entry in sorted(members, key=lambda entry: entry.number))
    return NumberPlan(NumberChoice.RANDOM_FREE, offers) if offers else None
