"""Conventions of this dialect: what is checked first, what is not there, lists and their filters."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from tests.integration.dialects.described import DESCRIBED, example_of, routes_of
from tests.integration.smartalex.client import PREFIX, Alex, fields_of, phone, said

NOTHING = "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21"
# The lists, with their filters.
LISTS: dict[str, Sequence[str]] = {
    "/campaigns": ("status", "agent_id"),
    "/contacts": ("status", "search", "campaign_id", "tag"),
    "/contacts/imports": (),
    "/callbacks": ("campaign_id", "view", "timezone"),
    "/calls": (
        *("agent_id", "campaign_id", "contact_id", "direction", "status", "sentiment"),
        *("from_date", "to_date", "since_hours"),
    ),
    "/agents": (),
    "/webhooks": (),
}


async def test_credential_scope_form_things_and_state_are_checked_in_this_order(alex: Alex) -> None:
    api, cancelled = alex.native.api, await alex.new_campaign(phone(1))
    await alex.post(f"/campaigns/{cancelled}/cancel")
    reader = Alex(await api.customer_of(alex.native.organization_id, ["campaigns:read"]))
    gone, here = f"/campaigns/{NOTHING}", f"/campaigns/{cancelled}"
    unknown_agent = {"agent_id": "nobody"}
    assert said(await api.call("PATCH", PREFIX + gone, body={"name": 7})) == (401, "unauthorized")
    denied = await reader.call("PATCH", gone, {"name": 7})
    assert said(denied) == (403, "forbidden")
    assert denied.headers["X-RateLimit-Limit"] == "1000000"
    assert await alex.refused("PATCH", gone, {"name": 7}) == (400, "invalid_request")
    text = await alex.call("PATCH", gone, raw=b"{}", headers={"Content-Type": "text/plain"})
    assert said(text) == (415, "invalid_request")
    assert await alex.refused("PATCH", gone, unknown_agent) == (404, "campaign_not_found")
    assert await alex.refused("PATCH", here, unknown_agent) == (404, "agent_not_found")
    assert await alex.refused("PATCH", here, {"name": "Mine"}) == (409, "campaign_not_active")
    assert await alex.refused("POST", f"{gone}/contacts", {"contacts": [{}]}) == (400, "invalid_request")
    assert await alex.refused("POST", f"{here}/contacts", {"contacts": [{}]}) == (400, "invalid_request")


async def test_each_thing_that_is_not_there_or_anothers_has_its_code(alex: Alex) -> None:
    [dialect] = [one for one in DESCRIBED if one.prefix == "/smartalex"]
    theirs = await dialect.things(await alex.native.api.new_customer())
    document = await dialect.document(alex.native)
    asked = 0
    for method, path, described in routes_of(document):
        names = re.findall(r"{(\w+)}", path)
        body = dialect.bodies.get((method, path), example_of(document, described))
        for things in (dict.fromkeys(names, NOTHING), theirs) if names else ():
            answer = await dialect.call(alex.native, method, path.format(**things), body=body)
            code = {"campaign": "campaign_not_found", "agent": "agent_not_found"}.get(names[0], "not_found")
            assert said(answer) == (404, code), (method, path)
            asked += 1
    assert asked > 40
    body = {"name": "Spring", "agent_id": theirs["agent"]}
    assert await alex.refused("POST", "/campaigns", body) == (404, "agent_not_found")


@pytest.mark.parametrize("path", LISTS)
async def test_lists_have_pages_and_ignore_what_is_empty_or_unknown(alex: Alex, path: str) -> None:
    await alex.new_campaign(phone(1))
    usual = await alex.get(path)
    assert list(usual) == ["data", "meta"]
    assert (usual["meta"]["page"], usual["meta"]["per_page"]) == (1, 20)
    empty = "&".join(f"{name}=" for name in LISTS[path])
    assert await alex.get(f"{path}?{empty}&unknown=7&unknown=x") == usual
    behind = await alex.get(f"{path}?page=1000000&per_page=100")
    assert behind == {"data": [], "meta": {**usual["meta"], "page": 1_000_000, "per_page": 100}}
    for query in ("page=0", "page=1000001", "page=x", "per_page=0", "per_page=101", "per_page=1.5"):
        answer = await alex.call("GET", f"{path}?{query}")
        assert (said(answer), fields_of(answer)) == ((400, "invalid_request"), [query.partition("=")[0]]), query
    for name in LISTS[path]:
        if name.endswith("_id") or name == "tag":
            for nothing in (NOTHING, "x", "y" * 1000):
                assert (await alex.get(f"{path}?{name}={nothing}"))["meta"]["total"] == 0, name


@pytest.mark.parametrize(
    "query",
    [
        "/campaigns?status=running",
        "/contacts?status=gone",
        "/callbacks?view=tomorrow",
        "/callbacks?timezone=Mars/Olympus",
        "/calls?status=in_progress",
        "/calls?direction=up",
        "/calls?sentiment=glad",
        "/calls?since_hours=0",
        "/calls?since_hours=8761",
        "/calls?from_date=yesterday",
        "/calls?to_date=2026-01-15T10:30:00",
        "/calls?agent_id=%00",
    ],
)
async def test_a_value_that_a_filter_cannot_have_is_named(alex: Alex, query: str) -> None:
    answer = await alex.call("GET", query)
    field = query.partition("?")[2].partition("=")[0]
    assert (said(answer), fields_of(answer)) == ((400, "invalid_request"), [field])


async def test_lists_are_newest_first(alex: Alex) -> None:
    agents = [await alex.new_agent() for _ in range(2)]
    hook: Any = {"url": "https://1.1.1.1/hooks", "event_types": ["call.failed"]}
    hooks = [(await alex.post("/webhooks", hook, 201))["id"] for _ in range(2)]
    contacts = [(await alex.post("/contacts", {"phone": phone(n)}, 201))["data"]["id"] for n in range(2)]
    for path, ids in (("/agents", agents), ("/webhooks", hooks), ("/contacts", contacts)):
        assert [row["id"] for row in (await alex.get(path))["data"]] == ids[::-1], path
