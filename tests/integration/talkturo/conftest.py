"""One gateway for all tests of this folder, with this API beside the native one."""

from collections.abc import AsyncIterator

import pytest

from services.campaign_api.app import DIALECTS
from tests.integration.campaign_api.client import Api
from tests.integration.campaign_api.conftest import Stack, serving, stack, topics
from tests.integration.talkturo.team import Team, team_of

__all__ = ["stack", "topics"]


@pytest.fixture(scope="session")
async def api(stack: Stack) -> AsyncIterator[Api]:
    """The gateway; webhooks may go to this machine."""
    settings = stack.settings.model_copy(update={"webhook_private_addresses": True})
    async with serving(settings, stack.store, stack.producer, DIALECTS) as running:
        yield running


@pytest.fixture
async def team(api: Api) -> Team:
    """A team."""
    return await team_of(await api.new_customer())


@pytest.fixture
async def other(api: Api) -> Team:
    """Another team."""
    return await team_of(await api.new_customer(name="Other"))
