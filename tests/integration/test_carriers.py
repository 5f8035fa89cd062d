"""The carriers of one process: made for an account when needed, anew when it changes, refused where it is amiss."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from shared import carriers
from shared.carriers import AccountUnusable, Carriers
from shared.clock import utc_now
from shared.domain.telephony_accounts import AccountProvider
from shared.settings import TelephonySettings
from shared.store.catalog.telephony_accounts import NewAccount, create_account, edit_account
from shared.store.client import Store
from shared.store.dialing.starts import MODE_OF_ACCOUNTS
from shared.stored_secrets import SecretCipher
from shared.telephony.provider import CallMode
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import ScriptedCall, always
from shared.telephony.twilio import TwilioProvider
from tests.factories import add_organization, new_id

CIPHER = SecretCipher(SecretStr("k" * 32))
ELSEWHERE = "https://carrier.example"
NEW = NewAccount("Own", AccountProvider.TWILIO, account_sid="AC1", credentials=CIPHER.encrypt("token"))


def of_process(store: Store, cipher: SecretCipher = CIPHER, **settings: Any) -> Carriers:
    known = TelephonySettings(twilio_auth_token=SecretStr("operators"), **settings)
    return Carriers(store, known, cipher, ScriptedProvider(always(ScriptedCall()), lambda _: None))


@pytest.fixture
async def organization_id(store: Store) -> str:
    return str((await add_organization(store))["_id"])


@pytest.fixture(autouse=True)
def _always_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriers, "FRESH_SECONDS", -1.0)


async def test_an_account_has_a_provider_of_its_own_until_it_changes(store: Store, organization_id: str) -> None:
    made, _ = await create_account(store, organization_id, NEW, utc_now())
    its = of_process(store)
    await its.learn({made.id, None})
    first = await its.of(made.id, organization_id)
    assert isinstance(first, TwilioProvider)
    assert (first.settings.twilio_account_sid, its.token_of(made.id, organization_id)) == ("AC1", "token")
    assert first.mode is CallMode.CALLBACK
    await its.learn({made.id})
    assert await its.of(made.id, organization_id) is first
    # Switched off it goes on answering for the calls that are up; and changed credentials are heeded.
    changes = {"active": False, "credentials": CIPHER.encrypt("another")}
    await edit_account(store, organization_id, made.id, changes, utc_now())
    await its.learn({made.id})
    second = await its.of(made.id, organization_id)
    assert isinstance(second, TwilioProvider)
    assert second.settings.twilio_auth_token.get_secret_value() == "another"
    assert await its.of(None, organization_id) is its.operator
    await its.close()


async def test_an_account_that_stands_for_the_operators_is_the_operators(store: Store, organization_id: str) -> None:
    new = NewAccount("Theirs", AccountProvider.DIALSTREAM)
    made, _ = await create_account(store, organization_id, new, utc_now())
    its = of_process(store)
    await its.learn({made.id})
    assert await its.of(made.id, organization_id) is its.operator
    assert its.token_of(made.id, organization_id) == "operators"


@pytest.mark.parametrize(
    ("new", "cipher", "settings", "said"),
    [
        (NEW, SecretCipher(None), {}, "DIALSTREAM_SECRET_KEY is not set"),
        (NEW, SecretCipher(SecretStr("another" * 8)), {}, "at the end of DIALSTREAM_SECRET_KEY"),
        (replace(NEW, base_url=ELSEWHERE), CIPHER, {}, "DIALSTREAM_ACCOUNT_BASE_URLS"),
        (replace(NEW, credentials=None), CIPHER, {}, "no credentials"),
        (replace(NEW, base_url=ELSEWHERE), CIPHER, {"account_base_urls": f" {ELSEWHERE}/ "}, None),
    ],
)
async def test_what_is_amiss_is_said_and_rests_the_account(
    store: Store,
    organization_id: str,
    new: NewAccount,
    cipher: SecretCipher,
    settings: dict[str, str],
    said: str | None,
) -> None:
    made, _ = await create_account(store, organization_id, new, utc_now())
    its = of_process(store, cipher, **settings)
    await its.learn({made.id})
    if said is None:
        assert isinstance(await its.of(made.id, organization_id), TwilioProvider)
        await its.close()
        return
    with pytest.raises(AccountUnusable, match=said) as error:
        await its.of(made.id, organization_id)
    assert error.value.refusal.subject == "account"


async def test_the_account_of_another_organization_is_none(store: Store, organization_id: str) -> None:
    made, _ = await create_account(store, organization_id, NEW, utc_now())
    its = of_process(store)
    await its.learn({made.id, "unknown"})
    for account_id, whose in ((made.id, new_id()), ("unknown", organization_id)):
        with pytest.raises(AccountUnusable, match="no such telephony account"):
            await its.of(account_id, whose)
        with pytest.raises(AccountUnusable):
            its.token_of(account_id, whose)


def test_the_store_and_the_carriers_mean_the_same_mode() -> None:
    assert CallMode.CALLBACK.value == MODE_OF_ACCOUNTS
