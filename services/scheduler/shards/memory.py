"""What one shard's loop remembers: its organizations, its campaigns and who of them is due next.

All of it can be dropped at any moment and read again from MongoDB. A campaign in which nobody is due
costs nothing: it sleeps until its next due time or window opening, or until a hint names it.
"""

import heapq
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from services.scheduler.planner import OrganizationDemand
from services.scheduler.shards import sleepers
from services.scheduler.shards.alarms import Alarms
from services.scheduler.shards.completing import Completing
from services.scheduler.shards.memories import CampaignMemory, OrganizationMemory
from services.scheduler.shards.number_rates import rates_of
from services.scheduler.shards.recent_calls import RecentCalls
from shared.domain.caller_numbers import UNUSED, NumberUse
from shared.domain.dialing import WAITS_FOR_REST
from shared.domain.facts import tells_while_up
from shared.domain.ids import is_default_campaign, organization_of_default
from shared.domain.reasons import SPARED_BY_OWN_NUMBER, WaitReason
from shared.domain.refusal import Rest
from shared.store.client import Store
from shared.store.dialing import shard_catalog
from shared.store.dialing.campaign_reader import CampaignReader
from shared.store.dialing.halts import LimitedRun
from shared.store.dialing.shard_catalog import Enrolled

# Ids fetched ahead for one campaign; a fetch of this many costs little more than one of ten.
PREFETCH = 1000
# Fetched ids are looked for again after this, so that what became due meanwhile takes its place in the order.
FRESH_FOR = timedelta(seconds=2)
# Of campaigns with equal priority, this many stale queues are read again in one step.
RENEWALS = 20
# Of campaigns in which nobody is due, an organization puts this many to sleep in one step: calls end meanwhile.
LOOKS = 200
# More campaigns than these that have woken since the last step are asked about together.
FEW = 8
# So many campaigns may wait to be put to sleep while others that have woken go first.
DROWSY = 5000
# Of those in which somebody is due within a minute, so many are looked at by themselves in one step; the others soon.
BY_THEMSELVES = 50
SOON = timedelta(seconds=1)
# A campaign whose candidates turned out not to be callable is left alone for this long.
REST = timedelta(seconds=0.5)


class ShardMemory:
    """One shard's organizations with their campaigns, and when sleeping campaigns are to be looked at."""

    def __init__(self, store: Store, shard: int) -> None:
        self._store, self._shard = store, shard
        self.organizations: dict[str, OrganizationMemory] = {}
        self._campaigns: dict[str, CampaignMemory] = {}
        self._alarms = Alarms()
        # Campaigns that have woken and were not looked at yet, and those in which nobody is due, without an alarm yet.
        self._woken: dict[str, CampaignMemory] = {}
        self._drowsy: dict[str, CampaignMemory] = {}
        self.completing = Completing()
        self.recent_calls = RecentCalls()
        # Whether the last look at demands has left campaigns for the next one.
        self.unfinished = False

    async def load(self, now: datetime) -> None:
        """Read the whole shard; campaigns in which no contact waits go to sleep unseen."""
        await self._read_organizations({"shard": self._shard})
        await self._read_campaigns(self.organizations)
        for campaign_id in await shard_catalog.campaigns_with_waiting(self._store, self._shard):
            self.wake(campaign_id, now)

    async def renew(self, organization_ids: Collection[str], now: datetime) -> None:
        """Read these organizations again: limits, statuses, configurations may have changed."""
        await self._read_organizations({"_id": {"$in": list(organization_ids)}, "shard": self._shard})
        before = {c for c, m in self._campaigns.items() if m.entry.organization_id in organization_ids}
        read = await self._read_campaigns(organization_ids)
        self.forget(before - read)
        for campaign_id in read:
            self.wake(campaign_id, now)

    def forget(self, campaign_ids: Collection[str]) -> None:
        """These campaigns are not dialed any more, until their organization is read again."""
        for campaign_id in campaign_ids & self._campaigns.keys():
            memory = self._campaigns.pop(campaign_id)
            for each in (self.organizations[memory.entry.organization_id].awake, self._woken, self._drowsy):
                each.pop(campaign_id, None)

    @property
    def limits_runs(self) -> bool:
        """Whether there is a run that may make only so many calls."""
        return any(memory.entry.max_calls is not None for memory in self._campaigns.values())

    @property
    def limited_runs(self) -> dict[str, LimitedRun]:
        """The runs that may make only so many calls, by campaign id."""
        entries = (memory.entry for memory in self._campaigns.values())
        return {
            entry.campaign_id: LimitedRun(entry.organization_id, entry.course.generation, entry.max_calls)
            for entry in entries
            if entry.max_calls is not None
        }

    async def _read_organizations(self, query: dict[str, object]) -> None:
        for entry in await shard_catalog.read_organizations(self._store, query):
            known = self.organizations.get(entry.organization_id)
            if known is None:
                known = self.organizations[entry.organization_id] = OrganizationMemory(
                    entry.organization_id, entry.limit, entry.held
                )
            known.limit, known.held = entry.limit, entry.held
            known.default_caller_number, known.rests = entry.default_caller_number, entry.rests
            known.hours = entry.hours
            known.calls_per_second = entry.calls_per_second
            known.fact_types = entry.fact_types
            known.registered, known.number_rates = entry.registered, rates_of(entry.registered)
            known.accounts = entry.accounts

    async def _read_campaigns(self, organization_ids: Collection[str]) -> set[str]:
        hours = {o: self.organizations[o].hours for o in organization_ids if o in self.organizations}
        entries = await shard_catalog.read_campaigns(self._store, hours) if hours else []
        for entry in entries:
            memory = self._campaigns.get(entry.campaign_id)
            if memory is None:
                self._campaigns[entry.campaign_id] = CampaignMemory(entry)
            elif memory.entry != entry:
                memory.entry = entry
                memory.invalidate()
        return {entry.campaign_id for entry in entries}

    def is_told_of_calls(self, organization_id: str) -> bool:
        """Whether an organization wants to be told of calls that are up, by what was last read."""
        known = self.organizations.get(organization_id)
        return known is not None and tells_while_up(known.fact_types)

    def knows(self, campaign_id: str) -> bool:
        """Whether this campaign may be dialed, by what was last read."""
        return campaign_id in self._campaigns

    async def contacts_changed(self, campaign_ids: Collection[str], now: datetime) -> None:
        """These campaigns were given contacts, or some of theirs were edited: look at them again."""
        if not campaign_ids:
            return
        self.completing.contacts_changed(campaign_ids)
        first = {organization_of_default(c) for c in campaign_ids if is_default_campaign(c) and not self.knows(c)}
        if first:
            # The organization's first contacts of no campaign: from now on it has such a queue.
            await self._read_campaigns(first)
        enrolled = await shard_catalog.read_enrolled(self._store, campaign_ids)
        for campaign_id in campaign_ids:
            memory = self._campaigns.get(campaign_id)
            if memory is None:
                continue
            has = enrolled.get(campaign_id, Enrolled())
            memory.entry = replace(memory.entry, zones=has.zones, prioritized=has.prioritized, whose=has.whose)
            # A long queue is still the oldest; a short one may miss a contact that has just come, and any queue one of
            # a higher priority.
            if memory.complete or has.prioritized:
                memory.invalidate()
            self.wake(campaign_id, now)

    def wake(self, campaign_id: str, at: datetime) -> None:
        """Have this campaign looked at in the first step after `at`."""
        self._alarms.set(campaign_id, at)

    @property
    def next_alarm(self) -> datetime | None:
        """The instant (UTC) at which the next sleeping campaign is to be looked at."""
        return self._alarms.next

    @property
    def held(self) -> int:
        """Slots held in this shard."""
        return sum(organization.held for organization in self.organizations.values())

    @property
    def is_at_rest(self) -> bool:
        """Whether nobody is called or due, or was called in the last minute, and no campaign may complete or end."""
        return not (self.held or self.due or self.completing.is_expecting or self.recent_calls.are_any)

    @property
    def due(self) -> int:
        """Contacts fetched as due and not yet claimed, in campaigns that are awake."""
        awake = (memory for organization in self.organizations.values() for memory in organization.awake.values())
        return sum(len(memory.waiting) for memory in awake)

    def account(self, held: dict[str, int], due: dict[str, datetime], remaining: dict[str, int]) -> None:
        """Take over what a transaction has committed.

        `held`, `due` and `remaining` are as in `WorkDone`.
        """
        self.completing.account(remaining)
        for organization_id, change in held.items():
            if organization_id in self.organizations:
                self.organizations[organization_id].held += change
        for campaign_id, due_at in due.items():
            self.wake(campaign_id, due_at)

    async def demands(self, now: datetime, at_most: int, freed: Mapping[str, int]) -> list[OrganizationDemand]:
        """The demand of each organization with a contact due, queues filled for up to `at_most` each.

        One that is at its limit is named too: what it holds is part of its share, and will be dialed on.
        `freed`: slots by organization that count as not held any more.
        """
        self._ring_alarms(now)
        await self._put_to_sleep(now)
        await self._sift(now)
        self.unfinished = bool(self._woken or self._drowsy)
        demands = []
        for organization in self.organizations.values():
            held = max(0, organization.held - freed.get(organization.organization_id, 0))
            room = organization.room(held)
            if not organization.awake:
                continue
            if room:
                await self._fill(organization, min(room, at_most), now)
            demand = organization.demand(held)
            if demand.queues:
                demands.append(demand)
        return demands

    def rested(self, rests: Mapping[tuple[str, str], Rest | None], now: datetime) -> None:
        """Take over what rests from now on, by organization id and key, or (None) rests no more."""
        changed = {organization_id for organization_id, _ in rests if organization_id in self.organizations}
        for (organization_id, key), rest in rests.items():
            if organization_id in changed:
                organization = self.organizations[organization_id]
                others = {other: known for other, known in organization.rests.items() if other != key}
                organization.rests = others if rest is None else {**others, key: rest}
        self._look_again(changed, now)

    def counted(self, numbers: Mapping[tuple[str, str], NumberUse | None], now: datetime) -> None:
        """Take over which caller numbers have made all their calls of a day, or (None) may make one more."""
        known = [number for number in numbers if number[0] in self.organizations]
        for organization_id, number in known:
            spent, use = self.organizations[organization_id].spent, numbers[organization_id, number]
            self.organizations[organization_id].spent = {**spent, number: use or UNUSED}
        self._look_again({organization_id for organization_id, _ in known}, now)

    def _look_again(self, organization_ids: Collection[str], now: datetime) -> None:
        """Forget what was fetched for these organizations, and wake what sleeps because of a rest or spent numbers."""
        for organization_id in organization_ids:
            organization = self.organizations[organization_id]
            for memory in organization.awake.values():
                memory.invalidate()
            for campaign_id in list(organization.resting):
                self.wake(campaign_id, now)

    def _ring_alarms(self, now: datetime) -> None:
        for campaign_id in self._alarms.ringing(now):
            memory = self._campaigns.get(campaign_id)
            organization = self.organizations.get(memory.entry.organization_id) if memory else None
            if memory is not None and organization is not None:
                self._drowsy.pop(campaign_id, None)
                if campaign_id not in organization.awake:
                    self._woken[campaign_id] = organization.awake[campaign_id] = memory
                organization.resting.discard(campaign_id)

    async def _sift(self, now: datetime) -> None:
        """Of many campaigns that have woken, leave those awake in which somebody may be due, by priority.

        Those of a whole-campaign wait are left to `_fill`, which asks nothing about them; a few, too.
        """
        if len(self._woken) <= FEW:
            self._woken.clear()
            return
        some = heapq.nlargest(sleepers.TOGETHER, self._woken.values(), key=lambda memory: memory.entry.priority)
        readers = {memory.entry.campaign_id: reader for memory in some if (reader := self._reader(memory, now))}
        due = await sleepers.with_due(readers.values(), now)
        for memory in some:
            campaign_id = memory.entry.campaign_id
            del self._woken[campaign_id]
            if campaign_id in readers and campaign_id not in due:
                memory.invalidate()
                del self.organizations[memory.entry.organization_id].awake[campaign_id]
                self._drowsy[campaign_id] = memory

    async def _put_to_sleep(self, now: datetime) -> None:
        """Set the alarms of some campaigns in which nobody was due; those that have just woken go first.

        Where somebody is due within a minute, the campaign is looked at by itself, to know the second.
        """
        if not self._drowsy or (self._woken and len(self._drowsy) <= DROWSY):
            return
        some = dict(islice(self._drowsy.items(), sleepers.TOGETHER))
        readers = [self._reader(memory, now) for memory in some.values()]
        until = await sleepers.sleep_until([reader for reader in readers if reader], now)
        by_themselves = set(islice((campaign_id for campaign_id in some if campaign_id not in until), BY_THEMSELVES))
        for campaign_id, memory in some.items():
            del self._drowsy[campaign_id]
            if campaign_id in by_themselves:
                self.organizations[memory.entry.organization_id].awake[campaign_id] = memory
                continue
            for at in (until.get(campaign_id, now + SOON), *self._wait_alarms(memory, now)):
                self.wake(campaign_id, at)

    def _reader(self, memory: CampaignMemory, now: datetime) -> CampaignReader | None:
        """What reads a campaign's contacts that could be called now; None: the whole campaign waits."""
        wait = self.organizations[memory.entry.organization_id].wait_of(memory.entry, now)
        if wait is not None and wait.reason not in SPARED_BY_OWN_NUMBER:
            return None
        return CampaignReader(self._store, memory.entry, now, own_numbers_only=wait is not None)

    async def _fill(self, organization: OrganizationMemory, wanted: int, now: datetime) -> None:
        """Fill queues in order of priority until `wanted` contacts are at hand; the empty go to sleep.

        After `LOOKS` empty ones the others are left to the next step, as are those below one not looked at yet.
        """
        at_hand, renewals, empty, priority, unknown = 0, 0, 0, None, False
        for memory in sorted(organization.awake.values(), key=lambda memory: -memory.entry.priority):
            if memory.entry.priority != priority and (at_hand >= wanted or unknown):
                return
            priority = memory.entry.priority
            if memory.entry.campaign_id in self._woken:
                unknown = True
                continue
            if empty == LOOKS:
                self.unfinished = True
                return
            # Nobody falls asleep on what was read earlier: somebody may have become due, or a zone opened, since.
            short = not memory.waiting or (len(memory.waiting) < wanted and not memory.complete)
            stale = memory.fetched_at is None or now - memory.fetched_at > FRESH_FOR
            if short or (stale and renewals < RENEWALS):
                renewals += stale
                await self._fetch(memory, now)
            at_hand += len(memory.waiting)
            if not memory.waiting:
                empty += 1
                del organization.awake[memory.entry.campaign_id]
                await self._set_alarm(memory, now)

    async def _fetch(self, memory: CampaignMemory, now: datetime) -> None:
        reader = self._reader(memory, now)
        if reader is None:
            memory.waiting, memory.fetched_at, memory.complete = deque(), now, True
            return
        found = await reader.read(PREFETCH, crowded=memory.crowded)
        memory.waiting, memory.fetched_at, memory.complete = deque(found.waiting), now, found.complete
        memory.crowded = len(found.waiting) >= PREFETCH

    async def _set_alarm(self, memory: CampaignMemory, now: datetime) -> None:
        """Sleep until a contact becomes due in an open zone, a zone opens in which one waits, or a rest is over."""
        alarms, reader = self._wait_alarms(memory, now), self._reader(memory, now)
        # Where the whole campaign waits, what is due meanwhile waits, too.
        if reader is not None:
            alarms += await reader.next_times()
        memory.invalidate()
        if alarms:
            self.wake(memory.entry.campaign_id, min(alarms))

    def _wait_alarms(self, memory: CampaignMemory, now: datetime) -> list[datetime]:
        """The end of what a whole campaign waits for, if it has one; its rests are noted."""
        organization = self.organizations[memory.entry.organization_id]
        wait = organization.wait_of(memory.entry, now)
        if wait is None or wait.until is None:
            return []
        if wait.reason in {*WAITS_FOR_REST.values(), WaitReason.CALLER_NUMBER_SPENT}:
            organization.resting.add(memory.entry.campaign_id)
        return [wait.until]

    def taken(self, offered: Collection[str], left: Collection[str], now: datetime, *, claimed: bool) -> None:
        """A claim was committed of the contacts that were `offered`; those `left` found no room.

        What was left keeps its place, but a campaign that could take nothing rests for a moment, so that it
        does not stand before others: it is at a limit of its own. When nobody was `claimed` at all, what we
        remember is older than the store, and asking again at once would only turn in circles.
        """
        gone, kept = set(offered), set(left)
        for organization in self.organizations.values():
            for memory in list(organization.awake.values()):
                heads = []
                while memory.waiting and memory.waiting[0].contact_id in gone:
                    heads.append(memory.waiting.popleft())
                still = [contact for contact in heads if contact.contact_id in kept]
                memory.waiting.extendleft(reversed(still))
                if claimed and len(heads) > len(still):
                    organization.last_served = now.timestamp()
                elif heads:
                    self._rest(organization, memory, now)

    def _rest(self, organization: OrganizationMemory, memory: CampaignMemory, now: datetime) -> None:
        del organization.awake[memory.entry.campaign_id]
        memory.invalidate()
        self.wake(memory.entry.campaign_id, now + REST)
