"""Tells the schedulers what has changed, in the background: a hint is never worth a failed request.

What matters stands in MongoDB already, with `changed_at`, so a scheduler that misses a hint finds out within
a second (docs/decisions/0006).
"""

import asyncio
from contextlib import suppress

from shared.bus.producer import Producer
from shared.events import CampaignChanged, ContactsAdded, JobWaiting, LimitsChanged
from shared.logs import get_logger

Hint = CampaignChanged | ContactsAdded | JobWaiting | LimitsChanged

# A hint that is older than this has been overtaken by the schedulers' own look at MongoDB.
PUBLISH_SECONDS = 1.0
# While Kafka is away hints gather up to here; the others are dropped, as every hint may be.
MAX_WAITING = 10_000


class Hints:
    """Collects hints and publishes what has gathered while the last ones were on their way."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._waiting: dict[Hint, None] = {}
        self._wake = asyncio.Event()
        self._kafka_answers = True

    def give(self, hint: Hint) -> None:
        """Publish soon; the same hint given twice in the meantime is sent once. Never waits, never raises."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting[hint] = None
            self._wake.set()

    async def run(self) -> None:
        """Publish until cancelled; then once more what is left."""
        try:
            while True:
                await self._wake.wait()
                await self._publish()
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(PUBLISH_SECONDS):
                    await self._publish()

    async def _publish(self) -> None:
        self._wake.clear()
        hints, self._waiting = list(self._waiting), {}
        jobs = [hint for hint in hints if isinstance(hint, JobWaiting)]
        events = [hint for hint in hints if not isinstance(hint, JobWaiting)]
        lost: list[object] = [*await self._producer.publish_events(events, timeout_seconds=PUBLISH_SECONDS)]
        if jobs:
            lost += await self._producer.publish_work(jobs, timeout_seconds=PUBLISH_SECONDS)
        if bool(lost) == self._kafka_answers:
            self._kafka_answers = not lost
            get_logger().warning("hints reach Kafka again" if not lost else "hints do not reach Kafka", lost=len(lost))
