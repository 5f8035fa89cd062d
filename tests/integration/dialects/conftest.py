"""One gateway with all dialects."""

from collections.abc import AsyncIterator

import pytest

from services.campaign_api.app import DIALECTS
from tests.integration.campaign_api.client import Api
from tests.integration.campaign_api.conftest import Stack, serving, stack, topics

__all__ = ["stack", "topics"]


@pytest.fixture(scope="session")
async def api(stack: Stack) -> AsyncIterator[Api]:
    """The gateway."""
    async with serving(stack.settings, stack.store, stack.producer, DIALECTS) as running:
        yield running
