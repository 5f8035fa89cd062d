"""One gateway that speaks this dialect for all tests of this folder; the rest is the native API's."""

from collections.abc import AsyncIterator

import pytest

from services.campaign_api.app import DIALECTS
from tests.integration.campaign_api.client import Api
from tests.integration.campaign_api.conftest import Stack, serving, stack, topics
from tests.integration.smartalex.client import Alex

__all__ = ["stack", "topics"]


@pytest.fixture(scope="session")
async def api(stack: Stack) -> AsyncIterator[Api]:
    """The gateway with all its dialects."""
    async with serving(stack.settings, stack.store, stack.producer, DIALECTS) as running:
        yield running


@pytest.fixture
async def alex(api: Api) -> Alex:
    """A customer."""
    return Alex(await api.new_customer())
