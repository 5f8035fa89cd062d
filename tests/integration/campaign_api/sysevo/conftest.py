"""One gateway with all dialects, for the tests of this folder."""

from collections.abc import AsyncIterator

import pytest

from services.campaign_api.app import DIALECTS
from tests.integration.campaign_api.client import Api
from tests.integration.campaign_api.conftest import Stack, serving
from tests.integration.campaign_api.sysevo.client import Client


@pytest.fixture(scope="session")
async def every_api(stack: Stack) -> AsyncIterator[Api]:
    """The gateway with every API that there is."""
    async with serving(stack.settings, stack.store, stack.producer, DIALECTS) as running:
        yield running


@pytest.fixture
async def client(every_api: Api) -> Client:
    """A customer of this API."""
    return Client(await every_api.new_customer())


@pytest.fixture
async def stranger(every_api: Api) -> Client:
    """A customer of another organization."""
    return Client(await every_api.new_customer(name="Other"))
