"""on_dial_jobs: as many jobs at a time as can be placed now; the rest waits, and goes back when it is too late."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from services.call_executor.appointments import Appointments
from services.call_executor.held_calls import HeldCalls
from services.call_executor.pacer import Pacer
from services.call_executor.placing import Batch, Placer
from services.call_executor.workers import Workers
from shared import metrics
from shared.bus.dead_letters import KafkaRecord
from shared.bus.messages import message_in, read_or_set_aside
from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.errors import PermanentError
from shared.events import DIAL_JOB, DialJob
from shared.store.client import Document
from shared.topics import DIAL_JOBS

# Clocks of different machines may disagree by so much without harm.
CLOCK_MARGIN = timedelta(seconds=30)


class UnreadableJob(PermanentError):
    """The bytes are no dial job of a version we know."""


class Places:
    """A bounded number of placements at once, taken several at a time."""

    def __init__(self, count: int) -> None:
        self._count = self._free = count
        self._freed = asyncio.Event()

    async def take(self, at_most: int) -> int:
        """Wait for a free place and take up to `at_most`; how many were taken."""
        while self._free == 0:
            self._freed.clear()
            await self._freed.wait()
        taken = min(self._free, at_most)
        self._free -= taken
        return taken

    def give_back(self, count: int = 1) -> None:
        """These places are free again."""
        self._free += count
        self._freed.set()

    async def all_free(self) -> None:
        """Return when nothing is being placed."""
        while self._free < self._count:
            self._freed.clear()
            await self._freed.wait()


class JobHandler:
    """The consumer of dial jobs. An offset is done once its jobs are started, dropped or released:
    from then on MongoDB knows of them, and Kafka is not needed any more. Paced jobs wait for their time beside it."""

    def __init__(
        self, placer: Placer, held: HeldCalls, producer: Producer, *, parallel: int, per_second: float, capacity: int
    ) -> None:
        self._placer, self._held, self._producer = placer, held, producer
        self._places = Places(parallel)
        self._pacer = Pacer(per_second)
        self._capacity = capacity
        self._tasks: set[asyncio.Task[None]] = set()
        self._placing = Workers(self._place_one)
        self._looking = asyncio.Lock()
        self._appointments = Appointments(self._some, placer.seconds_until)
        self.draining = False

    async def on_dial_jobs(self, records: Sequence[KafkaRecord]) -> None:
        """One batch from Kafka."""
        jobs = []
        for record in records:
            job = await read_or_set_aside(self._producer, DIAL_JOBS, record, _job_in)
            if job is not None:
                jobs.append(job)
        jobs = self._appointments.keep(jobs)
        while jobs:
            jobs = await self._some(jobs)

    async def _some(self, jobs: list[DialJob]) -> list[DialJob]:
        """Start as many of these as there is room for; the others."""
        # The claim of an old job has expired: its contact returns by itself. START would refuse it as well, so this
        # only saves the question, and clocks that disagree a little must not make an executor refuse good jobs.
        oldest = utc_now() - CLOCK_MARGIN
        jobs = [job for job in jobs if job.not_after > oldest]
        if not jobs:
            return []
        if self.draining:
            self._placer.release_unstarted(jobs, "executor draining")
            return []
        jobs = self._placer.release_late(jobs)
        if not jobs:
            return []
        room = self._capacity - len(self._held)
        if room <= 0:
            self._placer.release_unstarted(jobs, "executor full")
            return []
        places, taken, ours = await self._places.take(min(len(jobs), room)), 0, 0
        try:
            taken = await self._pacer.take(places)
            # Started before the offset is committed; placing goes on beside the next batch.
            batch = await self._placer.start(jobs[:taken])
            ours = len(batch.contacts)
        finally:
            # Also when it is cut off, at the end of the process: somebody waits there for all places to be free.
            self._places.give_back(places - ours)
            self._pacer.give_back(taken - ours)
        if ours:
            metrics.PLACING.inc(ours)
            task = asyncio.create_task(self._gate_and_place(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return jobs[taken:] if ours == taken else await self._placer.without_stale(jobs[taken:])

    async def _gate_and_place(self, batch: Batch) -> None:
        """Gate what was started and have it placed; every place is given back as soon as it is free."""
        allowed: list[Document] = []
        try:
            # One look at a time: side by side they slow each other down until all are too old.
            async with self._looking:
                allowed, looked_at = await self._placer.gate(batch)
        finally:
            refused = len(batch.contacts) - len(allowed)
            self._give_back(refused)
            self._pacer.give_back(refused)
        if self._placer.is_fresh(looked_at):
            self._placing.add((contact, batch, looked_at) for contact in allowed)
        elif allowed:
            # Fewer at a time next: looking again at as many could take too long again, and again.
            middle = (len(allowed) + 1) // 2
            halves = [half for half in (allowed[:middle], allowed[middle:]) if half]
            await asyncio.gather(*(self._gate_and_place(replace(batch, contacts=half)) for half in halves))

    async def _place_one(self, started: tuple[Document, Batch, float]) -> None:
        try:
            await self._placer.place(*started)
        finally:
            self._give_back(1)

    def _give_back(self, places: int) -> None:
        metrics.PLACING.dec(places)
        self._places.give_back(places)

    async def finished(self) -> None:
        """Return when every job that was read has been placed or released; call it when no more are read."""
        await self._appointments.close()
        await self._places.all_free()


def _job_in(record: KafkaRecord) -> DialJob:
    return message_in(record, DIAL_JOB, UnreadableJob)
