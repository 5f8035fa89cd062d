"""The scheduler's wiring, on one screen."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.scheduler.evidence.reconcile import Reconciler
from services.scheduler.evidence.search import EvidenceSearch
from services.scheduler.evidence.suspect_slots import SuspectSlotCount
from services.scheduler.evidence.suspects import Suspects
from services.scheduler.fleet import Fleet
from services.scheduler.report import REPORT_SECONDS, Report
from services.scheduler.settings import SchedulerSettings
from services.scheduler.shards.group import SERVICE, ShardGroup
from services.scheduler.shards.loop import LoopParts, ShardLoop
from services.scheduler.sharing.global_limit import LOOK_SECONDS, GlobalLimit
from services.scheduler.timers.abandoned import SEARCH_SECONDS, AbandonedTransactions
from services.scheduler.timers.rounds import go_round
from services.scheduler.timers.safety_net import SafetyNet
from shared.beside import beside
from shared.bus.producer import Producer
from shared.cancelling import until_cancelled
from shared.carriers import Carriers
from shared.errors import OwnershipLost
from shared.logs import get_logger
from shared.store.client import Store, connect
from shared.store.dialing import executors, shards
from shared.store.dialing.server_clock import ServerClock
from shared.stored_secrets import SecretCipher
from shared.telephony.providers import BuildProvider, build_provider, ignore_report
from shared.wiring import connected

log = get_logger()


class Scheduler:
    """One scheduler: its shards, their loops and its timers. Tests build several in one process."""

    def __init__(self, settings: SchedulerSettings, *, store: Store, producer: Producer, carriers: Carriers) -> None:
        self._settings, self._store, self._producer = settings, store, producer
        self._scheduler_id = f"{settings.instance or SERVICE}-{uuid.uuid4()}"
        self._fleet = Fleet()
        self._suspects = Suspects()
        self._reconciler = Reconciler(carriers, settings, self._suspects)
        self._group: ShardGroup | None = None
        self._global_limit = GlobalLimit(store)
        self._server_clock = ServerClock(store)

    async def run(self) -> None:
        """Work until cancelled; a scheduler that lost a shard joins the group again with nothing in memory."""
        await shards.ensure_shards(self._store)
        self._fleet.observe(await executors.read_heartbeats(self._store))
        await self._server_clock.look()
        while True:
            try:
                async with self._membership() as group, asyncio.TaskGroup() as tasks:
                    safety_net, evidence = self._safety_net(group), self._evidence_search(group)
                    waiting = SuspectSlotCount(self._store, self._fleet, self._suspects, group.loops)
                    abandoned = AbandonedTransactions(self._store)
                    report = Report(self._store, self._scheduler_id, group.loops, waiting)
                    tasks.create_task(group.run())
                    tasks.create_task(go_round(safety_net, "safety net"))
                    tasks.create_task(go_round(evidence, "search for evidence"))
                    tasks.create_task(go_round(waiting, "count of waiting slots"))
                    tasks.create_task(go_round(report, "report to the operator", REPORT_SECONDS))
                    tasks.create_task(go_round(self._global_limit, "look for free slots", LOOK_SECONDS))
                    tasks.create_task(go_round(abandoned, "search for abandoned transactions", SEARCH_SECONDS))
                    tasks.create_task(_watch(group))
                    try:
                        await until_cancelled()
                    finally:
                        # Said before the cancellation, which may be lost in a library's `asyncio.wait_for`.
                        for work in (group, safety_net, evidence, waiting, report, abandoned, self._global_limit):
                            work.ending = True
            except* OwnershipLost as lost:
                log.warning("joining again", why=str(lost.exceptions[0]))

    @asynccontextmanager
    async def _membership(self) -> AsyncIterator[ShardGroup]:
        group = ShardGroup(self._settings, self._producer, self._build_loop)
        self._group, self._global_limit = group, GlobalLimit(self._store)
        try:
            await group.start(self._settings.start_deadline_seconds)
            yield group
        finally:
            await group.stop()
            self._group = None

    @property
    def shards_owned(self) -> int:
        """The shards that this process owns now."""
        return len(self._group.loops) if self._group else 0

    def _build_loop(self, shard: int) -> ShardLoop:
        group = self._group
        assert group is not None, "loops are built by the group"
        parts = LoopParts(
            self._store,
            self._producer,
            self._fleet,
            self._global_limit,
            group.note_done,
            self._settings.lock_seconds,
            self._server_clock.now,
        )
        return ShardLoop(parts, shard)

    def _safety_net(self, group: ShardGroup) -> SafetyNet:
        return SafetyNet(
            self._store,
            self._producer,
            self._fleet,
            group.loops,
            self._server_clock,
            configured_limit=self._settings.global_concurrency_limit,
        )

    def _evidence_search(self, group: ShardGroup) -> EvidenceSearch:
        return EvidenceSearch(
            self._store,
            self._fleet,
            self._reconciler,
            self._suspects,
            group.loops,
            dialing=self._settings,
            reconcile_seconds=self._settings.reconcile_seconds,
        )


async def _watch(group: ShardGroup) -> None:
    """End the process when a shard's loop has ended by a bug, so that the shard gets another owner."""
    while True:
        failure = group.failure()
        if failure is not None:
            raise failure
        await asyncio.sleep(1.0)


@asynccontextmanager
async def running(
    settings: SchedulerSettings, build_provider: BuildProvider = build_provider
) -> AsyncIterator[Scheduler]:
    """The scheduler at work; it looks calls up with what `build_provider` makes.

    Raises what `connected` raises, `ConfigurationError` for a provider that cannot be had, and
    `Unavailable` when Kafka stays away while the scheduler joins its group.
    """
    # First: settings that name none are said at once, also while the servers are away.
    provider = build_provider(settings, ignore_report)
    store, producer = connect(settings), Producer(settings)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(connected(settings, store, producer, SERVICE))
        carriers = Carriers(store, settings, SecretCipher(settings.secret_key), provider)
        await carriers.start()
        stack.push_async_callback(carriers.close)
        scheduler = Scheduler(settings, store=store, producer=producer, carriers=carriers)
        await stack.enter_async_context(beside(scheduler.run(), name=SERVICE, drains=True))
        yield scheduler
