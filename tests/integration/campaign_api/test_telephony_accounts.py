"""Telephony accounts over HTTP: made, shown without their token, chosen as default, deleted when nothing uses them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from shared.clock import utc_now
from shared.engine.calling_numbers import CallFrom, campaign_has_number, has_number_to_call_with
from shared.engine.engine import Engine
from shared.engine.file_places import file_place
from shared.engine.hints import Hints
from shared.engine.telephony_accounts import numbered_account
from shared.stored_secrets import SecretCipher
from tests.factories import add_contacts
from tests.integration.campaign_api.client import CALLABLE, Api, Customer
from tests.integration.campaign_api.conftest import Stack, serving

KEY = SecretStr("k" * 32)
ALLOWED = "https://carrier.example"
TWILIO = {"name": "Sales", "provider": "twilio", "account_sid": "AC1", "auth_token": "very-secret"}
NUMBER = "+14155550177"


@pytest.fixture
async def gateway(stack: Stack) -> AsyncIterator[Api]:
    settings = stack.settings.model_copy(update={"secret_key": KEY, "account_base_urls": ALLOWED})
    async with serving(settings, stack.store, stack.producer) as api:
        yield api


@pytest.fixture
async def customer(gateway: Api) -> Customer:
    return await gateway.new_customer(default_agent_number=None)


async def added(customer: Customer, **fields: Any) -> dict[str, Any]:
    made = await customer.post("/telephony-accounts", TWILIO | fields)
    assert made.status == 200, made.raw
    account: dict[str, Any] = made.body
    return account


async def test_an_account_is_shown_without_its_token_and_stored_encrypted(stack: Stack, customer: Customer) -> None:
    made = await added(customer)
    assert made == {
        "id": made["id"],
        "number": 1,
        "name": "Sales",
        "provider": "twilio",
        "active": True,
        "is_default": True,
        "account_sid": "AC1",
        "base_url": None,
        "numbers": 0,
        "active_numbers": 0,
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
    }
    stored = await stack.store["telephony_accounts"].find_one({"_id": made["id"]})
    assert stored is not None
    assert "very-secret" not in str(stored)
    assert SecretCipher(KEY).decrypt(stored["credentials"]) == "very-secret"
    assert (await customer.get(f"/telephony-accounts/{made['id']}")).body == made
    assert (await customer.get("/telephony-accounts")).body == {"telephony_accounts": [made]}
    engine = an_engine(stack)
    assert (await numbered_account(engine, customer.organization_id, 1)).id == made["id"]


def an_engine(stack: Stack) -> Engine:
    return Engine(stack.store, Hints(stack.producer), "api-0", file_place(stack.settings, stack.store, secret_key=None))


async def test_the_first_is_the_default_until_another_is_chosen_or_it_is_deleted(customer: Customer) -> None:
    first, second, third = [await added(customer, name=name) for name in ("One", "Two", "Three")]
    assert [each["is_default"] for each in (first, second, third)] == [True, False, False]
    chosen = await customer.post(f"/telephony-accounts/{third['id']}/default")
    assert (chosen.status, chosen.body["is_default"]) == (200, True)
    fourth = await added(customer, name="Four", is_default=True)
    assert (await customer.call("DELETE", f"/telephony-accounts/{fourth['id']}")).status == 200
    listed = (await customer.get("/telephony-accounts")).body["telephony_accounts"]
    assert [(each["number"], each["is_default"]) for each in listed] == [(1, True), (2, False), (3, False)]
    assert (await added(customer, name="Five"))["number"] == 5, "a number is never given again"


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"account_sid": None}, "account_sid"),
        ({"auth_token": None}, "auth_token"),
        ({"base_url": "http://169.254.169.254"}, "base_url"),
        ({"base_url": f"{ALLOWED}.evil.example"}, "base_url"),
        ({"provider": "dialstream"}, "account_sid"),
        ({"provider": "vonage"}, "provider"),
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"auth_token": "with a blank"}, "auth_token"),
        ({"account_sid": "AC/../x"}, "account_sid"),
    ],
)
async def test_an_account_that_cannot_work_is_refused_at_its_field(
    customer: Customer, body: dict[str, Any], loc: str
) -> None:
    answer = await customer.post("/telephony-accounts", TWILIO | body)
    assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", loc])
    assert "very-secret" not in answer.raw.decode()


async def test_a_base_url_that_the_operator_allows_is_taken_and_cleared(customer: Customer) -> None:
    made = await added(customer, base_url=f"{ALLOWED}/")
    assert made["base_url"] == ALLOWED
    path = f"/telephony-accounts/{made['id']}"
    changed = await customer.call("PATCH", path, {"base_url": None, "active": False, "name": "North"})
    assert (changed.body["base_url"], changed.body["active"], changed.body["name"]) == (None, False, "North")
    refused = await customer.call("PATCH", path, {"auth_token": None})
    assert refused.status == 422


async def test_a_name_is_taken_once_in_an_organization(customer: Customer, gateway: Api) -> None:
    await added(customer)
    other = await added(customer, name="Other")
    assert (await customer.post("/telephony-accounts", TWILIO)).status == 409
    assert (await customer.call("PATCH", f"/telephony-accounts/{other['id']}", {"name": "Sales"})).status == 409
    await added(await gateway.new_customer())


async def test_an_account_in_use_is_not_deleted_and_its_numbers_go_with_it(stack: Stack, customer: Customer) -> None:
    account = await added(customer)
    path, named = f"/telephony-accounts/{account['id']}", {"telephony_account_id": account["id"]}
    number = (await customer.post("/caller-numbers", {"number": NUMBER, "max_calls": 1, **named})).body
    assert (number["telephony_account_id"], number["serial"]) == (account["id"], 1)
    assert (await customer.get(path)).body["numbers"] == 1
    of_account = await customer.get(f"/caller-numbers?telephony_account={account['id']}")
    assert [each["id"] for each in of_account.body["caller_numbers"]] == [number["id"]]
    campaign = await customer.new_campaign(**named)
    assert campaign["telephony_account_id"] == account["id"]
    answer = await customer.call("DELETE", path)
    assert (answer.status, campaign["id"] in answer.body["detail"]) == (409, True)
    cleared = await customer.call("PATCH", f"/campaigns/{campaign['id']}", {"telephony_account_id": None})
    assert cleared.body["telephony_account_id"] is None
    by_number = await customer.new_campaign(caller_numbers=[{"id": number["id"]}])
    assert (await customer.call("DELETE", path)).status == 409
    await customer.post(f"/campaigns/{by_number['id']}/close")
    organization = await stack.store["organizations"].find_one({"_id": customer.organization_id})
    stored = await stack.store["campaigns"].find_one({"_id": campaign["id"]})
    assert organization is not None
    [contact] = await add_contacts(stack.store, organization, stored, 1)
    lock = {"attempt": "a", "claim": "c", "phone": NUMBER, "account": account["id"], "expires_at": utc_now()}
    await stack.store["contacts"].update_one({"_id": contact["_id"]}, {"$set": {"lock": lock}})
    assert "call through" in (await customer.call("DELETE", path)).body["detail"]
    await stack.store["contacts"].delete_one({"_id": contact["_id"]})
    assert (await customer.call("DELETE", path)).status == 200
    assert (await customer.get("/caller-numbers")).body["caller_numbers"] == []
    assert (await customer.get("/telephony-accounts")).body["telephony_accounts"] == []


async def test_whether_a_campaign_has_any_number_is_one_question(stack: Stack, customer: Customer) -> None:
    engine, account = an_engine(stack), await added(customer)
    organization_id, settings = customer.organization_id, {k: v for k, v in CALLABLE.items() if k != "agent_number"}
    configuration_id = await customer.new_configuration(**settings)
    campaign = await customer.new_campaign(configuration_id=configuration_id)

    async def asked() -> tuple[bool, bool, bool]:
        return (
            await has_number_to_call_with(engine, organization_id, CallFrom()),
            await has_number_to_call_with(engine, organization_id, CallFrom(telephony_account_id=account["id"])),
            await campaign_has_number(engine, organization_id, campaign["id"]),
        )

    assert await asked() == (False, False, False)
    assert await has_number_to_call_with(engine, organization_id, CallFrom(agent_number=NUMBER))
    body = {"number": NUMBER, "telephony_account_id": account["id"]}
    number = (await customer.post("/caller-numbers", body)).body
    assert await asked() == (True, True, True)
    by_list = CallFrom(caller_numbers=[{"id": number["id"]}])
    assert await has_number_to_call_with(engine, organization_id, by_list)
    await customer.call("PATCH", f"/telephony-accounts/{account['id']}", {"active": False})
    assert await asked() == (False, False, False)
    assert not await has_number_to_call_with(engine, organization_id, by_list)


async def test_without_a_key_no_credentials_are_stored(stack: Stack) -> None:
    settings = stack.settings.model_copy(update={"secret_key": None})
    async with serving(settings, stack.store, stack.producer) as api:
        customer = await api.new_customer()
        refused = await customer.post("/telephony-accounts", TWILIO)
        assert (refused.status, "DIALSTREAM_SECRET_KEY" in refused.body["detail"]) == (409, True)
        ours = {"name": "Ours", "provider": "dialstream"}
        assert (await customer.post("/telephony-accounts", ours)).status == 200
