"""A receiver, an engine that sends to it, and a clock that tests move."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import create_autospec

import pytest
from pydantic import SecretStr

from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.engine.engine import Engine
from shared.engine.file_places import file_place
from shared.engine.hints import Hints
from shared.engine.webhooks import MadeWebhook, NewWebhook, create_webhook
from shared.settings import FileSettings
from shared.store.catalog.organizations import create_organization
from shared.store.client import Store
from shared.stored_secrets import SecretCipher
from tests.integration.webhook_sender.receiver import Receiver, receiving

SECRET_KEY = SecretStr("stored-secrets-" + "x" * 20)


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved; times are UTC."""

    moment: datetime = field(default_factory=utc_now)

    def now(self) -> datetime:
        return self.moment

    def move(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as up:
        yield up


@pytest.fixture
def engine(store: Store) -> Engine:
    """An engine whose webhooks may go to this machine."""
    hints = Hints(create_autospec(Producer, instance=True))
    place = file_place(FileSettings(), store, None)
    return Engine(store, hints, "api-0", place, secrets=SecretCipher(SECRET_KEY), private_receivers=True)


@pytest.fixture
async def organization_id(store: Store) -> str:
    made = await create_organization(store, name="Acme", default_agent_number=None, now=utc_now())
    return made.id


async def subscribed(engine: Engine, organization_id: str, url: str, **fields: Any) -> MadeWebhook:
    """A subscription to calls that have ended, unless others are named."""
    events = fields.pop("events", ["call.ended"])
    new = NewWebhook(url=url, events=events, fact_types=events, **fields)
    return await create_webhook(engine, organization_id, new, utc_now())
