"""One shard's loop: take what has arrived, decide, write it in one transaction, publish, repeat.

There is exactly one loop a shard, because two writers of one budget only make each other start again. Batches are
natural: whatever arrived while the last transaction ran is the next batch. Publishing overlaps the next transaction.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from services.scheduler.fleet import Fleet
from services.scheduler.planner import plan
from services.scheduler.shards.chores import Chores
from services.scheduler.shards.inbox import Chore, Inbox
from services.scheduler.shards.job_queue import JobQueue
from services.scheduler.shards.memory import ShardMemory
from services.scheduler.shards.pace import Pace
from services.scheduler.shards.relay import Relay
from services.scheduler.shards.rest_news import tell_of_rests
from services.scheduler.sharing.global_limit import GlobalLimit
from services.scheduler.sharing.grants import Grants
from shared import metrics
from shared.bus.producer import Producer
from shared.clock import monotonic, utc_now
from shared.domain.refusal import Rest
from shared.domain.turnover import PART_OF_SHARD, Gathering
from shared.errors import TemporaryError
from shared.events import AnyOrgEvent, CallAnswered, CallFinished, CallWasPlaced, DialJob, JobReleased
from shared.logs import get_logger
from shared.store.client import Store
from shared.store.dialing import in_progress, minutes, shards, starts
from shared.store.dialing.calls_up import tell_of_calls
from shared.store.dialing.campaign_ends import read_campaign_ends
from shared.store.dialing.claim import MAX_CLAIM, ClaimOrder
from shared.store.dialing.fitting_endings import distinct_endings
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import BATCH, ShardWork, WorkDone, do_shard_work
from shared.waiting import wait_at_most

# MongoDB or Kafka is away: look again after this.
RETRY_SECONDS = 0.5
# The loop looks around at least this often, whatever it is told.
SAFETY_NET_SECONDS = 1.0
# While nothing goes on in the shard and nothing is to come by itself: messages, alarms and the safety net wake it.
AT_REST_SECONDS = 5.0
# A released contact waits up to this much longer, at random, so that many do not return at one instant.
JITTER_SECONDS = 0.5
PUBLISH_SECONDS = 5.0

T = TypeVar("T")
log = get_logger()


class _Stopped(Exception):
    """The loop's end while the step that it would repeat cannot be done."""


@dataclass(frozen=True, slots=True)
class LoopParts:
    """What all shards' loops of a process share. `note_done` is told a shard, and before which offset all is done."""

    store: Store
    producer: Producer
    fleet: Fleet
    global_limit: GlobalLimit
    note_done: Callable[[int, int], None]
    lock_seconds: float
    now_for_all: Callable[[], datetime] = utc_now  # the database's clock


class ShardLoop:
    """One shard's loop: works from `run` until cancelled, or until the shard has a newer owner."""

    def __init__(self, parts: LoopParts, shard: int) -> None:
        self.shard = shard
        self._parts, self._store = parts, parts.store
        self._inbox = Inbox()
        self._arrived = asyncio.Event()
        self._enough = asyncio.Event()
        self._publishing: asyncio.Task[None] | None = None
        self._stopping = False
        self._relay = Relay(parts.store, parts.producer, shard)
        self._become(Ownership(shard, 0))

    def _become(self, owner: Ownership) -> None:
        """Forget the shard's memory and read everything again under this ownership."""
        self._owner = owner
        self._memory = ShardMemory(self._store, self.shard)
        self._chores = Chores(self._store, owner, self._memory, self._heed_rests, self._relay.wake)
        self._grants = Grants(owner, self._parts.global_limit)
        self._queue = JobQueue(self._count_locked, self._parts.lock_seconds)
        self._pace = Pace(self._parts.now_for_all, self._parts.lock_seconds)
        self._gathering = Gathering(PART_OF_SHARD)

    def put(self, events: Iterable[AnyOrgEvent], offset: int | None = None) -> None:
        """Hand over events read from Kafka up to `offset` (exclusive), or found elsewhere."""
        for event in events:
            self._inbox.add(event)
        if offset is not None:
            self._inbox.read_up_to(offset)
        self._arrived.set()
        if self.backlog >= self._gathering.enough:
            self._enough.set()

    def remind(
        self, chores: Iterable[Chore] = (), organizations: Iterable[str] = (), campaigns: Iterable[str] = ()
    ) -> None:
        """Take in what the safety net has found: chores, or changes that no hint may have told of."""
        self._inbox.chores.update(chores)
        self._inbox.organizations.update(organizations)
        self._inbox.campaigns.update(campaigns)
        self._arrived.set()

    def relay(self) -> None:
        """Have the shard's facts relayed to Kafka that are not yet."""
        self._relay.wake()

    @property
    def held(self) -> int:
        """Slots held in this shard."""
        return self._memory.held

    @property
    def due(self) -> int:
        """Contacts that are due and not yet claimed, as far as this loop has fetched them."""
        return self._memory.due

    @property
    def backlog(self) -> int:
        """The number of events that wait in the inbox."""
        return self._inbox.open_events

    @property
    def limits_runs(self) -> bool:
        """Whether any campaign of this shard may make only so many calls in a run."""
        return self._memory.limits_runs

    async def run(self) -> None:
        """Take the shard over and work until cancelled. Raises `OwnershipLost` when a newer owner is at work."""
        relay: asyncio.Task[None] | None = None
        try:
            await self._persist(self._take_over)
            relay = asyncio.create_task(self._relay.run(), name=f"relay-{self.shard}")
            # A relay that has ended before was ended by a bug, which ends the loop as well.
            while not self._stopping and not relay.done():
                if not await self._persist(self._step):
                    await self._wait()
                await self._gather()
        except _Stopped:
            log.info("shard left while a server was away", shard=self.shard)
        finally:
            self._relay.stop()  # First: a loop that is cancelled here leaves none behind that goes on.
            await self._published()
            if relay is not None:
                await asyncio.shield(relay)

    async def _gather(self) -> None:
        """Behind a small step, wait a moment for more ends of calls, or until there are enough."""
        if not self._stopping:
            self._enough.clear()
            await wait_at_most(self._enough, self._gathering.pause(self.held, self.backlog, monotonic()))

    def stop(self) -> None:
        """End the loop after the running step.

        Rather than cancelling: in Python 3.11 a cancellation can be lost where a library awaits with
        `asyncio.wait_for`, and one that hits a connecting driver leaks a socket.
        """
        self._stopping = True
        self._arrived.set()
        self._enough.set()

    async def _persist(self, action: Callable[[], Awaitable[T]]) -> T:
        """Do a step, again after every temporary error: no event is dropped because a server is away."""
        while True:
            try:
                return await action()
            except TemporaryError as error:
                log.warning("shard waits", shard=self.shard, why=str(error))
                if self._stopping:
                    raise _Stopped from error
                # Nobody knows which write went through, so what is remembered of sums is read again.
                self._inbox.organizations.update(self._memory.organizations)
                self._grants.doubt()
                self._queue.doubt()
                await asyncio.sleep(RETRY_SECONDS)

    async def _take_over(self) -> None:
        self._become(Ownership(self.shard, await shards.take_over(self._store, self.shard)))
        await self._memory.load(utc_now())
        self.remind(Chore, campaigns=await self._renew_ends(list(self._memory.organizations), utc_now()))
        metrics.TAKE_OVERS.inc()
        log.info("shard taken over", shard=self.shard, epoch=self._owner.epoch, held=self.held)

    async def _step(self) -> bool:
        """Do one round of the loop; whether there may be more to do at once."""
        if not self._stopping:
            self._arrived.clear()
        now, done_before = utc_now(), self._inbox.done
        await minutes.write_minutes(self._store, self._memory.recent_calls.news(now))
        busy = await self._look_at_changes(now)
        self._inbox.closed.update(self._memory.completing.newly_ended(now))
        busy = await self._do_chores(now) or busy
        self._inbox.organizations |= self._chores.take_changed()
        self._inbox.organizations |= await self._chores.complete_campaigns(now)
        ended, released = self._inbox.next_batch()
        work = await self._plan(now, ended, released)
        if not ended and not released and not work.probes and not work.claim.contact_ids:
            self._note_done(self._inbox.take_offset())
            self._gathering.served(0, self._inbox.done - done_before, 0, monotonic())
            return busy or (self._memory.unfinished and self._parts.producer.connected)
        started = monotonic()
        jitter = random.uniform(0, JITTER_SECONDS)
        done = await do_shard_work(self._store, self._owner, work, now, jitter)
        self._inbox.done_with(len(ended), len(released), probes=len(work.probes))
        self._remember(done, work.claim, now)
        metrics.SHARD_TRANSACTION_SECONDS.observe(monotonic() - started)
        _count_endings(ended, done)
        for release in released:
            metrics.RELEASED.labels(release.reason).inc()
        await self._publish(self._pace.appointed(done.jobs, done.callers), started)
        self._gathering.served(len(ended), self._inbox.done - done_before, len(done.jobs), started)
        return True

    def _remember(self, done: WorkDone, order: ClaimOrder, now: datetime) -> None:
        self._memory.account(done.held, done.due, done.remaining)
        self._grants.gave_back(done.given_back)
        self._memory.taken(order.contact_ids, done.left, now, claimed=bool(done.jobs or done.moved))
        self._heed_rests(done.rests)
        self._chores.heed_halts(done.halted)
        self._inbox.organizations |= done.changed
        self._memory.counted(done.numbers, now)
        self._memory.recent_calls.count(done.calls, now)
        self._queue.locked(len(done.jobs))
        if done.told:
            self._relay.wake()
        metrics.CLAIMED.inc(len(done.jobs))

    def _heed_rests(self, rests: Mapping[tuple[str, str], Rest | None]) -> None:
        """Put campaigns to sleep, or wake them, by what rests from now on or may be used again, and tell operators."""
        self._memory.rested(rests, utc_now())
        tell_of_rests(rests)

    async def _look_at_changes(self, now: datetime) -> bool:
        """Read again what hints or stamps have named, note what was closed, keep the times of answers."""
        organizations, campaigns = self._inbox.organizations, self._inbox.campaigns
        answers = list(self._inbox.answered)
        if not organizations and not campaigns and not answers:
            return False
        self._inbox.organizations, self._inbox.campaigns = set(), set()
        try:
            if organizations:
                await self._memory.renew(organizations, now)
                campaigns = campaigns | await self._renew_ends(organizations, now)
                self._inbox.chores |= {Chore.FACTS, Chore.ASKED, Chore.DELETED, Chore.LISTED, Chore.FULL}
                self._chores.numbers_listed()
            await self._memory.contacts_changed(campaigns, now)
            self._inbox.closed |= {campaign for campaign in campaigns if not self._takes_contacts(campaign)}
            await starts.note_answers(self._store, self.shard, [a for a in answers if isinstance(a, CallAnswered)])
            await self._tell_of_calls(answers)
        except TemporaryError:
            self._inbox.organizations |= organizations
            self._inbox.campaigns |= campaigns
            raise
        self._inbox.done_with(answered=len(answers))
        return True

    async def _tell_of_calls(self, news: Sequence[CallAnswered | CallWasPlaced]) -> None:
        """Tell the organizations that want it of calls that are up."""
        wanted = [event for event in news if self._memory.is_told_of_calls(event.organization_id)]
        for start in range(0, len(wanted), BATCH):
            if await tell_of_calls(self._store, self._owner, wanted[start : start + BATCH]):
                self._relay.wake()

    async def _renew_ends(self, organizations: Collection[str], now: datetime) -> set[str]:
        """Read again which campaigns end or complete by themselves; those that are over, whose contacts end."""
        ends = await read_campaign_ends(self._store, organizations, now)
        self._memory.completing.renew(organizations, ends)
        return set(ends.over)

    def _takes_contacts(self, campaign_id: str) -> bool:
        """Whether contacts of a campaign may wait in it for a call, by what was last read."""
        return self._memory.knows(campaign_id) and not self._memory.completing.has_ended(campaign_id)

    async def _do_chores(self, now: datetime) -> bool:
        """One batch of every chore there is; one that may have more stays.

        Of closed campaigns one batch for all: skipping a million contacts takes minutes, in which calls end.
        """
        chores, self._inbox.chores = self._inbox.chores, set()
        try:
            for chore in sorted(chores):
                if not await self._chores.do(chore, now):
                    chores.discard(chore)
        finally:
            self._inbox.chores |= chores
        for campaign_id in sorted(self._inbox.closed):
            if await self._chores.skip_closed(campaign_id, now):
                break
            self._inbox.closed.discard(campaign_id)
        return bool(chores or self._inbox.closed)

    async def _plan(self, now: datetime, ended: Sequence[CallFinished], released: Sequence[JobReleased]) -> ShardWork:
        """The work of the next transaction: these events, and the contacts to claim.

        None is claimed while Kafka is away, because the jobs could not be published.

        Slots about to be freed in the same transaction are planned for, by organization. One that turns out
        to have been freed before is not claimed: the transaction itself looks at every limit again.
        """
        freed = _freed_by(ended)
        at_most = MAX_CLAIM if self._parts.producer.connected else 0
        demands = self._pace.bounded(await self._memory.demands(now, at_most, freed)) if at_most else []
        held = max(0, self.held - sum(freed.values()))
        await self._grants.adjust(demands, self.held, held)
        wanted = min(at_most, self._grants.takeable(demands, held))
        at_most = await self._queue.room(wanted, self._parts.fleet.calls_per_second, self._grants.part)
        in_time = self._pace.allowed(demands, self._parts.fleet.calls_per_second)
        chosen = plan(in_time, self._grants.entitled, grant=self._grants.grant, held=held, at_most=at_most)
        times = self._pace.times_of_numbers(demands)
        order = ClaimOrder(chosen.contact_ids, chosen.shares, self._parts.lock_seconds, times)
        probes = list(islice(self._inbox.probes, BATCH))
        return ShardWork(ended, released, order, self._grants.needed(demands, held), probes)

    async def _count_locked(self) -> int:
        return await in_progress.count_locked(self._store, self.shard)

    async def _publish(self, jobs: list[DialJob], started: float) -> None:
        """Publish the jobs beside the next transaction, one such task at a time; then the events before are done."""
        await self._published()
        offset = self._inbox.take_offset()
        if jobs or offset is not None:
            self._publishing = asyncio.create_task(self._publish_jobs(jobs, offset, started))

    async def _publish_jobs(self, jobs: list[DialJob], offset: int | None, started: float) -> None:
        for job in await self._parts.producer.publish_jobs(jobs, PUBLISH_SECONDS):
            # It may have got through all the same: then its start finds no lock. It is never sent again.
            self.put([_unpublished(job)])
        if jobs:
            metrics.REFILL_SECONDS.observe(monotonic() - started)
        self._note_done(offset)

    def _note_done(self, offset: int | None) -> None:
        if offset is not None:
            self._parts.note_done(self.shard, offset)

    async def _published(self) -> None:
        """Wait for the publishing task; a cancelled loop still lets it end, so that no job is cut in two."""
        task, self._publishing = self._publishing, None
        if task is not None:
            await asyncio.shield(task)

    async def _wait(self) -> None:
        """Sleep until an event arrives, a contact becomes due, or there may be slots or room in the queue again.

        At most a second, or a few while the shard is at rest.
        """
        at_rest = self._memory.is_at_rest and not self._grants.grant and self._parts.producer.connected
        longest = AT_REST_SECONDS if at_rest else SAFETY_NET_SECONDS
        seconds = min(longest, self._grants.again_in, self._queue.again_in, self._pace.again_in)
        alarm = self._memory.next_alarm
        # While Kafka is away nobody is claimed, so an alarm that has rung would ring on.
        if alarm is not None and self._parts.producer.connected:
            seconds = min(seconds, max(0.0, (alarm - utc_now()).total_seconds()))
        with self._parts.global_limit.wakes(self.shard, self._arrived) if self._grants.waits else nullcontext():
            await wait_at_most(self._arrived, seconds + 0.001)


def _freed_by(ended: Iterable[CallFinished]) -> Counter[str]:
    """The slots that these endings free, by organization."""
    attempts = {(event.organization_id, event.attempt_id) for event in ended}
    return Counter(organization_id for organization_id, _ in attempts)


def _count_endings(ended: Sequence[CallFinished], done: WorkDone) -> None:
    told = {*done.recorded.new, *done.recorded.upgraded}
    for event in distinct_endings(ended):
        if event.attempt_id in told:
            metrics.FINISHED.labels(event.outcome).inc()
    for provisional in done.recorded.upgraded.values():
        metrics.UPGRADED.labels(provisional).inc()
    metrics.ENDINGS_REPEATED.inc(len(ended) - len(told))


def _unpublished(job: DialJob) -> JobReleased:
    return JobReleased(
        organization_id=job.organization_id,
        shard=job.shard,
        attempt_id=job.attempt_id,
        contact_id=job.contact_id,
        nonce=None,
        reason="not published",
    )
