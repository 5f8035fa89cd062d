"""Every two seconds: what the scheduler says of itself to its operator (`GET /admin/system`)."""

from collections.abc import Mapping
from typing import Final

from services.scheduler.evidence.suspect_slots import SuspectSlotCount
from services.scheduler.shards.loop import ShardLoop
from shared.store.client import Store
from shared.store.dialing import schedulers
from shared.store.dialing.schedulers import SchedulerReport

REPORT_SECONDS: Final = 2.0


class Report:
    """The scheduler's shards and its slots that wait for evidence, as last counted."""

    def __init__(
        self, store: Store, scheduler_id: str, loops: Mapping[int, ShardLoop], count: SuspectSlotCount
    ) -> None:
        self._store, self._scheduler_id, self._loops, self._count = store, scheduler_id, loops, count
        self.ending = False

    async def look(self) -> None:
        """One round."""
        waiting = self._count.waiting
        await schedulers.report(
            self._store,
            SchedulerReport(
                scheduler=self._scheduler_id,
                shards=sorted(self._loops),
                waiting={} if waiting is None else {reason.value: count for reason, count in waiting.reasons.items()},
                oldest_at=None if waiting is None else waiting.oldest,
                given_up_by=None if waiting is None else waiting.given_up_by,
            ),
        )
