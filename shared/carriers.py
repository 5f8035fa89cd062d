"""The carriers that calls go through: the operator's, and one for each account of a customer's own, made when needed.

What is known of an account is read again after FRESH_SECONDS, so changed credentials hold within seconds; one that is
switched off goes on answering for the calls that are up. Not safe for several event loops.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from shared.cancelling import cancel
from shared.clock import monotonic
from shared.domain.refusal import Refusal, RefusalSubject
from shared.domain.telephony_accounts import AccountProvider
from shared.errors import SecretKeyMissing, SecretUnreadable, TemporaryError
from shared.settings import TelephonySettings
from shared.store.catalog.telephony_accounts import StoredAccount, credentials_of
from shared.store.client import Store
from shared.stored_secrets import SecretCipher
from shared.telephony.provider import TelephonyProvider
from shared.telephony.providers import provider_of_account

FRESH_SECONDS: Final = 3.0
# Requests through a provider that was replaced are over by then: no question to a carrier lasts longer.
LEAVE_SECONDS: Final = 60.0


class AccountUnusable(TemporaryError):
    """No call can be placed or looked up through an account as it is stored, or as this process is set up.

    `refusal` has it rest like an account that its carrier refuses.
    """

    @property
    def refusal(self) -> Refusal:
        """What rests."""
        return Refusal(subject=RefusalSubject.ACCOUNT, message=str(self))


@dataclass(slots=True)
class _Known:
    """One account as it was last read; `provider` is made when it is first asked for."""

    account: StoredAccount
    read_at: float
    provider: TelephonyProvider | None = None


@dataclass(slots=True)
class Carriers:
    """The providers of this process. Order: `start`, then `learn` before each `of`, then `close`.

    `operator` None: the settings name no account of the operator's.
    """

    store: Store
    settings: TelephonySettings
    secrets: SecretCipher
    operator: TelephonyProvider | None
    _known: dict[str, _Known] = field(default_factory=dict)
    _missing: dict[str, float] = field(default_factory=dict)
    _leaving: dict[asyncio.Task[None], TelephonyProvider] = field(default_factory=dict)

    async def start(self) -> None:
        """Start the operator's provider."""
        if self.operator is not None:
            await self.operator.start()

    async def close(self) -> None:
        """Close all providers. Safe to call twice."""
        leaving, self._leaving = self._leaving, {}
        for task in leaving:
            cancel(task)
        await asyncio.gather(*leaving, return_exceptions=True)
        made = [known.provider for known in self._known.values() if known.provider is not None]
        self._known.clear()
        for provider in (*leaving.values(), *made):
            await provider.close()
        if self.operator is not None:
            await self.operator.close()

    @property
    def of_operator(self) -> TelephonyProvider:
        """The operator's provider. Raises `AccountUnusable` where the settings name no account."""
        if self.operator is None:
            raise AccountUnusable("this process has no DIALSTREAM_TWILIO_ACCOUNT_SID to speak to the carrier with")
        return self.operator

    async def learn(self, account_ids: Collection[str | None]) -> None:
        """Read those of these accounts of which nothing fresh is known; None, the operator's, costs nothing.

        Raises `Unavailable` when MongoDB is away.
        """
        oldest = monotonic() - FRESH_SECONDS
        stale = {key for key in account_ids if key is not None and self._read_at(key) < oldest}
        if not stale:
            return
        read_at = monotonic()
        found = {account.id: account for account in await credentials_of(self.store, stale)}
        self._missing = {key: at for key, at in self._missing.items() if at >= oldest}
        self._missing |= dict.fromkeys(stale - found.keys(), read_at)
        for account_id in stale:
            self._take_over(account_id, found.get(account_id), read_at)

    async def of(self, account_id: str | None, organization_id: str) -> TelephonyProvider:
        """The provider of an account that was learned, started; the operator's for None.

        Raises `AccountUnusable`: the organization has no such account, its credentials cannot be read, or the operator
        allows its base URL no more.
        """
        if account_id is None:
            return self.of_operator
        known = self._found(account_id, organization_id)
        if known.account.provider is AccountProvider.DIALSTREAM:
            return self.of_operator
        if known.provider is None:
            made = self._made(known.account)
            await made.start()
            if known.provider is not None:
                await made.close()
                return known.provider
            known.provider = made
        return known.provider

    def token_of(self, account_id: str, organization_id: str) -> str:
        """The token that signs the callbacks of an account that was learned; never empty. Raises `AccountUnusable`."""
        account = self._found(account_id, organization_id).account
        if account.provider is AccountProvider.DIALSTREAM:
            token = self.settings.twilio_auth_token.get_secret_value()
        else:
            token = self._decrypted(account)
        if not token:
            raise AccountUnusable("there is no token to check signatures with")
        return token

    def _read_at(self, account_id: str) -> float:
        known = self._known.get(account_id)
        return known.read_at if known is not None else self._missing.get(account_id, float("-inf"))

    def _found(self, account_id: str, organization_id: str) -> _Known:
        known = self._known.get(account_id)
        if known is None or known.account.organization_id != organization_id:
            raise AccountUnusable("the organization has no such telephony account")
        return known

    def _take_over(self, account_id: str, account: StoredAccount | None, read_at: float) -> None:
        known = self._known.get(account_id)
        if known is not None and known.account == account:
            known.read_at = read_at
            return
        if known is not None and known.provider is not None:
            task = asyncio.create_task(_leave(known.provider), name="carrier replaced")
            self._leaving[task] = known.provider
            task.add_done_callback(lambda done: self._leaving.pop(done, None))
        if account is None:
            self._known.pop(account_id, None)
        else:
            self._known[account_id] = _Known(account, read_at)

    def _made(self, account: StoredAccount) -> TelephonyProvider:
        if account.provider is not AccountProvider.TWILIO or not account.account_sid:
            raise AccountUnusable("this version does not know the account's carrier, or its account_sid is missing")
        if account.base_url is not None and account.base_url not in self.settings.allowed_base_urls:
            raise AccountUnusable("DIALSTREAM_ACCOUNT_BASE_URLS does not name the account's base URL (any more)")
        return provider_of_account(self.settings, account.account_sid, self._decrypted(account), account.base_url)

    def _decrypted(self, account: StoredAccount) -> str:
        if account.credentials is None:
            raise AccountUnusable("the account has no credentials")
        try:
            return self.secrets.decrypt(account.credentials)
        except (SecretKeyMissing, SecretUnreadable) as error:
            raise AccountUnusable(f"its credentials cannot be read: {error}") from error


async def _leave(provider: TelephonyProvider) -> None:
    """Close a provider once the requests through it are over."""
    await asyncio.sleep(LEAVE_SECONDS)
    await provider.close()
