"""The scheduler's decision as one pure function: the contacts to claim next, and how many of each organization.

Campaigns by priority, then fresh contacts before retries, then the oldest due, across all campaigns of
one priority. Slots are shared among organizations in proportion to their limits, floors first, largest
remainders next, ties to the one served least recently, never above an organization's room; whoever is too
small for a slot has one all the same.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice

from shared.domain.contact import WaitingContact
from shared.domain.sharing import Claimant, assured_shares, entitlements, fair_shares


@dataclass(frozen=True, slots=True)
class CampaignQueue:
    """The next contacts of one campaign, in order; all of them are due and in an open window.

    `numbers`: the caller numbers whose times its calls need, where each of its numbers has a limit of calls a second.
    """

    campaign_id: str
    priority: int
    waiting: Sequence[WaitingContact]
    calls_per_second: float | None = None
    numbers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class OrganizationDemand:
    """One organization's limit, the slots it holds, and its queues. `last_served` orders ties, oldest first.

    `number_rates`: the limits of calls a second of its caller numbers, by number.
    """

    organization_id: str
    limit: int
    held: int
    last_served: float
    queues: Sequence[CampaignQueue]
    calls_per_second: float | None = None
    number_rates: Mapping[str, float] = field(default_factory=dict)

    @property
    def room(self) -> int:
        """The slots that the organization could take now: below its limit, and not more than it has contacts for."""
        return max(0, min(self.limit - self.held, sum(len(queue.waiting) for queue in self.queues)))

    def takeable(self, entitled: Mapping[str, int]) -> int:
        """The slots of its room that the organization is entitled to; above its share it waits until its calls end."""
        return max(0, min(self.room, entitled.get(self.organization_id, 0) - self.held))


@dataclass(frozen=True, slots=True)
class Plan:
    """The contacts to claim, in order, and how many slots each organization may take."""

    contact_ids: list[str] = field(default_factory=list)
    shares: dict[str, int] = field(default_factory=dict)


def plan(
    demands: Sequence[OrganizationDemand], entitled: Mapping[str, int], *, grant: int, held: int, at_most: int
) -> Plan:
    """The next claim of one shard.

    `entitled` says how many slots each organization may hold (none if it is not named), `grant` is the
    shard's part of the global limit, `held` what it holds of it; at most `at_most` contacts are chosen (the
    batch size, or what executors can start in time).
    """
    takers = [
        Claimant(d.organization_id, d.limit, d.takeable(entitled), d.last_served)
        for d in demands
        if d.takeable(entitled)
    ]
    shares = {o: share for o, share in fair_shares(min(grant - held, at_most), takers).items() if share > 0}
    contact_ids = [
        contact.contact_id
        for demand in demands
        if demand.organization_id in shares
        for contact in islice(in_order(demand.queues), shares[demand.organization_id])
    ]
    return Plan(contact_ids, shares)


def in_order(queues: Sequence[CampaignQueue]) -> Iterator[WaitingContact]:
    """All contacts of these queues in the order they shall be called."""
    by_priority = sorted(queues, key=lambda queue: -queue.priority)
    for _, group in groupby(by_priority, key=lambda queue: queue.priority):
        yield from heapq.merge(*(queue.waiting for queue in group))


@dataclass(frozen=True, slots=True)
class ShardWant:
    """The slots that one shard's organizations could use, as its owner published them.

    A claimant's room is everything it could hold: what it holds and what it could take. `resting` slots are
    held by organizations with nobody else to call, which claim nothing.
    """

    resting: int
    claimants: Sequence[Claimant]


def entitled_slots(wants: Sequence[ShardWant], limit: int) -> dict[str, int]:
    """How many slots of the global `limit` each organization that wants some may hold, whatever its shard."""
    return entitlements(*_to_share(wants, limit))


def assured_slots(wants: Sequence[ShardWant], limit: int) -> dict[str, int]:
    """How many slots each has by its limit alone; they are handed out before what remainders decide."""
    return assured_shares(*_to_share(wants, limit))


def _to_share(wants: Sequence[ShardWant], limit: int) -> tuple[int, list[Claimant]]:
    resting = sum(want.resting for want in wants)
    return limit - resting, [claimant for want in wants for claimant in want.claimants]
