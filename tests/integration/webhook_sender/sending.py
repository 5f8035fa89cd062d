"""A sender on a clock of its own, and a network that answers as it is told."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from services.webhook_sender.intake import deliveries_of
from services.webhook_sender.sender import Sender
from shared.domain.facts import FactType
from shared.domain.ids import shard_of
from shared.domain.webhooks import Answer, DeliveryError
from shared.engine.engine import Engine
from shared.events import OrgFact
from shared.store.catalog.webhooks import active_webhooks
from shared.store.client import Store
from shared.store.reports import deliveries as stored
from shared.store.reports.deliveries import Delivery, add_deliveries
from tests.integration.webhook_sender.conftest import Clock

ACCEPTED = Answer(200, None)
BROKEN = Answer(500, DeliveryError.STATUS, "down")
HANGING = Answer(None, DeliveryError.TIMEOUT, milliseconds=5000)
URL = "https://127.0.0.1/hooks"


@dataclass(slots=True)
class Post:
    """Keeps what it is given, and answers as `says` does for the URL."""

    says: Callable[[str], Awaitable[Answer]]
    got: defaultdict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        self.got[url].append(headers)
        self.bodies.append(body)
        return await self.says(url)


def always(answer: Answer) -> Post:
    async def says(_: str) -> Answer:
        return answer

    return Post(says)


def sender_of(engine: Engine, post: Post, clock: Clock, connections: int = 100) -> Sender:
    return Sender(engine, post, connections=connections, poll_seconds=0.05, clock=clock.now)


def fact(organization_id: str, n: int, clock: Clock, kind: FactType = FactType.CALL_ENDED, **fields: Any) -> OrgFact:
    return OrgFact(
        shard=shard_of(organization_id), n=n, organization_id=organization_id, type=kind, at=clock.now(), **fields
    )


async def told(store: Store, clock: Clock, *facts: OrgFact) -> list[Delivery]:
    """The deliveries of these facts, stored as the intake does."""
    organizations = {one.organization_id for one in facts}
    campaigns = {one.campaign_id for one in facts if one.campaign_id}
    to = await active_webhooks(store, organizations, campaigns)
    made = [delivery for one in facts for delivery in deliveries_of(one, to, clock.now())]
    await add_deliveries(store, made)
    return made


async def one_round(sender: Sender) -> int:
    took = await sender.look()
    await sender.settled()
    return took


async def seen(store: Store, delivery: Delivery) -> Delivery:
    return await stored.get_delivery(store, delivery.organization_id, delivery.webhook_id, delivery.id)
