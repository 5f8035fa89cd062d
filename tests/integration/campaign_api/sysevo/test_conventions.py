"""What this API does its own way: its two headers, the form of its refusals, its document."""

from typing import Any

import pytest

from tests.fuzzing import examples
from tests.integration.campaign_api.client import Answer, Api
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.sysevo.client import PREFIX, Client

ROUTES = 28
EXAMPLES_FOR_EACH_ROUTE = examples("SYSEVO", 10)
LARGE = b'{"name": "' + b"a" * (1024 * 1024) + b'"}'


async def document_of(api: Api) -> dict[str, Any]:
    answer = await api.call("GET", "/sysevo/openapi.json")
    found: dict[str, Any] = answer.body
    return found


async def routes(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    paths = (await document_of(api))["paths"]
    return [(method.upper(), path, one) for path, methods in paths.items() for method, one in methods.items()]


async def things_of(client: Client) -> dict[str, Any]:
    """One of everything, by the names that paths have for it."""
    config = await client.ok("POST", "/organizations/telephony-configs", {"name": "Main", "provider": "dialstream"})
    numbers = f"/organizations/telephony-configs/{config['id']}/phone-numbers"
    number = await client.ok("POST", numbers, {"address": "+14155550123"})
    campaign = await client.new_campaign()
    return {"campaign_id": campaign["id"], "number_id": number["id"], "workflow_id": 1, "config_id": config["id"]}


async def test_there_are_so_many_routes_each_below_the_prefix(every_api: Api) -> None:
    found = await routes(every_api)
    assert len(found) == ROUTES
    assert all(path.startswith("/api/v1/") for _, path, _ in found)
    assert (await document_of(every_api))["servers"] == [{"url": "/sysevo"}]


async def test_the_key_may_stand_in_either_header_and_x_api_key_wins(client: Client, every_api: Api) -> None:
    key, path = client.customer.key, f"{PREFIX}/campaign/"
    assert (await every_api.call("GET", path, key=key)).status == 200
    assert (await every_api.call("GET", path, key=key, headers={"X-API-Key": " "})).status == 200
    assert (await every_api.call("GET", path, key="nonsense", headers={"X-API-Key": key})).status == 200
    assert (await every_api.call("GET", path, key=key, headers={"X-API-Key": "nonsense"})).status == 401
    assert (await every_api.call("GET", path, headers=[("X-API-Key", key), ("X-API-Key", key)])).status == 401
    wish = {"person": "Ada", "name": "laptop", "organization_ids": [client.customer.organization_id]}
    token = (await every_api.admin("POST", "/personal-tokens", wish)).body["key"]
    named = {"X-API-Key": token, "X-Anyreach-Org": client.customer.organization_id}
    assert (await every_api.call("GET", path, headers=named)).status == 200
    assert (await every_api.call("GET", path, headers={"X-API-Key": token})).status == 401


async def test_hostile_bodies_and_paths_are_refused_in_this_apis_form(client: Client) -> None:
    async def status(raw: Any, **headers: str) -> Answer:
        return await client.call("POST", "/campaign/create", raw=raw, headers=headers)

    assert (await status(LARGE)).status == 413
    assert (await status(b"{}", **{"Content-Type": "text/plain"})).status == 415
    assert (await status(b"{}", **{"Content-Encoding": "gzip"})).status == 415
    for raw in (b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"name": "\\ud800"}', b"[" * 100_000, b'{"name":NaN}'):
        answer = await status(raw)
        assert answer.status == 422, (raw[:20], answer.raw)
        assert set(answer.body) == {"detail", "message"}
    missing = await client.get("/nothing")
    assert (missing.status, list(missing.body)) == (404, ["detail"])
    wrong = await client.call("DELETE", "/campaign/create")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET, PATCH, POST")
    assert (await client.get("/campaign/create")).status == 422, "an id that is no integer"


async def test_every_example_of_the_document_that_needs_no_things_is_taken(client: Client, every_api: Api) -> None:
    document = await document_of(every_api)
    things = await things_of(client)
    own = {"workflow_id": 1, "contacts_file_key": await client.upload()}
    sent = 0
    for method, path, one in await routes(every_api):
        body = one.get("requestBody")
        if body is None or path.endswith("/redial"):
            continue
        model = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for example in document["components"]["schemas"][model]["examples"]:
            wish = example | {name: own[name] for name in own if name in example}
            if "name" in wish and "telephony" in path:
                wish["name"] = "Another"
            answer = await client.call(method, path.format_map(things).removeprefix("/api/v1"), wish)
            assert answer.status == 200, (path, answer.raw)
            sent += 1
    assert sent == 6


@pytest.mark.parametrize("number", [2**53, 2**70, 0, -5])
async def test_numbers_beyond_all_things_are_404(client: Client, stack: Stack, number: int) -> None:
    for path in ("/workflow/fetch/{n}", "/organizations/telephony-configs/{n}", "/workflow/{n}/runs/{n}"):
        assert (await client.get(path.format(n=number))).status == 404
