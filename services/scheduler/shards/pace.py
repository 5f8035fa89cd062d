"""The pace of one shard's calls: how many may be claimed now, and when each of them is to be placed.

The times that are given out are kept here alone. A new owner, and a limit that is new, begin with those of the next two
seconds given out: somebody else may have done so.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from services.scheduler.planner import CampaignQueue, OrganizationDemand
from shared.domain.call_rate import AHEAD_SECONDS, Line, Scope, allowed, room, timetable
from shared.domain.ids import campaign_budget, number_budget, organization_budget
from shared.events import DialJob
from shared.store.dialing.number_use import OneNumber


class Pace:
    """The lines of one shard's organizations, campaigns and caller numbers that have a limit of calls a second.

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
            waiting = [self._with_times(demand, queue, now) for queue in in_order]
            counts = allowed(list(zip(scopes, waiting, strict=True)), self._lines, now, self._ahead)
            if not any(counts):
                # Otherwise the claim moves the lines, or something else holds the calls back.
                again = [self._free_again_at(demand, queue) for queue in in_order]
                self._again_at = min(self._again_at, *again)
            found.append(_cut(replace(demand, queues=in_order), counts))
        return found

    def times_of_numbers(self, demands: Sequence[OrganizationDemand]) -> dict[OneNumber, int]:
        """How many calls may be claimed now from each caller number with a limit, of organizations that want some."""
        now = self._seconds(self._now())
        return {
            (demand.organization_id, number): self._room_of(demand.organization_id, number, now)
            for demand in demands
            for number in demand.number_rates
        }

    def appointed(self, jobs: Sequence[DialJob], callers: Mapping[str, str]) -> list[DialJob]:
        """The jobs that were claimed, each that a limit paces with its time; the times are taken.

        `callers`: the numbers that they call from, by attempt, where any has a limit.
        """
        scopes_of = {job.attempt_id: _scopes_of_job(job, callers) for job in jobs}
        paced = [job for job in jobs if not self._lines.keys().isdisjoint(scopes_of[job.attempt_id])]
        if not paced:
            return list(jobs)
        scopes = [scopes_of[job.attempt_id] for job in paced]
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
        of_numbers = number_budget(demand.organization_id, "")
        rates |= {scope: None for scope in self._lines if scope.startswith(of_numbers)}
        rates |= {of_numbers + number: rate for number, rate in demand.number_rates.items()}
        for scope, rate in rates.items():
            if rate is None:
                self._lines.pop(scope, None)
                continue
            reached = min(rate, executors_per_second) if executors_per_second > 0 else rate
            line = self._lines.get(scope)
            self._lines[scope] = Line.empty(reached, now) if line is None else line.at_rate(reached)

    def _with_times(self, demand: OrganizationDemand, queue: CampaignQueue, now: float) -> int:
        """How many contacts of a queue wait for whose calls there are times of its caller numbers."""
        if not queue.numbers:
            return len(queue.waiting)
        rooms = (self._room_of(demand.organization_id, number, now) for number in queue.numbers)
        return min(len(queue.waiting), sum(rooms))

    def _room_of(self, organization_id: str, number: str, now: float) -> int:
        line = self._lines.get(number_budget(organization_id, number))
        # Of a number that is new to this loop no line is drawn yet.
        return 0 if line is None else room(line, now, self._ahead)

    def _free_again_at(self, demand: OrganizationDemand, queue: CampaignQueue) -> float:
        scopes = _scopes(demand.organization_id, queue.campaign_id)
        portions = [self._lines[scope].portion_at(self._ahead) for scope in scopes if scope in self._lines]
        of_numbers = [
            self._lines[scope].portion_at(self._ahead)
            for scope in (number_budget(demand.organization_id, number) for number in queue.numbers)
            if scope in self._lines
        ]
        return max([0.0, *portions, *([min(of_numbers)] if of_numbers else [])])

    def _seconds(self, at: datetime) -> float:
        return (at - self._began).total_seconds()

    def _moment(self, seconds: float) -> datetime:
        # Whole milliseconds, and none sooner than its time.
        return self._began + timedelta(milliseconds=math.ceil(seconds * 1000 - 0.001))


def _scopes(organization_id: str, campaign_id: str) -> tuple[Scope, Scope]:
    return organization_budget(organization_id), campaign_budget(campaign_id)


def _scopes_of_job(job: DialJob, callers: Mapping[str, str]) -> tuple[Scope, ...]:
    scopes, caller = _scopes(job.organization_id, job.campaign_id), callers.get(job.attempt_id)
    return scopes if caller is None else (*scopes, number_budget(job.organization_id, caller))


def _is_paced(demand: OrganizationDemand) -> bool:
    its_own = demand.calls_per_second is not None or bool(demand.number_rates)
    return its_own or any(queue.calls_per_second is not None for queue in demand.queues)


def _most(demand: OrganizationDemand, queue: CampaignQueue, ahead: float) -> int:
    rates = [rate for rate in (demand.calls_per_second, queue.calls_per_second) if rate is not None]
    if queue.numbers:
        rates.append(sum(demand.number_rates[number] for number in queue.numbers))
    return min((len(queue.waiting), *(math.ceil(rate * ahead) + 1 for rate in rates)))


def _cut(demand: OrganizationDemand, counts: Sequence[int]) -> OrganizationDemand:
    """The demand with so many contacts of each queue; itself where none is cut off."""
    if all(len(queue.waiting) <= count for queue, count in zip(demand.queues, counts, strict=True)):
        return demand
    cut = zip(demand.queues, counts, strict=True)
    queues = [replace(queue, waiting=list(islice(queue.waiting, count))) for queue, count in cut if count]
    return replace(demand, queues=queues)
