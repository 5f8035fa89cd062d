"""Reading a campaign's waiting contacts in the order in which they shall be called, and when there will be others."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.calling_window import Schedule, is_open, next_opening
from shared.domain.contact import Tier, WaitingContact
from shared.domain.queue_order import DEFAULT_CONTACT_PRIORITY, Whose, queues_at
from shared.store.client import Store
from shared.store.dialing import ready
from shared.store.dialing.claim import LOOK_AGAIN, WINDOW_AHEAD
from shared.store.dialing.shard_catalog import CampaignEntry

# Of a campaign with more priorities, contacts of the lower ones may become due unnoticed: it is looked at again.
MAX_PRIORITIES: Final = 100
LOOKED_AT_AGAIN: Final = timedelta(seconds=10)
Opened = tuple[Sequence[Tier], frozenset[str | None]]


@dataclass(frozen=True, slots=True)
class QueueHead:
    """The first waiting contacts of a campaign, in order; `complete` when there is no other one that is due."""

    waiting: Sequence[WaitingContact]
    complete: bool


@dataclass(frozen=True, slots=True)
class CampaignReader:
    """One campaign's waiting contacts at `now` (UTC); with `own_numbers_only`, those with an own number alone."""

    store: Store
    entry: CampaignEntry
    now: datetime
    own_numbers_only: bool = False

    @property
    def whose(self) -> Whose:
        """Whose queues are read."""
        if not self.own_numbers_only:
            return self.entry.whose
        return Whose.WITH_OWN_NUMBER if self.entry.whose is Whose.EVERYBODYS else Whose.NOBODYS

    async def read(self, limit: int, *, crowded: bool) -> QueueHead:
        """The contacts that are due and in an open window, at most `limit`.

        `crowded`: so many were due lately that each tier is asked for by itself.
        """
        if self.whose is Whose.NOBODYS:
            return QueueHead([], True)
        found: list[WaitingContact] = []
        complete = True
        opened = [(tiers, self._open(schedule)) for tiers, schedule in self._tiers()]
        priority = await self._next_priority(None, opened)
        while priority is not None and complete and len(found) < limit:
            of_priority: list[WaitingContact] = []
            for tiers, zones in opened:
                queues = queues_at(priority, tiers, self.whose)
                batch = [] if crowded else await self._ready(queues, zones, limit)
                if crowded or len(batch) == limit:
                    # Of each queue the first `limit`: of what stands behind so many, others may go before.
                    batches = [await self._ready([queue], zones, limit) for queue in queues]
                    complete = complete and all(len(each) < limit for each in batches)
                    batch = [contact for each in batches for contact in each]
                of_priority += batch
            found += sorted(of_priority)
            priority = await self._next_priority(priority, opened)
        return QueueHead(found[:limit], complete and priority is None and len(found) <= limit)

    async def next_times(self) -> list[datetime]:
        """When the next contact becomes due in a zone that is open, and when zones open in which any waits."""
        times: list[datetime] = []
        if self.whose is Whose.NOBODYS:
            return times
        priorities = [DEFAULT_CONTACT_PRIORITY]
        if self.entry.prioritized:
            priorities = await ready.waiting_priorities(self.store, self.entry.campaign_id, MAX_PRIORITIES)
        if len(priorities) == MAX_PRIORITIES:
            times.append(self.now + LOOKED_AT_AGAIN)
        for tiers, schedule in self._tiers():
            queues = [queue for priority in priorities for queue in queues_at(priority, tiers, self.whose)]
            opened = self._open(schedule)
            closed = self.entry.zones - opened
            if opened and queues:
                due_at = await ready.next_due(self.store, self.entry.campaign_id, queues, opened, self.now)
                times += [] if due_at is None else [due_at]
            if (
                schedule
                and closed
                and queues
                and await ready.anyone_waits(self.store, self.entry.campaign_id, queues, closed)
            ):
                times += openings(schedule, closed, self.now)
        return times

    def asked_together(self) -> list[tuple[tuple[int, ...] | None, Schedule | None]]:
        """The queues (None: all) to ask about with others' in the zones that these schedules have open.

        Of a campaign with priorities all queues are named, also where some have another schedule, or only contacts
        with a caller number of their own may be called: more than may be called.
        """
        tiers = self._tiers()
        if self.whose is Whose.NOBODYS:
            return []
        if self.entry.prioritized or (len(tiers) == 1 and not self.own_numbers_only):
            return [(None, schedule) for _, schedule in tiers]
        return [(tuple(queues_at(DEFAULT_CONTACT_PRIORITY, some, self.whose)), schedule) for some, schedule in tiers]

    def schedules(self) -> list[Schedule | None]:
        """The schedules by which the campaign's contacts may be called; None: at any hour."""
        return [schedule for _, schedule in self._tiers()]

    async def _next_priority(self, below: int | None, opened: Sequence[Opened]) -> int | None:
        """The next priority to ask for; where no contact ever had one, there is one, which nothing is asked about.

        A requested callback has one, too.
        """
        if not self.entry.prioritized:
            return DEFAULT_CONTACT_PRIORITY if below is None else None
        zones = frozenset[str | None]().union(*(zones for _, zones in opened))
        return await ready.next_priority(self.store, self.entry.campaign_id, below, zones, self.now)

    async def _ready(self, queues: Sequence[int], zones: frozenset[str | None], limit: int) -> list[WaitingContact]:
        return await ready.read_ready(
            self.store,
            self.entry.campaign_id,
            queues,
            zones,
            self.now,
            limit,
            order=self.entry.order,
        )

    def _tiers(self) -> list[tuple[list[Tier], Schedule | None]]:
        """All tiers, those together that may be called in the same windows."""
        configuration = self.entry.configuration
        if configuration is None:
            return [(list(Tier), self.entry.ad_hoc_schedule)]
        usual = configuration.schedule(False)
        if configuration.has_one_schedule:
            return [(list(Tier), usual)]
        others: list[Tier] = [tier for tier in Tier if tier is not Tier.SCHEDULED]
        return [(others, usual), ([Tier.SCHEDULED], configuration.schedule(True))]

    def _open(self, schedule: Schedule | None) -> frozenset[str | None]:
        return self.open_zones(schedule, self.entry.zones)

    def open_zones(self, schedule: Schedule | None, zones: frozenset[str | None]) -> frozenset[str | None]:
        """The zones among these in which a call may be claimed now: open, and for a few seconds more. No schedule: all.

        What only a contact's number decides is left to the claim.
        """
        if schedule is None:
            return zones
        ahead = WINDOW_AHEAD.total_seconds()
        return frozenset(zone for zone in zones if is_open(schedule, zone, self.now, for_seconds=ahead))


def openings(schedule: Schedule, closed: Collection[str | None], now: datetime) -> list[datetime]:
    """When zones that are closed at `now` open, or are to be looked at again; none of those that never do."""
    found = [next_opening(schedule, zone, now + WINDOW_AHEAD) for zone in closed]
    times = [opening for opening in found if opening is not None]
    if schedule.closed and None in found:
        # Closed for longer than is looked ahead, and perhaps not for good.
        times.append(now + LOOK_AGAIN)
    return times
