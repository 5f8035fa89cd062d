"""The bare executor: jobs from Kafka, started by one update, read back, "called", their ends published."""

import asyncio
import contextlib
import random
import sys
import uuid
from collections.abc import Sequence
from datetime import timedelta

import orjson
from aiokafka import TopicPartition

from shared.clock import monotonic, utc_now
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
    publish,
)
from tests.bench.journal import Journal


class BareExecutor:
    """No gate, no limits, no carrier: a call ends when it is placed, or after as long as it is told to last."""

    def __init__(self, settings: BareSettings, journal: Journal) -> None:
        self._settings, self._journal = settings, journal
        self._contacts = database_of(settings)["contacts"]
        self._consumer = new_consumer(settings, DIAL_JOBS.name, "bare-executor")
        self._producer = new_producer(settings)
        self._publishing: asyncio.Task[None] | None = None
        self._dice = random.Random(1)
        self._ended: list[Message] = []
        self._gathered_at = 0.0

    async def run(self) -> None:
        """Work until cancelled."""
        async with contextlib.AsyncExitStack() as stack:
            await self._producer.start()
            stack.push_async_callback(self._producer.stop)
            await self._consumer.start()
            stack.push_async_callback(self._consumer.stop)
            while True:
                # Ends of calls that last are published as they come, a few at a time, or when they have gathered.
                patience_ms = 100 if self._settings.bench_longest_call == 0 else max(5, self._settings.gathering_ms)
                batches = await self._consumer.getmany(timeout_ms=patience_ms, max_records=BATCH)
                jobs = [orjson.loads(record.value or b"") for records in batches.values() for record in records]
                if jobs:
                    self._call(await self._start(jobs))
                ready = self._ended and monotonic() >= self._gathered_at
                if jobs or ready:
                    await self._published()
                    ends, self._ended = (self._ended, []) if ready else ([], self._ended)
                    if ends:
                        self._gathered_at = monotonic() + self._settings.bench_gathering
                    self._publishing = asyncio.create_task(self._publish(ends, offsets_after(batches)))

    async def _start(self, jobs: list[Message]) -> list[Message]:
        ids, nonce, now = [job["contact_id"] for job in jobs], str(uuid.uuid4()), utc_now()
        start = {"nonce": nonce, "executor": "bare", "mode": "in_process", "at": now}
        await self._contacts.update_many(
            {"_id": {"$in": ids}, "status": "locked", "lock.claim": {"$in": list({job["claim_id"] for job in jobs})}},
            {"$set": {"status": "in_progress", "start": {**start, "hold_until": now + timedelta(seconds=1930)}}},
        )
        return await self._contacts.find({"_id": {"$in": ids}, "start.nonce": nonce}).to_list()

    def _call(self, contacts: Sequence[Message]) -> None:
        shortest, longest = self._settings.bench_shortest_call, self._settings.bench_longest_call
        for contact in contacts:
            self._journal.place(contact["_id"])
            if longest == 0:
                self._end(contact)
            else:
                asyncio.get_running_loop().call_later(self._dice.uniform(shortest, longest), self._end, contact)

    def _end(self, contact: Message) -> None:
        self._journal.end(contact["_id"])
        self._ended.append(self._ending(contact))

    def _ending(self, contact: Message) -> Message:
        now = utc_now().isoformat()
        return {
            "schema_version": 1,
            "organization_id": contact["organization_id"],
            "shard": contact["shard"],
            "type": "call_finished",
            "attempt_id": f"{contact['lock']['claim']}/{contact['_id']}",
            "contact_id": contact["_id"],
            "outcome": "answered",
            "proven": True,
            "started_at": now,
            "answered_at": now,
            "ended_at": now,
            "duration_seconds": 0.0,
            "provider_call_id": f"bare-{len(self._journal.placed)}",
            "error": None,
        }

    async def _publish(self, ends: list[Message], offsets: dict[TopicPartition, int]) -> None:
        settings = self._settings
        key = settings.bench_organization.encode()
        messages = [(settings.bench_shard, key, orjson.dumps(end)) for end in ends]
        await publish(self._producer, settings.topic_prefix + ORG_EVENTS.name, messages)
        if offsets:
            await self._consumer.commit(offsets)

    async def _published(self) -> None:
        if self._publishing is not None:
            await self._publishing


async def _main(settings: BareSettings, journal: Journal) -> None:
    await BareExecutor(settings, journal).run()


def main() -> int:
    """The process's exit code."""
    settings, journal = BareSettings(), Journal()
    code = run_until_stopped(_main(settings, journal))
    journal.save(settings.bench_journal)
    return code


if __name__ == "__main__":
    sys.exit(main())
