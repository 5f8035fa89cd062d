"""The bare scheduler: one transaction finishes what has ended and claims as many, then jobs are published.

The same collections, documents and writes as ours, publishing and committing beside the next transaction,
ids fetched ahead; no rules, no validation, no reads inside the transaction, one campaign at a time.
"""

import asyncio
import contextlib
import json
import sys
import uuid
from collections import deque
from collections.abc import Sequence
from datetime import timedelta

import orjson
from aiokafka import TopicPartition
from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.clock import monotonic, utc_now
from shared.domain.ids import campaign_budget, organization_budget
from shared.process import run_until_stopped
from shared.topics import DIAL_JOBS, ORG_EVENTS
from tests.bench.bare import (
    BATCH,
    BareSettings,
    Message,
    database_of,
    new_consumer,
    new_producer,
    offsets_after,
    partition_of,
    publish,
)
from tests.bench.journal import Transaction

PREFETCH = 5000


class BareScheduler:
    """One organization, one shard, one loop."""

    def __init__(self, settings: BareSettings) -> None:
        self._settings = settings
        self._db = database_of(settings)
        self._consumer = new_consumer(settings, ORG_EVENTS.name, "bare-scheduler")
        self._producer = new_producer(settings)
        self._publishing: asyncio.Task[None] | None = None
        self._waiting: deque[str] = deque()
        self._all_fetched = False
        self._held = 0
        # Seconds from the read of ends to the publication of the jobs that took their slots.
        self.refills: list[float] = []
        self.transactions: list[Transaction] = []

    async def run(self) -> None:
        """Dial each campaign once it is active, then wait to be cancelled."""
        async with contextlib.AsyncExitStack() as stack:
            await self._producer.start()
            stack.push_async_callback(self._producer.stop)
            await self._consumer.start()
            stack.push_async_callback(self._consumer.stop)
            for campaign_id in self._settings.bench_campaigns:
                self._all_fetched = False
                await self._active(campaign_id)
                await self._dial(campaign_id)
            await asyncio.Event().wait()

    async def _active(self, campaign_id: str) -> None:
        """Return soon after the campaign is let go; ours gets a message, here a look is simpler."""
        for _ in range(100_000):
            if await self._db["campaigns"].find_one({"_id": campaign_id, "intent": "running"}):
                return
            await asyncio.sleep(0.005)

    async def _dial(self, campaign_id: str) -> None:
        self.refills.clear()
        while True:
            await self._fetch(campaign_id)
            more = min(len(self._waiting), self._settings.bench_slots - self._held) > 0
            if not more and not self._held:
                await self._published()
                return
            batches = await self._consumer.getmany(timeout_ms=0 if more else 100, max_records=BATCH)
            records = [orjson.loads(record.value or b"") for found in batches.values() for record in found]
            ends = [record for record in records if record["type"] == "call_finished"]
            room = min(BATCH, self._settings.bench_slots - self._held + len(ends))
            ids = [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]
            if ends or ids:
                await self._step(campaign_id, ends, ids, offsets_after(batches))
                await asyncio.sleep(self._settings.bench_gathering)

    async def _fetch(self, campaign_id: str) -> None:
        if self._waiting or self._all_fetched:
            return
        query = {"campaign_id": campaign_id, "tier": 0, "timezone": None, "status": "pending"}
        cursor = self._db["contacts"].find(query | {"due_at": {"$lte": utc_now()}}, {"_id": 1}, hint="ready")
        found = await cursor.sort([("due_at", 1), ("seq", 1)]).limit(PREFETCH).to_list()
        self._waiting.extend(document["_id"] for document in found)
        self._all_fetched = len(found) < PREFETCH

    async def _step(
        self, campaign_id: str, ends: Sequence[Message], ids: Sequence[str], offsets: dict[TopicPartition, int]
    ) -> None:
        read_at, claim_id, expires_at = monotonic(), str(uuid.uuid4()), utc_now() + timedelta(seconds=30)

        async def work(session: AsyncClientSession) -> None:
            await self._finish(campaign_id, ends, session)
            await self._claim(ids, claim_id, expires_at.isoformat(), session)
            await self._count(campaign_id, len(ends), len(ids), session)

        async with self._db.client.start_session() as session:
            await session.with_transaction(
                work, read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority")
            )
        self.transactions.append(Transaction(read_at, monotonic() - read_at, len(ids)))
        # What was really claimed and ended: both updates are asserted to have matched them all.
        self._held += len(ids) - len(ends)
        jobs = [self._job(campaign_id, contact_id, claim_id, expires_at.isoformat()) for contact_id in ids]
        await self._published()
        freed = read_at if ends else None
        self._publishing = asyncio.create_task(self._publish(jobs, offsets, freed))

    async def _finish(self, campaign_id: str, ends: Sequence[Message], session: AsyncClientSession) -> None:
        if not ends:
            return
        await self._db["attempts"].insert_many([_attempt(campaign_id, end) for end in ends], session=session)
        finished = await self._db["contacts"].update_many(
            {"_id": {"$in": [end["contact_id"] for end in ends]}, "status": "in_progress"},
            {
                "$set": {
                    "status": "completed",
                    "attempts_made": 1,
                    "outcomes": {"answered": 1},
                    "last_attempt": "bare",
                },
                "$unset": {"lock": 1, "start": 1},
            },
            session=session,
        )
        assert finished.modified_count == len(ends), f"{finished.modified_count} of {len(ends)} ended"

    async def _claim(self, ids: Sequence[str], claim_id: str, expires_at: str, session: AsyncClientSession) -> None:
        if not ids:
            return
        lock = {"claim": claim_id, "attempt": claim_id, "attempt_number": 1, "phone": "+14155550100"}
        lock |= {
            "caller_number": "+14155550100",
            "agent_id": "agent-1",
            "agent_version": None,
            "expires_at": expires_at,
        }
        claimed = await self._db["contacts"].update_many(
            {"_id": {"$in": list(ids)}, "status": "pending"},
            {"$set": {"status": "locked", "lock": lock}},
            session=session,
        )
        assert claimed.modified_count == len(ids), f"{claimed.modified_count} of {len(ids)} claimed"

    async def _count(self, campaign_id: str, ended: int, claimed: int, session: AsyncClientSession) -> None:
        settings, net = self._settings, claimed - ended
        if net:
            keys = (organization_budget(settings.bench_organization), campaign_budget(campaign_id))
            held = [UpdateOne({"_id": key}, {"$inc": {"held": net}}, upsert=True) for key in keys]
            await self._db["budgets"].bulk_write(held, session=session)
        counts = {"pending": -claimed, "active": net, "completed": ended, "attempts": ended}
        await self._db["counters"].update_one({"_id": campaign_id}, {"$inc": counts}, upsert=True, session=session)
        await self._db["shards"].update_one(
            {"_id": settings.bench_shard}, {"$inc": {"held": net}}, upsert=True, session=session
        )

    def _job(self, campaign_id: str, contact_id: str, claim_id: str, expires_at: str) -> Message:
        return {
            "schema_version": 1,
            "attempt_id": f"{claim_id}/{contact_id}",
            "claim_id": claim_id,
            "organization_id": self._settings.bench_organization,
            "shard": self._settings.bench_shard,
            "campaign_id": campaign_id,
            "contact_id": contact_id,
            "not_after": expires_at,
        }

    async def _publish(self, jobs: Sequence[Message], offsets: dict[TopicPartition, int], freed: float | None) -> None:
        keyed = [(job["attempt_id"].encode(), orjson.dumps(job)) for job in jobs]
        messages = [(partition_of(key, DIAL_JOBS.partitions), key, value) for key, value in keyed]
        await publish(self._producer, self._settings.topic_prefix + DIAL_JOBS.name, messages)
        if jobs and freed is not None:
            self.refills.append(monotonic() - freed)
        if offsets:
            await self._consumer.commit(offsets)

    async def _published(self) -> None:
        if self._publishing is not None:
            await self._publishing


def _attempt(campaign_id: str, end: Message) -> Message:
    fields = {name: value for name, value in end.items() if name not in ("schema_version", "type", "shard")}
    fields |= {
        "_id": end["attempt_id"],
        "campaign_id": campaign_id,
        "attempt_number": 1,
        "phone_number": "+14155550100",
    }
    fields |= {"caller_number": "+14155550100", "agent_id": "agent-1", "conversation_id": end["contact_id"]}
    return fields


async def _main(settings: BareSettings) -> None:
    scheduler = BareScheduler(settings)
    try:
        await scheduler.run()
    finally:
        kept = {"refills": scheduler.refills, "transactions": scheduler.transactions}
        settings.bench_journal.write_text(json.dumps(kept))


def main() -> int:
    """The process's exit code."""
    return run_until_stopped(_main(BareSettings()))


if __name__ == "__main__":
    sys.exit(main())
