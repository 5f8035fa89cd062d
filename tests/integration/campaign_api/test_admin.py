from typing import Any

import pytest

from shared.clock import utc_now
from tests.integration.campaign_api.client import ADMIN_TOKEN, Api, Customer, unique
from tests.integration.campaign_api.conftest import Stack

SOME_ID = "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21"


async def test_an_organization_is_created_listed_and_changed(api: Api) -> None:
    name = unique("Acme")
    await api.admin("POST", "/organizations", {"name": "An older one"})
    made = (await api.admin("POST", "/organizations", {"name": name})).body
    assert made["name"] == name
    assert made["default_agent_number"] is None
    listed = (await api.admin("GET", "/organizations?limit=1")).body
    assert listed["organizations"] == [made]
    assert listed["next_cursor"]
    changed = await api.admin("PATCH", f"/organizations/{made['id']}", {"default_agent_number": "+14155550100"})
    assert changed.body == {**made, "default_agent_number": "+14155550100"}
    cleared = await api.admin("PATCH", f"/organizations/{made['id']}", {"default_agent_number": None})
    assert cleared.body == made


async def test_an_organization_may_be_created_with_its_caller_numbers(api: Api) -> None:
    wish = {"name": "A", "default_agent_number": "+14155550100", "exclusive_caller_numbers": ["+14155550100"]}
    made = await api.admin("POST", "/organizations", wish)
    assert made.body.items() >= wish.items()


async def test_an_organization_may_refuse_costly_types_of_numbers(api: Api) -> None:
    made = (await api.admin("POST", "/organizations", {"name": "A"})).body
    assert made["refused_number_types"] == []
    wish = {"name": "B", "refused_number_types": ["satellite", "premium_rate", "satellite"]}
    other = (await api.admin("POST", "/organizations", wish)).body
    assert other["refused_number_types"] == ["satellite", "premium_rate"]
    changed = await api.admin("PATCH", f"/organizations/{made['id']}", {"refused_number_types": ["shared_cost"]})
    assert changed.body == {**made, "refused_number_types": ["shared_cost"]}
    listed = (await api.admin("GET", "/organizations?limit=2")).body["organizations"]
    assert listed == [other, changed.body]
    cleared = await api.admin("PATCH", f"/organizations/{made['id']}", {"refused_number_types": []})
    assert cleared.body == made
    for bad in (None, ["toll_free"], "satellite"):
        answer = await api.admin("PATCH", f"/organizations/{made['id']}", {"refused_number_types": bad})
        assert answer.status == 422


async def test_an_organization_stored_without_the_setting_refuses_nothing(api: Api, stack: Stack) -> None:
    made = (await api.admin("POST", "/organizations", {"name": "A"})).body
    await stack.store["organizations"].update_one({"_id": made["id"]}, {"$unset": {"refused_number_types": ""}})
    assert (await api.admin("GET", "/organizations?limit=1")).body["organizations"] == [made]


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": 7}, {"name": "A", "x": 1}, {"name": "A", "default_agent_number": "4155550100"}, []],
)
async def test_a_bad_organization_is_422(api: Api, body: Any) -> None:
    assert (await api.admin("POST", "/organizations", body)).status == 422


async def test_changing_an_unknown_organization_is_404_and_its_name_cannot_be_null(api: Api) -> None:
    assert (await api.admin("PATCH", f"/organizations/{SOME_ID}", {"name": "A"})).status == 404
    assert (await api.admin("PATCH", f"/organizations/{SOME_ID}", {"name": None})).status == 422


async def test_a_key_manages_all_and_reads_what_was_said_unless_told_otherwise(acme: Customer) -> None:
    wish = {"organization_id": acme.organization_id, "name": "production"}
    made = (await acme.api.admin("POST", "/organization-pats", wish)).body
    assert made["scopes"] == ["campaigns:manage", "concurrency:manage", "conversations:read_sensitive"]
    assert made["expires_at"] is None
    assert made["key"].startswith(f"ak_{made['id']}.")
    listed = (await acme.api.admin("GET", "/organization-pats?limit=1")).body["organization_pats"]
    assert listed == [{name: value for name, value in made.items() if name != "key"}]


async def test_a_personal_token_is_created_listed_and_deleted(acme: Customer) -> None:
    expires_at = int(utc_now().timestamp() * 1000) + 60_000
    wish = {
        "person": "ada@example.com",
        "organization_ids": [acme.organization_id],
        "name": "laptop",
        "scopes": ["campaigns:read"],
        "expires_at": expires_at,
    }
    made = (await acme.api.admin("POST", "/personal-tokens", wish)).body
    assert made["key"].startswith(f"pat_{made['id']}.")
    assert made.items() >= wish.items()
    listed = (await acme.api.admin("GET", "/personal-tokens?limit=1")).body["personal_tokens"]
    assert listed == [{name: value for name, value in made.items() if name != "key"}]
    assert (await acme.api.admin("DELETE", f"/organization-pats/{made['id']}")).status == 404
    assert (await acme.api.admin("DELETE", f"/personal-tokens/{made['id']}")).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"scopes": []}, id="no scopes"),
        pytest.param({"scopes": ["campaigns:destroy"]}, id="unknown scope"),
        pytest.param({"scopes": "campaigns:read"}, id="not a list"),
        pytest.param({"expires_at": 1}, id="past"),
        pytest.param({"expires_at": "2030-01-01T00:00:00Z"}, id="not epoch ms"),
        pytest.param({"expires_at": 10**30}, id="beyond time"),
        pytest.param({"expires_at": True}, id="a boolean"),
        pytest.param({"name": None}, id="no name"),
    ],
)
async def test_a_bad_key_is_422(acme: Customer, fields: dict[str, Any]) -> None:
    body = {"organization_id": acme.organization_id, "name": "k", **fields}
    assert (await acme.api.admin("POST", "/organization-pats", body)).status == 422


async def test_keys_for_unknown_organizations_are_404(acme: Customer) -> None:
    body: dict[str, Any] = {"organization_id": SOME_ID, "name": "k"}
    assert (await acme.api.admin("POST", "/organization-pats", body)).status == 404
    body = {"organization_ids": [acme.organization_id, SOME_ID], "person": "ada", "name": "k"}
    assert (await acme.api.admin("POST", "/personal-tokens", body)).status == 404


async def test_only_the_admin_token_opens_admin_and_it_opens_nothing_else(acme: Customer) -> None:
    assert (await acme.api.call("GET", "/admin/organizations", key=acme.key)).status == 401
    assert (await acme.api.call("GET", "/admin/organizations")).status == 401
    assert (await acme.api.call("GET", "/admin/organizations", key=ADMIN_TOKEN + "x")).status == 401
    assert (await acme.api.call("GET", "/campaign/campaigns", key=ADMIN_TOKEN)).status == 401
