"""One gateway for all tests of this folder, with this API beside the native one, and an engine for those that dial."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.campaign_api.app import DIALECTS
from services.webhook_sender.app import running as sending
from services.webhook_sender.settings import SenderSettings
from shared.domain.outcome import Outcome
from shared.store.dialing.shards import read_global_use
from shared.telephony.provider import PlaceCall
from shared.telephony.scripts import ScriptedCall
from tests.engine import Engine, address_of, running_engine
from tests.eventually import eventually
from tests.integration.campaign_api.client import Api
from tests.integration.campaign_api.conftest import Stack, serving, stack, topics
from tests.integration.talkturo.team import Team, team_of

__all__ = ["stack", "topics"]
ENDINGS = {"1": Outcome.ANSWERED, "2": Outcome.BUSY, "3": Outcome.VOICEMAIL, "4": Outcome.INVALID_NUMBER}


def by_last_digit(call: PlaceCall) -> ScriptedCall:
    """The ending that a number's last digit stands for."""
    return ScriptedCall(outcome=ENDINGS.get(call.phone_number[-1], Outcome.ANSWERED))


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


@pytest.fixture(scope="module")
async def dialing(stack: Stack, kafka_address: str, topics: str) -> AsyncIterator[Engine]:
    """A scheduler and an executor, and a sender of webhooks."""
    address: dict[str, Any] = await address_of(stack.store)
    settings = SenderSettings(
        kafka=kafka_address,
        topic_prefix=topics,
        **address,
        secret_key=stack.settings.secret_key,
        webhook_private_addresses=True,
    )
    async with running_engine(stack.store, kafka_address, topics, script=by_last_digit) as engine:
        await engine.start_scheduler()
        await engine.start_executor()

        async def has_lines() -> bool:
            return (await read_global_use(stack.store))[1] > 0

        # Another module's engine may have just left.
        await eventually(has_lines, timeout=10, saying="lines of the executor")
        async with sending(settings):
            yield engine
