"""From facts to deliveries: one for each event of a fact and each subscription that wants it, stored once.

Offsets are committed when the deliveries are in MongoDB. A fact may come twice; its events' ids make the second time
a no-op.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from shared import metrics
from shared.bus.dead_letters import KafkaRecord
from shared.bus.messages import message_in, read_or_set_aside
from shared.bus.producer import Producer
from shared.domain.webhook_ids import delivery_id, event_id
from shared.domain.webhooks import wants
from shared.errors import PermanentError, TemporaryError
from shared.events import ORG_FACT, OrgFact
from shared.logs import get_logger
from shared.rendering.table import renderer_of
from shared.store.catalog.webhooks import Webhook, active_webhooks
from shared.store.client import Store
from shared.store.reports.deliveries import Delivery, add_deliveries
from shared.topics import ORG_FACTS

FIRST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 5.0
# Deliveries stored by one write; a fact may have fifty receivers.
AT_ONCE: Final = 1000


class UnreadableFact(PermanentError):
    """The bytes are no fact of a version we know."""


class Intake:
    """The consumer's handler. `arrived` is called when there is something new to send."""

    def __init__(
        self, store: Store, producer: Producer, arrived: Callable[[], object], clock: Callable[[], datetime]
    ) -> None:
        self._store, self._producer, self._arrived, self._clock = store, producer, arrived, clock

    async def on_records(self, records: Iterable[KafkaRecord]) -> None:
        """Store what there is to deliver of these facts; waits as long as MongoDB is away."""
        facts = []
        for record in records:
            fact = await read_or_set_aside(self._producer, ORG_FACTS, record, _fact_in)
            if fact is not None:
                facts.append(fact)
        wait = FIRST_WAIT_SECONDS
        while facts:
            try:
                return await self._store_all(facts)
            except TemporaryError as error:
                get_logger().warning("facts wait", why=str(error), seconds=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    async def _store_all(self, facts: Sequence[OrgFact]) -> None:
        organizations = {fact.organization_id for fact in facts}
        campaigns = {fact.campaign_id for fact in facts if fact.campaign_id is not None}
        webhooks: defaultdict[str, list[Webhook]] = defaultdict(list)
        for webhook in await active_webhooks(self._store, organizations, campaigns):
            webhooks[webhook.organization_id].append(webhook)
        now = self._clock()
        found = [delivery for fact in facts for delivery in deliveries_of(fact, webhooks[fact.organization_id], now)]
        for start in range(0, len(found), AT_ONCE):
            added = await add_deliveries(self._store, found[start : start + AT_ONCE])
            metrics.WEBHOOK_DELIVERIES.inc(added)
        if found:
            self._arrived()


def deliveries_of(fact: OrgFact, webhooks: Iterable[Webhook], now: datetime) -> Iterator[Delivery]:
    """The deliveries of a fact to those of its organization's subscriptions that want it, due now."""
    text = None
    for webhook in webhooks:
        if not wants(webhook.fact_types, webhook.campaign_id, fact.type, fact.campaign_id):
            continue
        for event in renderer_of(webhook.dialect).events(fact):
            if event not in webhook.events:
                continue
            text = text or fact.model_dump_json()
            of_event = event_id(fact.id, fact.organization_id, event)
            yield Delivery(
                id=delivery_id(webhook.id, of_event),
                organization_id=fact.organization_id,
                webhook_id=webhook.id,
                event_id=of_event,
                event=event,
                at=fact.at,
                created_at=now,
                fact=text,
            )


def _fact_in(record: KafkaRecord) -> OrgFact:
    return message_in(record, ORG_FACT, UnreadableFact)
