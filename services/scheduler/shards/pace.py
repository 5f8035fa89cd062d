"""The pace of one shard's calls: how many may be claimed now, and when each of them is to be placed.

The times that are given out are kept here alone. A new owner, and a limit that is new, begin with those of the next two
seconds given out: somebody else may have done so.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from services.scheduler.planner import CampaignQueue, OrganizationDemand
from shared.domain.call_rate import AHEAD_SECONDS, Line, Scope, allowed, timetable
from shared.domain.ids import campaign_budget, organization_budget
from shared.events import DialJob


class Pace:
    """The lines of one shard's organizations and campaigns that have a limit of calls a second.

    `now` is the database's clock. A claim lives for `lock_seconds`, of which a third at most is waited for a time.
    """

    def __init__(self, now: Callable[[], datetime], lock_seconds: float) -> None:
        self._now = now
        self._ahead = min(AHEAD_SECONDS, lock_seconds / 3)
        self._lines: dict[Scope, Line] = {}
        self._began = now()
        self._again_at = math.inf

    @property
    def again_in(self) -> float:
        """Seconds until contacts that found no time may find one; infinite when all found some."""
        return max(0.0, self._again_at - self._seconds(self._now()))

    def bounded(self, demands: Sequence[OrganizationDemand]) -> list[OrganizationDemand]:
        """The demands, cut to what can be claimed at once at most: slots for more need not be asked for."""
        return [
            _cut(demand, [_most(demand, queue, self._ahead) for queue in demand.queues])
            if _is_paced(demand)
            else demand
            for demand in demands
        ]

    def allowed(self, demands: Sequence[OrganizationDemand], executors_per_second: float) -> list[OrganizationDemand]:
        """The demands, cut to the contacts for whose calls there is a time.

        `executors_per_second` is what all executors can place: times beyond that would only pass.
        """
        now, self._again_at = self._seconds(self._now()), math.inf
        found = []
        for demand in demands:
            if self._lines or _is_paced(demand):
                self._draw_lines(demand, executors_per_second, now)
            if not _is_paced(demand):
                found.append(demand)
                continue
            in_order = sorted(demand.queues, key=lambda queue: -queue.priority)
            scopes = [_scopes(demand.organization_id, queue.campaign_id) for queue in in_order]
            waiting = [(its, len(queue.waiting)) for its, queue in zip(scopes, in_order, strict=True)]
            counts = allowed(waiting, self._lines, now, self._ahead)
            if not any(counts):
                # Otherwise the claim moves the lines, or something else holds the calls back.
                self._again_at = min(self._again_at, *map(self._free_again_at, scopes))
            found.append(_cut(replace(demand, queues=in_order), counts))
        return found

    def appointed(self, jobs: Sequence[DialJob]) -> list[DialJob]:
        """The jobs that were claimed, each of a paced organization or campaign with its time; the times are taken."""
        paced = [
            job for job in jobs if not self._lines.keys().isdisjoint(_scopes(job.organization_id, job.campaign_id))
        ]
        if not paced:
            return list(jobs)
        # A limit of caller numbers joins here: one more scope of each call.
        scopes = [_scopes(job.organization_id, job.campaign_id) for job in paced]
        given_out = timetable(scopes, self._lines, self._seconds(self._now()))
        self._lines = dict(given_out.lines)
        times = {job.attempt_id: self._moment(at) for job, at in zip(paced, given_out.times, strict=True)}
        return [
            job.model_copy(update={"place_at": times[job.attempt_id]}) if job.attempt_id in times else job
            for job in jobs
        ]

    def _draw_lines(self, demand: OrganizationDemand, executors_per_second: float, now: float) -> None:
        """Have a line for each limit that there is now, and none for others."""
        rates = {organization_budget(demand.organization_id): demand.calls_per_second}
        rates |= {campaign_budget(queue.campaign_id): queue.calls_per_second for queue in demand.queues}
        for scope, rate in rates.items():
            if rate is None:
                self._lines.pop(scope, None)
                continue
            reached = min(rate, executors_per_second) if executors_per_second > 0 else rate
            line = self._lines.get(scope)
            self._lines[scope] = Line.empty(reached, now) if line is None else line.at_rate(reached)

    def _free_again_at(self, scopes: Sequence[Scope]) -> float:
        return max(
            (self._lines[scope].portion_at(self._ahead) for scope in scopes if scope in self._lines), default=0.0
        )

    def _seconds(self, at: datetime) -> float:
        return (at - self._began).total_seconds()

    def _moment(self, seconds: float) -> datetime:
        # Whole milliseconds, and none sooner than its time.
        return self._began + timedelta(milliseconds=math.ceil(seconds * 1000 - 0.001))


def _scopes(organization_id: str, campaign_id: str) -> tuple[Scope, Scope]:
    return organization_budget(organization_id), campaign_budget(campaign_id)


def _is_paced(demand: OrganizationDemand) -> bool:
    return demand.calls_per_second is not None or any(queue.calls_per_second is not None for queue in demand.queues)


def _most(demand: OrganizationDemand, queue: CampaignQueue, ahead: float) -> int:
    rates = [rate for rate in (demand.calls_per_second, queue.calls_per_second) if rate is not None]
    return min((len(queue.waiting), *(math.ceil(rate * ahead) + 1 for rate in rates)))


def _cut(demand: OrganizationDemand, counts: Sequence[int]) -> OrganizationDemand:
    """The demand with so many contacts of each queue; itself where none is cut off."""
    if all(len(queue.waiting) <= count for queue, count in zip(demand.queues, counts, strict=True)):
        return demand
    cut = zip(demand.queues, counts, strict=True)
    queues = [replace(queue, waiting=list(islice(queue.waiting, count))) for queue, count in cut if count]
    return replace(demand, queues=queues)
