"""Every route of every dialect asks for a credential, and for its scopes and no others."""

import pytest

from shared.engine.keys import Scope
from tests.integration.campaign_api.client import ADMIN_TOKEN, Api
from tests.integration.dialects.described import DESCRIBED, Described, routes_of

SOME_ID = "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21"


def somewhere(path: str) -> str:
    """The path with ids of nothing."""
    parts = path.split("/")
    return "/".join(SOME_ID if part.startswith("{") else part for part in parts)


@pytest.mark.parametrize("dialect", DESCRIBED, ids=lambda one: one.prefix)
async def test_each_route_asks_for_its_scopes_and_no_others(api: Api, dialect: Described) -> None:
    customers = {scope: await api.new_customer([scope]) for scope in Scope}
    document = await dialect.document(customers[Scope.CAMPAIGNS_READ])
    for method, path, _ in routes_of(document):
        accepted = dialect.reads if method == "GET" else dialect.writes
        if path in dialect.open_to_all:
            accepted = frozenset(Scope)
        for scope, customer in customers.items():
            answer = await dialect.call(customer, method, somewhere(path))
            assert (answer.status == dialect.denied) == (scope not in accepted), (method, path, scope, answer.raw)
            assert answer.status not in {401, 500}


@pytest.mark.parametrize("dialect", DESCRIBED, ids=lambda one: one.prefix)
@pytest.mark.parametrize("key", ["nonsense", f"ak_{SOME_ID}.secret", ADMIN_TOKEN])
async def test_every_route_refuses_unknown_credentials(api: Api, dialect: Described, key: str) -> None:
    customer = await api.new_customer()
    for method, path, _ in routes_of(await dialect.document(customer)):
        answer = await dialect.call(customer, method, somewhere(path), key=key)
        assert (answer.status, answer.headers.get("WWW-Authenticate")) == (401, "Bearer"), (method, path)
        assert "X-RateLimit-Limit" not in answer.headers


@pytest.mark.parametrize("dialect", DESCRIBED, ids=lambda one: one.prefix)
async def test_a_personal_token_reaches_no_organization_but_its_own(api: Api, dialect: Described) -> None:
    own, other = await api.new_customer(), await api.new_customer()
    wish = {"person": "Ada", "name": "laptop", "organization_ids": [own.organization_id]}
    token = (await api.admin("POST", "/personal-tokens", wish)).body["key"]
    path = next(
        path for method, path, _ in routes_of(await dialect.document(own)) if (method, "{" in path) == ("GET", False)
    )
    statuses = [
        (await dialect.call(own, "GET", path, key=token, headers=headers)).status
        for headers in ([("X-Org-Id", own.organization_id)], [("X-Org-Id", other.organization_id)], [])
    ]
    assert statuses == [200, 403, 401]
