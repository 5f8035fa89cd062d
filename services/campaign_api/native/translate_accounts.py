"""Translation of telephony accounts, purely."""

from collections.abc import Sequence
from dataclasses import asdict

from services.campaign_api.native.schemas.telephony_accounts import AccountList, AccountView, CreateAccount
from shared.engine.telephony_accounts import NewTelephonyAccount, TelephonyAccount


def new_account(body: CreateAccount) -> NewTelephonyAccount:
    """The account that the body asks for."""
    return NewTelephonyAccount(**body.model_dump())


def account_view(account: TelephonyAccount) -> AccountView:
    """The account."""
    return AccountView.model_validate(asdict(account))


def account_list(accounts: Sequence[TelephonyAccount]) -> AccountList:
    """The accounts."""
    return AccountList(telephony_accounts=[account_view(account) for account in accounts])
