"""The relay: a shard's facts go to Kafka in order of their numbers, one batch at a time.

The next batch goes only after the ack of the one before, and what is safe is noted after the ack. Whatever else happens
than an ack, what is safe is read again, and the relay goes on from there: some facts then come twice, under the same
numbers. So each is first seen in order, also while an owner that was replaced still publishes: it has read, as every
publisher has, that all before its batch are safe.
"""

import asyncio
from typing import Final

from pydantic_core import to_json

from shared import metrics
from shared.bus.producer import Producer, Record
from shared.domain.ids import DEFAULT_CAMPAIGN, event_key, is_default_campaign
from shared.errors import TemporaryError
from shared.logs import get_logger
from shared.store.client import Document, Store
from shared.store.dialing import facts

# Facts in one batch.
BATCH: Final = 2000
RETRY_SECONDS: Final = 0.5
# What Kafka has is removed from the store once for so many facts.
REMOVE_EVERY: Final = 5000

log = get_logger()


class Relay:
    """The relay of one shard, beside its loop."""

    def __init__(self, store: Store, producer: Producer, shard: int) -> None:
        self._store, self._producer, self._shard = store, producer, shard
        self._told = asyncio.Event()
        self._told.set()
        self._relayed: int | None = None
        self._removed = 0
        self._stopping = False

    def wake(self) -> None:
        """Have the relay look for facts."""
        self._told.set()

    def stop(self) -> None:
        """End the relay after the batch that is on its way."""
        self._stopping = True
        self._told.set()

    async def run(self) -> None:
        """Relay until stopped."""
        while not self._stopping:
            self._told.clear()
            try:
                while not self._stopping and await self.relay_batch():
                    pass
            except TemporaryError as error:
                log.warning("facts wait", shard=self._shard, why=str(error))
                self._relayed = None
                self._told.set()
                await asyncio.sleep(RETRY_SECONDS)
            else:
                await self._told.wait()

    async def relay_batch(self) -> bool:
        """Relay the next facts; whether there were any. Raises `TemporaryError`: what is safe is to be read again."""
        if self._relayed is None:
            self._relayed = await facts.read_relayed(self._store, self._shard)
        batch = await facts.next_facts(self._store, self._shard, self._relayed, BATCH)
        if not batch:
            return False
        await self._producer.publish_facts([record_of(self._shard, fact) for fact in batch])
        last = int(batch[-1]["n"])
        await facts.note_relayed(self._store, self._shard, last)
        self._relayed = last
        metrics.FACTS_RELAYED.inc(len(batch))
        if last - self._removed >= REMOVE_EVERY:
            await facts.remove_relayed(self._store, self._shard, last)
            self._removed = last
        return True


def record_of(shard: int, fact: Document) -> Record:
    """A stored fact as Kafka has it, an `OrgFact`."""
    campaign_id = fact.get("campaign_id")
    if campaign_id is not None and is_default_campaign(campaign_id):
        fact = {**fact, "campaign_id": DEFAULT_CAMPAIGN}
    message = {"schema_version": 1, "shard": shard, **fact}
    return Record(shard, event_key(fact["organization_id"]), to_json(message))
