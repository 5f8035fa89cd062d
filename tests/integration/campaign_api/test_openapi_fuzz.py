"""Schemathesis asks everything that the OpenAPI document allows, and much that it does not."""

import asyncio
import contextlib
import itertools
import warnings
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.result import Ok

from tests.fuzzing import SEED, examples
from tests.integration.campaign_api.client import ADMIN_TOKEN, Customer, lead

# A few for each route; `make fuzz` asks more.
EXAMPLES_FOR_EACH_ROUTE = examples("OPENAPI", 10)
NUMBERS = itertools.count(1000)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


async def test_no_request_gets_a_500_or_an_undocumented_answer(acme: Customer) -> None:
    every = [operation for prefix in ("", "/operations") for operation in await operations_of(acme, prefix)]
    # A stream has no end to wait for; it is followed in test_calls.py.
    operations: list[Any] = [one for one in every if not one.path.endswith("/events")]
    assert len(operations) > 30
    for operation in operations:
        await asyncio.to_thread(ask, operation, await things_that_exist(acme), acme.key)


async def operations_of(customer: Customer, prefix: str) -> list[Any]:
    """What the document under the prefix has."""
    url = f"{customer.api.url}{prefix}/openapi.json"
    schema = await asyncio.to_thread(schemathesis.openapi.from_url, url)
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


async def things_that_exist(customer: Customer) -> dict[str, str]:
    """Names for paths and bodies; made anew for each route, because closing a campaign closes it."""
    for known in (await customer.get("/webhooks?limit=200")).body["webhooks"]:
        # There may be fifty.
        await customer.delete(f"/webhooks/{known['id']}")
    campaign = await customer.new_campaign(contacts=[lead(1), lead(2)])
    number = f"+1415555{next(NUMBERS):04}"
    registered = (await customer.post("/caller-numbers", {"number": number, "pools": ["west-coast"]})).body
    webhook = (await customer.post("/webhooks", {"url": "https://203.0.114.5/hooks"})).body
    delivery = (await customer.post(f"/webhooks/{webhook['id']}/test")).body
    name = f"fuzz-{number}"
    person = (await customer.post("/people", {"external_id": name, "phone": number})).body
    company = (await customer.post("/companies", {"name": "Acme", "external_id": name})).body
    agent = (await customer.post("/agents", {"name": "Outreach"})).body
    return {
        "person": person["id"],
        "company": company["id"],
        "agent": agent["id"],
        "webhook_id": webhook["id"],
        "delivery_id": delivery["id"],
        "campaign": campaign["id"],
        "contact": "lead-1",
        "configuration_id": campaign["configuration_id"],
        "organization_id": customer.organization_id,
        "phone_number": "+14155550001",
        "caller_number_id": registered["id"],
        "pool": "west-coast",
    }


def ask(operation: Any, real: dict[str, str], key: str, most: int = EXAMPLES_FOR_EACH_ROUTE) -> None:
    """Many requests to one route; with things that exist in its path as often as not."""

    @seed(SEED)
    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(strategies(operation)), use_real=st.booleans())
    def one(case: Any, use_real: bool) -> None:
        if use_real:
            case.path_parameters = {name: real.get(name, value) for name, value in (case.path_parameters or {}).items()}
            if isinstance(case.body, dict):
                case.body |= {name: real[name] for name in ("configuration_id", "organization_id") if name in case.body}
        token = ADMIN_TOKEN if operation.path.startswith("/admin") else key
        case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one()


def strategies(operation: Any) -> list[Any]:
    """Requests that keep to the document, and requests that break it."""
    kinds = [operation.as_strategy()]
    # Raised for a route about which nothing can be wrong.
    with contextlib.suppress(schemathesis.errors.SchemathesisError):
        kinds.append(operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
    return kinds
