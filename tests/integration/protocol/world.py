"""A small world on a real MongoDB: two schedulers, two executors, Kafka as lists, and a carrier that judges.

Everything that the processes write goes through the real functions of the store, the real `Placer` and the
real `Reconciler`. The world only decides what happens next, what is lost on the way, and what time it is:
`now` is a virtual clock. START takes the server's own time, so the world puts its clock in its place right
after every start; what is left of PLACE is handed to the placer as a start so much earlier.
"""

import functools
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

from services.call_executor.placing import Batch
from services.scheduler.evidence.reconcile import Reconciler
from shared.clock import monotonic
from shared.domain.contact import FINAL
from shared.errors import OwnershipLost
from shared.events import CallFinished, DialJob, JobReleased
from shared.settings import DialingSettings
from shared.store.client import Store
from shared.store.contacts import wishes
from shared.store.dialing import deletions, in_progress, results, shard_work, shards, starts
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, Swept, do_shard_work
from shared.telephony.provider import CallMode
from tests.carriers import through
from tests.integration.protocol.carrier import Call, Carrier, Fate
from tests.integration.protocol.promises import Promises
from tests.integration.protocol.rules_in_force import RulesInForce
from tests.integration.protocol.seats import ExecutorSeat, Log, SchedulerSeat, Task, ending_of, released
from tests.integration.protocol.told import tell_news
from tests.integration.protocol.watch import Watch

# Shortly before midnight in the configurations' zone, so that days of caps begin while calls are made.
START_OF_TIME = datetime(2026, 1, 6, 4, 55, tzinfo=UTC)
DIALING = DialingSettings(ring_seconds=10, max_call_seconds=60, hold_margin_seconds=10)
SHARDS = (0, 1)
SEATS = (0, 1)

P = ParamSpec("P")
T = TypeVar("T")


def step(
    action: Callable[Concatenate["World", P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate["World", P], Coroutine[Any, Any, T]]:
    """One step of the world: afterwards every promise is checked. A step inside another is part of it."""

    @functools.wraps(action)
    async def stepped(world: "World", /, *args: P.args, **kwargs: P.kwargs) -> T:
        world.steps += 1
        world.depth += 1
        try:
            result = await action(world, *args, **kwargs)
        finally:
            world.depth -= 1
        if not world.depth:
            await world.look()
        return result

    return stepped


@dataclass
class World:
    """Made by `tests.integration.protocol.setting`; its public coroutines are the steps."""

    store: Store
    rules: RulesInForce
    carrier: Carrier
    promises: Promises
    contacts: list[str] = field(default_factory=list)
    shard_of: dict[str, int] = field(default_factory=dict)
    numbers: dict[tuple[str, str], str] = field(default_factory=dict)
    now: datetime = START_OF_TIME
    steps: int = 0
    depth: int = 0
    epochs: dict[int, int] = field(default_factory=lambda: dict.fromkeys(SHARDS, 0))
    events: dict[int, Log] = field(default_factory=lambda: {shard: Log() for shard in SHARDS})
    jobs: Log = field(default_factory=Log)
    schedulers: list[SchedulerSeat] = field(default_factory=lambda: [SchedulerSeat() for _ in SEATS])
    searches: list[Reconciler] = field(default_factory=list)
    executors: list[ExecutorSeat] = field(default_factory=list)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.rules, self.carrier)
        self.searches = [Reconciler(through(self.carrier, self.store), DIALING) for _ in SEATS]
        self.executors = [ExecutorSeat(self.store, self.carrier, DIALING, 0) for _ in SEATS]

    async def look(self) -> None:
        """Check every promise, and note what the carrier's judge has to know."""
        self.watch.look(await self.promises.check(), self.steps, self.now)

    # Schedulers.

    def owns(self, scheduler: int, shard: int) -> bool:
        """Whether a scheduler believes that it owns a shard."""
        return shard in self.schedulers[scheduler].owned

    @step
    async def take_over(self, scheduler: int, shard: int) -> None:
        """Kafka assigns the shard to this scheduler; the old owner has not noticed yet."""
        epoch = await shards.take_over(self.store, shard)
        self.epochs[shard] = max(epoch, self.epochs[shard])
        self.schedulers[scheduler].becomes(Ownership(shard, epoch), self.events[shard].committed)

    async def owned_write(self, scheduler: int, shard: int, write: Callable[[Ownership], Awaitable[T]]) -> T | None:
        """A write under an ownership: an old owner must fail, the newest must not."""
        seat, newest = self.schedulers[scheduler], self.epochs[shard]
        owner = seat.owned[shard]
        try:
            done = await write(owner)
        except OwnershipLost:
            state = await self.store["shards"].find_one({"_id": shard})
            assert state is not None
            assert owner.epoch < state["epoch"], "the newest owner lost its shard"
            seat.loses(shard)
            return None
        # A sweep that finds nothing writes nothing, so nobody is told anything.
        assert owner.epoch >= newest or done == Swept(), "I6: a write of an old owner was committed"
        return done

    @step
    async def work(
        self,
        scheduler: int,
        shard: int,
        *,
        claim: Iterable[str] | None = None,
        needed: int | None = None,
        commits: bool = True,
        reply_lost: bool = False,
    ) -> list[DialJob]:
        """One transaction: all that has arrived, then claims in the given order (None: everybody's).

        What it frees beyond the `needed` slots, held ones included, leaves the shard's grant (None: nothing does).
        `reply_lost`: nobody learns that it was committed, so its jobs are never published and its events come again.
        """
        seat, log = self.schedulers[scheduler], self.events[shard]
        end = len(log.records)
        waiting = seat.waiting(shard, log)
        order = ClaimOrder(list(self.contacts if claim is None else claim), {}, DIALING.lock_seconds)

        told = functools.partial(tell_news, self.store, waiting.news)
        if waiting.news and await self.owned_write(scheduler, shard, told) is None:
            return []

        async def write(owner: Ownership) -> list[DialJob]:
            work = ShardWork(waiting.ended, waiting.released, order, needed, waiting.probes)
            return (await do_shard_work(self.store, owner, work, self.now)).jobs

        jobs = await self.owned_write(scheduler, shard, write)
        if jobs is None or reply_lost:
            return []
        seat.inbox[shard] = []
        seat.positions[shard] = end
        if commits:
            log.committed = max(log.committed, end)
        seat.unpublished += jobs
        return jobs

    @step
    async def publish(self, scheduler: int, *, arrives: bool = True, acknowledged: bool = True) -> None:
        """Send the dial jobs; what is not acknowledged is released, and may have got through all the same."""
        seat = self.schedulers[scheduler]
        jobs, seat.unpublished = seat.unpublished, []
        if arrives:
            for job in jobs:
                self.jobs.append(job)
        if not acknowledged:
            for job in jobs:
                seat.inbox.get(job.shard, []).append(released(job, None))

    @step
    async def expire(self, scheduler: int, shard: int) -> int:
        """Claims that nobody started in time."""
        swept = await self.owned_write(
            scheduler, shard, lambda owner: shard_work.expire_claims(self.store, owner, self.now)
        )
        return swept.moved if swept else 0

    @step
    async def sweep(self, scheduler: int, shard: int) -> None:
        """The other chores: deletions, closed campaigns, do-not-call, wishes, the second sink."""
        await self.owned_write(scheduler, shard, lambda owner: deletions.remove_deleted(self.store, owner, self.now))
        for campaign_id in [c for c in self.rules.active if self.shard_of[c] == shard and self.owns(scheduler, shard)]:
            skip = functools.partial(shard_work.skip_closed, self.store, campaign_id=campaign_id, now=self.now)
            await self.owned_write(scheduler, shard, skip)
        if self.owns(scheduler, shard):
            skip_listed = functools.partial(shard_work.skip_listed, self.store, contact_ids=self.contacts, now=self.now)
            await self.owned_write(scheduler, shard, skip_listed)
        if self.owns(scheduler, shard):
            await self.carry_out(scheduler, shard)
        if self.owns(scheduler, shard):
            await self._apply_results(scheduler, shard)

    @step
    async def carry_out(self, scheduler: int, shard: int) -> int:
        """Wishes of the shard's contacts; how many were looked at."""
        swept = await self.owned_write(scheduler, shard, lambda owner: wishes.carry_out(self.store, owner, self.now))
        return swept.moved if swept else 0

    async def _apply_results(self, scheduler: int, shard: int) -> None:
        waiting = await results.unapplied_results(self.store, shard)

        async def write(owner: Ownership) -> bool:
            await do_shard_work(self.store, owner, ShardWork(ended=waiting), self.now)
            return True

        applied = await self.owned_write(scheduler, shard, write) if waiting else None
        if applied:
            await results.remove_results(self.store, [event.attempt_id for event in waiting])

    @step
    async def reconcile(self, scheduler: int, shard: int) -> int:
        """Ask about every running call of the shard, suspect or not; what was found out waits in the inbox."""
        since = START_OF_TIME - timedelta(days=1)
        running = await in_progress.started_between(self.store, [shard], [(since, self.now)], 500)
        endings = await self.searches[scheduler].find_endings(running, self.now)
        self.schedulers[scheduler].inbox[shard] += endings
        return len(endings)

    @step
    async def move_grant(self, scheduler: int, shard: int, delta: int) -> bool:
        """Take from the free part of the global limit, or give back."""
        owner = self.schedulers[scheduler].owned[shard]
        moved = await shards.move_grants(self.store, [shards.GrantMove(owner, delta)])
        assert not moved or owner.epoch == self.epochs[shard], "I7: an old owner moved a grant"
        return moved

    @step
    async def kill_scheduler(self, scheduler: int) -> None:
        """kill -9: claimed jobs that were not published are forgotten."""
        self.schedulers[scheduler] = SchedulerSeat()
        self.searches[scheduler] = Reconciler(through(self.carrier, self.store), DIALING)

    # Executors.

    @step
    async def poll(self, executor: int, *, again: int = 0) -> int:
        """Take the jobs that are new to this executor, and `again` so many old ones (a rebalance)."""
        seat = self.executors[executor]
        position = max(0, seat.position - again)
        seat.take(self.jobs.records[position:])
        seat.position = len(self.jobs.records)
        return seat.position - position

    @step
    async def start(self, executor: int, task: Task) -> bool:
        """START; whether the job is this executor's now."""
        seat = self.executors[executor]
        seat.tasks.remove(task)
        batch = await seat.placer.start([task.job])
        await self._set_start_time(batch.nonce)
        for contact in batch.contacts:
            seat.tasks.append(Task(task.job, batch.nonce, self.now, contact))
        return bool(batch.contacts)

    @step
    async def start_unknown(self, executor: int, task: Task, *, arrived: bool) -> None:
        """START whose answer never comes: not dialed, but released by its nonce."""
        seat = self.executors[executor]
        seat.tasks.remove(task)
        nonce = str(uuid.uuid4())
        if arrived:
            job = task.job
            mode, limits = self.carrier.mode, DIALING.call_limits
            await starts.start(self.store, starts.StartOrder([job], nonce, seat.id, mode, limits))
            await self._set_start_time(nonce)
        seat.spool.add(released(task.job, nonce))

    @step
    async def give_back(self, executor: int, task: Task) -> None:
        """A full or draining executor gives back a job that it has not started."""
        seat = self.executors[executor]
        seat.tasks.remove(task)
        seat.placer.release_unstarted([task.job], "executor full")

    @step
    async def gate(self, executor: int, task: Task) -> bool:
        """GATE; whether the call may be placed."""
        task.look_step, task.looked_at = self.steps, None
        allowed, _ = await self.executors[executor].placer.gate(self._batch(task))
        if allowed:
            task.looked_at = self.now
        else:
            self.executors[executor].tasks.remove(task)
        return bool(allowed)

    def is_fresh(self, executor: int, task: Task) -> bool:
        """Whether the last look at the gate may still be trusted."""
        return task.looked_at is not None and self.executors[executor].placer.is_fresh(self._moment(task.looked_at))

    @step
    async def place(self, executor: int, task: Task, fate: Fate = Fate.PLACED) -> None:
        """PLACE, by whoever has passed the gate and does not look again."""
        assert task.contact is not None
        seat = self.executors[executor]
        seat.tasks.remove(task)
        self.carrier.fate, self.carrier.looked_at = fate, task.look_step
        self.carrier.looked_on = task.looked_at.date() if task.looked_at is not None else None
        if self.carrier.mode is CallMode.IN_PROCESS:
            seat.holding.add(task.job.attempt_id)
        await seat.placer.place(task.contact, self._batch(task), self._moment(task.looked_at or self.now))
        await starts.note_call_ids(self.store, seat.spool.call_ids)
        seat.spool.call_ids.clear()

    @step
    async def dial(self, executor: int, task: Task, fate: Fate = Fate.PLACED) -> None:
        """Everything that an undisturbed executor does with a job."""
        seat = self.executors[executor]
        if not task.nonce:
            if not await self.start(executor, task):
                return
            task = next(t for t in seat.tasks if t.nonce and t.job == task.job)
        if self.is_fresh(executor, task) or await self.gate(executor, task):
            await self.place(executor, task, fate)

    @step
    async def flush(self, executor: int, *, kafka: bool = True) -> None:
        """Send what the executor has to say; without Kafka endings go to the second sink, the rest waits."""
        spool = self.executors[executor].spool
        events, spool.events = spool.events, []
        endings = [event for event in events if isinstance(event, CallFinished)]
        self.executors[executor].holding -= {event.attempt_id for event in endings}
        if kafka:
            # A repeated job is given back beside the call that the first one has become: that call is held on.
            given_back = {event.attempt_id for event in events if isinstance(event, JobReleased)}
            self.executors[executor].holding -= given_back - self.carrier.taken
            for event in events:
                self.events[event.shard].append(event)
            return
        await results.add_results(self.store, endings)
        spool.events = [event for event in events if not isinstance(event, CallFinished)]

    @step
    async def kill_executor(self, executor: int) -> None:
        """kill -9: started jobs, unsent words and the knowledge of calls held here are gone."""
        seat = self.executors[executor]
        self.carrier.unknowable |= seat.holding
        self.executors[executor] = ExecutorSeat(self.store, self.carrier, DIALING, self.jobs.committed)

    def _batch(self, task: Task) -> Batch:
        assert task.started is not None
        assert task.contact is not None
        return Batch(task.nonce, self._moment(task.started), [task.contact])

    def _moment(self, then: datetime) -> float:
        """A virtual instant on the monotonic clock."""
        return monotonic() - (self.now - then).total_seconds()

    async def _set_start_time(self, nonce: str) -> None:
        # Only moved in time: how long a start is held is START's own word.
        held = {"$subtract": ["$start.hold_until", "$start.at"]}
        times = {"start.at": self.now, "start.hold_until": {"$add": [self.now, held]}}
        await self.store["contacts"].update_many({"start.nonce": nonce}, [{"$set": times}])

    # Time, and the carrier.

    @step
    async def pass_time(self, seconds: float) -> None:
        """Nobody does anything for so long."""
        self.now += timedelta(seconds=seconds)
        self.rules.dates_come(self.steps, self.now)
        self.carrier.time_passes(self.now)

    @step
    async def report(self, call: Call, *, times: int = 1, kafka: bool = True) -> None:
        """The carrier reports an ended call: to our endpoint, or to the process that holds it.

        `times` 0: it never will again.
        """
        self.carrier.reports.remove(call)
        attempt_id = call.request.attempt_id
        if self.carrier.mode is CallMode.IN_PROCESS:
            for seat in self.executors:
                if attempt_id in seat.holding:
                    seat.held.on_report(self.carrier.report_of(call))
            return
        if not times and not self.carrier.can_look_up:
            self.carrier.unknowable.add(attempt_id)
        event = ending_of(self.carrier, call)
        for _ in range(times):
            if kafka:
                self.events[event.shard].append(event)
            else:
                await results.add_results(self.store, [event])

    async def settled(self) -> bool:
        """Whether nothing is left to do for anybody."""
        waits = await self.store["contacts"].find_one(
            {"$or": [{"status": {"$nin": sorted(FINAL)}}, {"delete_requested": True}]}, {"_id": 1}
        )
        wished = await self.store["asks"].find_one({}, {"_id": 1})
        return not waits and not wished and not (self.carrier.live() or self.carrier.reports or self.carrier.late)
