from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.campaign_api.client import ADMIN_TOKEN, Api, Customer
from tests.integration.campaign_api.conftest import Stack

READ, MANAGE = "campaigns:read", "campaigns:manage"
LIMIT_READ, LIMIT_MANAGE = "concurrency:read", "concurrency:manage"
ALL_SCOPES = [READ, MANAGE, LIMIT_READ, LIMIT_MANAGE]
SENSITIVE = "conversations:read_sensitive"
SOME_ID = "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21"
READS, WRITES = {READ, MANAGE}, {MANAGE}
ROUTES: list[tuple[str, str, set[str]]] = [
    ("POST", "/campaigns", WRITES),
    ("GET", "/campaigns", READS),
    ("GET", f"/campaigns/{SOME_ID}", READS),
    ("PATCH", f"/campaigns/{SOME_ID}", WRITES),
    ("DELETE", f"/campaigns/{SOME_ID}", WRITES),
    ("GET", f"/campaigns/{SOME_ID}/configuration", READS),
    ("PATCH", f"/campaigns/{SOME_ID}/configuration", WRITES),
    ("GET", f"/campaigns/{SOME_ID}/log", READS),
    ("POST", f"/campaigns/{SOME_ID}/start", WRITES),
    ("POST", f"/campaigns/{SOME_ID}/pause", WRITES),
    ("POST", f"/campaigns/{SOME_ID}/close", WRITES),
    ("POST", f"/campaigns/{SOME_ID}/contacts", WRITES),
    ("POST", f"/campaigns/{SOME_ID}/contacts/reset", WRITES),
    ("GET", f"/campaigns/{SOME_ID}/contacts", READS),
    ("GET", f"/campaigns/{SOME_ID}/contacts/{SOME_ID}", READS),
    ("DELETE", f"/campaigns/{SOME_ID}/contacts/{SOME_ID}", WRITES),
    ("POST", f"/campaigns/{SOME_ID}/contacts/{SOME_ID}/callback", WRITES),
    ("GET", f"/campaigns/{SOME_ID}/callbacks", READS),
    ("GET", "/callbacks", READS),
    ("GET", f"/callbacks/{SOME_ID}-1", READS),
    ("POST", f"/callbacks/{SOME_ID}-1/reschedule", WRITES),
    ("POST", f"/callbacks/{SOME_ID}-1/now", WRITES),
    ("POST", f"/callbacks/{SOME_ID}-1/skip", WRITES),
    ("POST", f"/callbacks/{SOME_ID}-1/cancel", WRITES),
    ("POST", f"/callbacks/{SOME_ID}-1/done", WRITES),
    ("GET", "/calls", READS),
    ("GET", f"/campaigns/{SOME_ID}/calls", READS),
    ("GET", f"/calls/{SOME_ID}", READS),
    ("GET", f"/campaigns/{SOME_ID}/calls.csv", READS),
    ("GET", f"/campaigns/{SOME_ID}/calls.jsonl", READS),
    ("GET", f"/campaigns/{SOME_ID}/export.jsonl", READS),
    ("GET", f"/campaigns/{SOME_ID}/events", READS),
    ("POST", f"/attempts/{SOME_ID}/result", WRITES),
    ("GET", f"/attempts/{SOME_ID}/result", READS),
    ("GET", f"/campaigns/{SOME_ID}/stats", READS),
    ("GET", f"/campaigns/{SOME_ID}/diagnosis", READS),
    ("GET", f"/campaigns/{SOME_ID}/preview", READS),
    ("POST", "/caller-numbers", WRITES),
    ("GET", "/caller-numbers", READS),
    ("GET", f"/caller-numbers/{SOME_ID}", READS),
    ("PATCH", f"/caller-numbers/{SOME_ID}", WRITES),
    ("DELETE", f"/caller-numbers/{SOME_ID}", WRITES),
    ("GET", "/caller-number-use", READS),
    ("GET", "/caller-number-pools", READS),
    ("DELETE", "/caller-number-pools/north", WRITES),
    *(
        (method, path, READS if method == "GET" else WRITES)
        for registry in ("agents", "companies", "people")
        for method, path in (
            ("POST", f"/{registry}"),
            ("GET", f"/{registry}"),
            ("GET", f"/{registry}/{SOME_ID}"),
            ("PATCH", f"/{registry}/{SOME_ID}"),
            ("DELETE", f"/{registry}/{SOME_ID}"),
        )
    ),
    ("POST", f"/campaigns/{SOME_ID}/people", WRITES),
    ("POST", "/telephony-accounts", WRITES),
    ("GET", "/telephony-accounts", READS),
    ("GET", f"/telephony-accounts/{SOME_ID}", READS),
    ("PATCH", f"/telephony-accounts/{SOME_ID}", WRITES),
    ("POST", f"/telephony-accounts/{SOME_ID}/default", WRITES),
    ("DELETE", f"/telephony-accounts/{SOME_ID}", WRITES),
    ("POST", "/configurations", WRITES),
    ("GET", "/configurations", READS),
    ("GET", f"/configurations/{SOME_ID}", READS),
    ("PATCH", f"/configurations/{SOME_ID}", WRITES),
    ("GET", f"/configurations/{SOME_ID}/next-call?number=%2B442071838750", READS),
    ("DELETE", f"/configurations/{SOME_ID}", WRITES),
    ("GET", "/timezones", {*ALL_SCOPES, SENSITIVE}),
    ("GET", "/credential", {*ALL_SCOPES, SENSITIVE}),
    ("GET", "/concurrency-settings", set(ALL_SCOPES)),
    ("PUT", "/concurrency-settings", {MANAGE, LIMIT_MANAGE}),
    ("GET", "/calling-hours-settings", READS),
    ("PATCH", "/calling-hours-settings", WRITES),
    ("GET", "/limits", set(ALL_SCOPES)),
    ("PATCH", "/limits", {MANAGE, LIMIT_MANAGE}),
    ("GET", "/do-not-call", READS),
    ("POST", "/do-not-call", WRITES),
    ("DELETE", "/do-not-call/+14155550123", WRITES),
    ("POST", "/files", WRITES),
    ("GET", f"/files/{SOME_ID}", READS),
    ("POST", f"/campaigns/{SOME_ID}/redial", WRITES),
    ("POST", f"/campaigns/{SOME_ID}/imports", WRITES),
    ("GET", f"/campaigns/{SOME_ID}/imports", READS),
    ("GET", "/imports", READS),
    ("GET", f"/imports/{SOME_ID}", READS),
    ("POST", f"/imports/{SOME_ID}/cancel", WRITES),
    ("GET", f"/imports/{SOME_ID}/refused", READS),
    ("POST", "/webhooks", WRITES),
    ("GET", "/webhooks", READS),
    ("GET", f"/webhooks/{SOME_ID}", READS),
    ("PATCH", f"/webhooks/{SOME_ID}", WRITES),
    ("DELETE", f"/webhooks/{SOME_ID}", WRITES),
    ("POST", f"/webhooks/{SOME_ID}/rotate-secret", WRITES),
    ("POST", f"/webhooks/{SOME_ID}/test", WRITES),
    ("POST", f"/webhooks/{SOME_ID}/replay", WRITES),
    ("GET", f"/webhooks/{SOME_ID}/deliveries", READS),
    ("GET", f"/webhooks/{SOME_ID}/deliveries/{SOME_ID}", READS),
    ("POST", f"/webhooks/{SOME_ID}/deliveries/{SOME_ID}/replay", WRITES),
    ("GET", "/ingest-batches", READS),
    ("GET", "/ingest-batches/batch-1", READS),
]


@pytest.fixture(scope="session")
async def customers(api: Api) -> dict[str, Customer]:
    """One customer for each single scope."""
    return {scope: await api.new_customer([scope]) for scope in (*ALL_SCOPES, SENSITIVE)}


@pytest.mark.parametrize("scope", [*ALL_SCOPES, SENSITIVE])
@pytest.mark.parametrize(("method", "path", "accepted"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES])
async def test_each_route_asks_for_its_scopes_and_no_others(
    customers: dict[str, Customer], method: str, path: str, accepted: set[str], scope: str
) -> None:
    answer = await customers[scope].call(method, path)
    assert (answer.status == 403) == (scope not in accepted), answer.raw
    assert answer.status not in {401, 500}


async def test_every_customer_route_of_the_openapi_is_in_the_scope_table(api: Api) -> None:
    document = (await api.call("GET", "/openapi.json")).body
    served = [
        (method, path)
        for path, methods in document["paths"].items()
        if path.startswith("/campaign/")
        for method in methods
    ]
    assert len(served) == len(ROUTES)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic abc",
        "Bearer nonsense",
        f"Bearer ak_{SOME_ID}.secret",
        f"Bearer {ADMIN_TOKEN}",
    ],
)
async def test_a_missing_or_unknown_credential_is_401(api: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = await api.call("GET", "/campaign/campaigns", headers=headers)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert list(answer.body) == ["detail"]


async def test_a_wrong_secret_of_a_known_key_is_401(acme: Customer) -> None:
    assert (await acme.api.call("GET", "/campaign/campaigns", key=acme.key[:-1] + "!")).status == 401
    assert (await acme.api.call("GET", "/campaign/campaigns", key=acme.key[:-4] + "AAAA")).status == 401


async def test_two_authorization_headers_are_401(acme: Customer) -> None:
    headers = [("Authorization", f"Bearer {acme.key}"), ("Authorization", f"Bearer {acme.key}")]
    assert (await acme.api.call("GET", "/campaign/campaigns", headers=headers)).status == 401


async def test_the_word_bearer_may_be_written_in_any_case(acme: Customer) -> None:
    answer = await acme.api.call("GET", "/campaign/campaigns", headers={"Authorization": f"bearer {acme.key}"})
    assert answer.status == 200


async def test_a_deleted_key_is_refused_at_once(api: Api) -> None:
    acme = await api.new_customer()
    assert (await acme.get("/timezones")).status == 200
    key_id = acme.key.removeprefix("ak_").split(".")[0]
    deleted = await api.admin("DELETE", f"/organization-pats/{key_id}")
    assert deleted.body == {"id": key_id, "deleted": True}
    assert (await acme.get("/timezones")).status == 401
    assert (await api.admin("DELETE", f"/organization-pats/{key_id}")).status == 404


async def test_a_credential_is_told_what_it_may_do(api: Api, acme: Customer) -> None:
    reader = await api.customer_of(acme.organization_id, [READ, LIMIT_READ])
    answer = await reader.get("/credential")
    key_id = reader.key.removeprefix("ak_").split(".")[0]
    assert answer.body == {"id": key_id, "organization_id": acme.organization_id, "scopes": [READ, LIMIT_READ]}


async def test_an_expired_key_is_refused(acme: Customer, stack: Stack) -> None:
    key_id = acme.key.removeprefix("ak_").split(".")[0]
    past = datetime.fromtimestamp(0, UTC) + timedelta(days=1)
    await stack.store["api_keys"].update_one({"_id": key_id}, {"$set": {"expires_at": past}})
    assert (await acme.get("/timezones")).status == 401


async def test_the_organization_header_beside_an_organization_key_is_ignored(acme: Customer, other: Customer) -> None:
    campaign = await acme.new_campaign()
    answer = await acme.call("GET", f"/campaigns/{campaign['id']}", headers={"X-Anyreach-Org": other.organization_id})
    assert answer.status == 200


async def personal_token(api: Api, *organization_ids: str, **more: Any) -> str:
    wish = {"person": "ada@example.com", "name": "laptop", "organization_ids": list(organization_ids), **more}
    made = await api.admin("POST", "/personal-tokens", wish)
    assert made.status == 200, made.raw
    return str(made.body["key"])


@pytest.mark.parametrize("header", ["X-Anyreach-Org", "X-Org-Id", "x-org-id"])
async def test_a_personal_token_names_its_organization_in_a_header(
    acme: Customer, other: Customer, header: str
) -> None:
    token = await personal_token(acme.api, acme.organization_id, other.organization_id)
    campaign = await acme.new_campaign()
    for organization_id, status in ((acme.organization_id, 200), (other.organization_id, 404)):
        answer = await acme.api.call(
            "GET", f"/campaign/campaigns/{campaign['id']}", key=token, headers={header: organization_id}
        )
        assert answer.status == status


async def test_a_personal_token_without_a_header_or_with_two_that_differ_is_401(
    acme: Customer, other: Customer
) -> None:
    token = await personal_token(acme.api, acme.organization_id, other.organization_id)
    mine, theirs = acme.organization_id, other.organization_id
    refused: list[list[tuple[str, str]]] = [
        [],
        [("X-Anyreach-Org", "")],
        [("X-Anyreach-Org", mine), ("X-Org-Id", theirs)],
        [("X-Org-Id", mine), ("X-Org-Id", theirs)],
    ]
    for headers in refused:
        assert (await acme.api.call("GET", "/campaign/timezones", key=token, headers=headers)).status == 401
    same = [("X-Anyreach-Org", mine.upper()), ("X-Org-Id", mine)]
    assert (await acme.api.call("GET", "/campaign/timezones", key=token, headers=same)).status == 200


@pytest.mark.parametrize("organization", ["theirs", SOME_ID, "nonsense"])
async def test_a_personal_token_for_an_organization_that_is_not_the_persons_is_403(
    acme: Customer, other: Customer, organization: str
) -> None:
    token = await personal_token(acme.api, acme.organization_id)
    named = other.organization_id if organization == "theirs" else organization
    answer = await acme.api.call("GET", "/campaign/campaigns", key=token, headers={"X-Anyreach-Org": named})
    assert answer.status == 403


async def test_a_secret_is_stored_only_as_its_digest(acme: Customer, stack: Stack) -> None:
    key_id, secret = acme.key.removeprefix("ak_").split(".")
    document = await stack.store["api_keys"].find_one({"_id": key_id})
    assert document is not None
    assert secret not in str(document)
    assert len(document["digest"]) == 64
