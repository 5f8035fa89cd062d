"""Schemathesis asks everything that a dialect's document allows, and much that it does not; its examples are sent."""

import asyncio
from typing import Any

import pytest
import schemathesis
from schemathesis.core.result import Ok

from tests.fuzzing import examples
from tests.integration.campaign_api import test_openapi_fuzz as native
from tests.integration.campaign_api.client import Api
from tests.integration.dialects.described import DESCRIBED, Described

# A few for each route; `make fuzz` asks more.
EXAMPLES_FOR_EACH_ROUTE = examples("OPENAPI", 10)


@pytest.mark.parametrize("dialect", DESCRIBED, ids=lambda one: one.prefix)
async def test_no_request_gets_a_500_or_an_undocumented_answer(api: Api, dialect: Described) -> None:
    customer = await api.new_customer()
    schema = await asyncio.to_thread(schemathesis.openapi.from_url, f"{api.url}{dialect.prefix}/openapi.json")
    operations: list[Any] = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) > 10
    for operation in operations:
        things = await dialect.things(customer)
        # No scheduler is at work here that would carry out what is asked of one.
        things.pop("callback", None)
        await asyncio.to_thread(native.ask, operation, things, customer.key, EXAMPLES_FOR_EACH_ROUTE)
