"""The forms of requests: ids, numbers, the order of checks, limits; and what other APIs have made."""

import re
from typing import Any

import pytest

from tests.integration.campaign_api.client import Api
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.sysevo.client import LIST, Client
from tests.integration.campaign_api.sysevo.test_campaigns import CREATE, SLOT, stand
from tests.integration.campaign_api.sysevo.test_conventions import document_of, routes, things_of
from tests.integration.dialects.described import example_of

CONFIGS = "/organizations/telephony-configs"


@pytest.mark.parametrize("path", ["/campaign/1/", "/workflow/fetch/", f"{CONFIGS}/", "//campaign", "/campaign//1"])
async def test_nothing_is_redirected(client: Client, path: str) -> None:
    await client.new_campaign()
    assert (await client.get(path)).status in {404, 422}


async def test_every_id_in_a_path_is_an_integer_and_that_of_nobody_is_not_found(client: Client, every_api: Api) -> None:
    document, things = await document_of(every_api), {**await things_of(client), "run_id": 1}
    asked = 0
    for method, path, one in await routes(every_api):
        for name in re.findall(r"{(\w+)}", path):
            body = example_of(document, one)
            for value, status in (("x", 422), ("1.5", 422), ("0", 404), ("-1", 404), (str(2**60), 404)):
                there = path.format_map({**things, name: value}).removeprefix("/api/v1")
                answer = await client.call(method, there, body)
                assert answer.status == status, (method, there, answer.raw)
                if status == 422:
                    assert [bad["loc"] for bad in answer.body["detail"]] == [["path", name]]
                asked += 1
    assert asked >= 5 * 20


@pytest.mark.parametrize("five", [5, 5.0, "5", "5.0"])
async def test_a_whole_number_may_come_in_three_spellings(client: Client, five: Any) -> None:
    made = await client.new_campaign(max_concurrency=five)
    assert made["max_concurrency"] == 5
    page = await client.ok("GET", f"/campaign/{made['id']}/runs?limit={five}&page={10**30}")
    assert (page["limit"], page["page"], page["runs"]) == (5, 10**30, []), "a page beyond the end is empty"


async def test_null_is_the_same_as_leaving_a_field_out(client: Client) -> None:
    names = ("calling_hours", "schedule_config", "retry_config", "circuit_breaker", "rate_limit_per_second")
    nulls: dict[str, Any] = dict.fromkeys((*names, "source_type"))
    usual, made = await client.new_campaign(), await client.new_campaign(**nulls)
    assert {name: made[name] for name in names} == {name: usual[name] for name in names}
    same = await client.upload()
    both = await client.new_campaign(contacts_file_key=same, source_id=same)
    assert both["source_id"] == both["contacts_file_key"] == same


@pytest.mark.parametrize(
    ("body", "places"),
    [
        (
            {"name": "", "source_id": "a", "retry_config": {"max_retries": -1, "retry_delay_seconds": 3601}},
            ["name", "workflow_id", "source_type", "max_retries", "retry_delay_seconds"],
        ),
        (
            {"contacts_file_key": "a", "calling_hours": {"slots": [SLOT, SLOT]}, "schedule_config": {"slots": [SLOT]}},
            ["name", "workflow_id", "max_concurrency", "schedule_config"],
        ),
        (
            {
                **CREATE,
                "circuit_breaker": {"failure_threshold": -0.1, "window_seconds": 601, "min_calls_in_window": 101},
            },
            ["failure_threshold", "window_seconds", "min_calls_in_window"],
        ),
    ],
)
async def test_rules_about_several_fields_are_told_with_all_the_others(
    client: Client, body: dict[str, Any], places: list[str]
) -> None:
    answer = await client.post("/campaign/create", body)
    assert (answer.status, [one["loc"][-1] for one in answer.body["detail"]]) == (422, places)


async def test_path_and_body_are_told_together(client: Client) -> None:
    answer = await client.patch("/campaign/x", {"name": "", "max_concurrency": 0})
    assert answer.status == 422
    places = [["path", "campaign_id"], ["body", "name"], ["body", "max_concurrency"]]
    assert [one["loc"] for one in answer.body["detail"]] == places


async def test_scope_then_form_then_existence_then_state(client: Client, every_api: Api, stack: Stack) -> None:
    campaign = await client.new_campaign()
    path = f"/campaign/{campaign['id']}"
    await stand(stack, campaign, "completed")
    reader = Client(await every_api.customer_of(client.customer.organization_id, ["campaigns:read"]))
    slot = {"day": 1, "start": "09:00", "end": "10:00"}
    malformed: list[Any] = [
        {"name": ""},
        {"calling_hours": {"slots": [slot]}, "schedule_config": {"slots": [{**slot, "day": 2}]}},
    ]
    for body in malformed:
        assert (await reader.patch(path, body)).status == 403
        assert (await client.patch("/campaign/99", body)).status == 422
        assert (await client.patch(path, body)).status == 422
    assert (await client.patch("/campaign/99", {"name": "July"})).status == 404
    refused = await client.patch(path, {"name": "July"})
    assert (refused.status, "completed" in refused.body["detail"]) == (400, True)
    assert (await client.post("/campaign/create", {**CREATE, "workflow_id": 99})).status == 404, "before the file"
    wish = {**CREATE, "workflow_id": campaign["workflow_id"], "telephony_configuration_id": 99}
    answer = await client.post("/campaign/create", wish)
    assert answer.body == {"detail": "telephony_configuration_not_found"}, "before the file"


async def test_a_limit_on_requests_is_told_in_this_apis_form(client: Client, every_api: Api) -> None:
    upload = await client.ok("POST", "/s3/presigned-upload-url", {"file_name": "a.csv"})
    organization = client.customer.organization_id
    wish = {"organization_id": organization, "name": "small", "request_limits": "2/hour"}
    key = (await every_api.admin("POST", "/organization-pats", wish)).body["key"]
    answers = [await every_api.call("GET", "/sysevo/api/v1/campaign/", headers={"X-API-Key": key}) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert (list(answers[2].body), int(answers[2].headers["Retry-After"]) > 0) == (["detail"], True)
    for _ in range(3):
        assert (await client.put(upload["upload_url"], LIST.encode(), {"X-API-Key": key})).status == 200


async def test_what_another_api_has_made_has_an_integer_id_here_that_is_given_once(client: Client) -> None:
    native = client.customer
    agent = (await native.post("/agents", {"name": "Ours"})).body
    account = (await native.post("/telephony-accounts", {"name": "Ours", "provider": "dialstream"})).body
    number = {"number": "+14155550188", "telephony_account_id": account["id"]}
    assert (await native.post("/caller-numbers", number)).status == 200
    assert await client.ok("GET", "/workflow/summary") == [{"id": 1, "name": "Ours"}]
    assert (await client.ok("GET", "/workflow/fetch/1"))["workflow_uuid"] == agent["id"]
    [config] = (await client.ok("GET", CONFIGS))["configurations"]
    assert (config["id"], config["name"], config["phone_number_count"]) == (1, "Ours", 1)
    [shown] = (await client.ok("GET", f"{CONFIGS}/1/phone-numbers"))["phone_numbers"]
    assert (shown["id"], shown["address"]) == (1, "+14155550188")
    assert (await client.ok("DELETE", f"{CONFIGS}/1/phone-numbers/1"))["message"]
    assert (await client.ok("DELETE", f"{CONFIGS}/1"))["message"]
    again = await client.ok("POST", CONFIGS, {"name": "Ours", "provider": "dialstream"})
    assert again["id"] == 2
    assert (await client.ok("POST", f"{CONFIGS}/2/phone-numbers", {"address": "+14155550188"}))["id"] == 2


async def test_credentials_of_a_carrier_are_never_shown_and_a_missing_one_has_its_place(client: Client) -> None:
    config = {"provider": "twilio", "account_sid": "AC1", "auth_token": "very-secret", "from_numbers": ["ignored"]}
    made = await client.call("POST", CONFIGS, {"name": "Twilio", "config": config})
    assert (made.status, made.body["provider"], made.body["credentials"]) == (200, "twilio", {"account_sid": "AC1"})
    for path in (CONFIGS, f"{CONFIGS}/{made.body['id']}"):
        assert b"very-secret" not in (await client.get(path)).raw + made.raw
    missing = await client.post(CONFIGS, {"name": "Another", "config": {"provider": "twilio", "account_sid": "AC1"}})
    assert (missing.status, missing.body["detail"][0]["loc"]) == (422, ["body", "config", "auth_token"])


async def test_a_configuration_that_is_switched_off_is_not_called_through(client: Client) -> None:
    native = client.customer
    accounts = [
        (await native.post("/telephony-accounts", {"name": name, "provider": "dialstream"})).body for name in ("A", "B")
    ]
    for account, number in zip(accounts, ("+14155550188", "+14155550189"), strict=True):
        await native.post("/caller-numbers", {"number": number, "telephony_account_id": account["id"]})
    assert (await client.new_campaign())["telephony_configuration_id"] == 1, "the default one"
    assert (await native.patch(f"/telephony-accounts/{accounts[0]['id']}", {"active": False})).status == 200
    assert (await client.new_campaign())["telephony_configuration_id"] == 2, "else the oldest that is active"
    wish = {**CREATE, "workflow_id": await client.new_workflow(), "telephony_configuration_id": 1}
    answer = await client.post("/campaign/create", wish)
    assert (answer.status, answer.body) == (400, {"detail": "telephony_configuration_not_found"})
    await native.patch(f"/telephony-accounts/{accounts[1]['id']}", {"active": False})
    shown = await client.new_campaign()
    assert shown["telephony_configuration_id"] is None, "else the organization's own number"
