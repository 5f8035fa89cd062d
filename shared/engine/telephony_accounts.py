"""Telephony accounts: through which account of which carrier an organization's calls are placed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.telephony_accounts import AccountProvider
from shared.engine.engine import Engine
from shared.errors import BadSetting, Flaw
from shared.events import LimitsChanged
from shared.store.catalog import telephony_accounts as stored
from shared.store.catalog.telephony_accounts import NewAccount, TelephonyAccount

__all__ = [
    "AccountProvider",
    "NewTelephonyAccount",
    "TelephonyAccount",
    "choose_default",
    "create_account",
    "delete_account",
    "edit_account",
    "get_account",
    "list_accounts",
    "numbered_account",
    "outgoing_account",
]


@dataclass(frozen=True, slots=True)
class NewTelephonyAccount:
    """What a customer says of a new account.

    Twilio's has `account_sid`, `auth_token` and perhaps a `base_url`, which the operator must have allowed; one that
    stands for the operator's (`dialstream`) has none of them.
    """

    name: str
    provider: AccountProvider
    active: bool = True
    account_sid: str | None = None
    auth_token: str | None = None
    base_url: str | None = None
    is_default: bool = False


async def create_account(
    engine: Engine, organization_id: str, new: NewTelephonyAccount, now: datetime
) -> TelephonyAccount:
    """A new account; the first one is the default.

    Raises `Conflict` (the name is taken, too many accounts), `BadSetting` (credentials, base URL), and
    `SecretKeyMissing`: the operator has set no key to store credentials with.
    """
    given = {name: getattr(new, name) for name in ("account_sid", "auth_token", "base_url")}
    fields = _credentials(engine, new.provider, {name: value for name, value in given.items() if value is not None})
    if new.provider is AccountProvider.TWILIO:
        for name in ("account_sid", "auth_token"):
            if given[name] is None:
                raise BadSetting(Flaw.CREDENTIALS_MISSING, [name], new.provider)
    account = NewAccount(new.name, new.provider, new.active, is_default=new.is_default, **fields)
    created, shard = await stored.create_account(engine.store, organization_id, account, now)
    _tell(engine, organization_id, shard)
    return created


async def get_account(engine: Engine, organization_id: str, account_id: str) -> TelephonyAccount:
    """The organization's account by its id. Raises `NotFound`."""
    return await stored.get_account(engine.store, organization_id, account_id)


async def numbered_account(engine: Engine, organization_id: str, number: int) -> TelephonyAccount:
    """The organization's account by its number. Raises `NotFound`."""
    return await stored.numbered_account(engine.store, organization_id, number)


async def list_accounts(engine: Engine, organization_id: str) -> Sequence[TelephonyAccount]:
    """All accounts of the organization, in order of creation."""
    return await stored.list_accounts(engine.store, organization_id)


def outgoing_account(accounts: Sequence[TelephonyAccount]) -> TelephonyAccount | None:
    """The account through which calls go where nothing names another; None: through the operator's.

    The default one, or while that is switched off the oldest that is not.
    """
    active = sorted((each for each in accounts if each.active), key=lambda each: (not each.is_default, each.number))
    return active[0] if active else None


async def edit_account(
    engine: Engine, organization_id: str, account_id: str, changes: Mapping[str, Any], now: datetime
) -> TelephonyAccount:
    """The account with these of its fields changed (`name`, `active`, `account_sid`, `auth_token`, `base_url`).

    Calls follow within seconds. Raises `NotFound`, and what `create_account` raises.
    """
    before = await stored.get_account(engine.store, organization_id, account_id)
    plain = {name: changes[name] for name in ("name", "active") if name in changes}
    secret = {name: value for name, value in changes.items() if name not in plain}
    fields = {**plain, **_credentials(engine, before.provider, secret)}
    account, shard = await stored.edit_account(engine.store, organization_id, account_id, fields, now)
    _tell(engine, organization_id, shard)
    return account


async def choose_default(engine: Engine, organization_id: str, account_id: str) -> TelephonyAccount:
    """The account, which from now on places the calls for which nothing names another. Raises `NotFound`."""
    account, shard = await stored.choose_default(engine.store, organization_id, account_id)
    _tell(engine, organization_id, shard)
    return account


async def delete_account(engine: Engine, organization_id: str, account_id: str, now: datetime) -> None:
    """Remove an account and the caller numbers that belong to it.

    Raises `NotFound`, or `Conflict` while a campaign that is not over uses it, or a call through it is up.
    """
    _tell(engine, organization_id, await stored.delete_account(engine.store, organization_id, account_id, now))


def _credentials(engine: Engine, provider: AccountProvider, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of these credentials as they are stored: the token encrypted."""
    if provider is AccountProvider.DIALSTREAM and given:
        raise BadSetting(Flaw.NO_CREDENTIALS_TAKEN, [next(iter(given))], provider)
    fields = dict(given)
    if (base_url := fields.get("base_url")) is not None:
        fields["base_url"] = base_url.rstrip("/")
        if fields["base_url"] not in engine.account_base_urls:
            raise BadSetting(Flaw.BASE_URL_NOT_ALLOWED, ["base_url"], base_url)
    token = fields.pop("auth_token", None)
    return fields if token is None else {**fields, "credentials": engine.secrets.encrypt(token)}


def _tell(engine: Engine, organization_id: str, shard: int) -> None:
    engine.hints.give(LimitsChanged(organization_id=organization_id, shard=shard))
