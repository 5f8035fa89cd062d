"""Who gets how much of a limit that many share: fair shares between organizations, and moves of a shard's grant."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Claimant:
    """An organization with work due.

    `limit` weighs its share, `room` is the most it can take, `last_served` orders equals (any clock; the
    smallest has waited longest), `held` is what it holds already.
    """

    organization_id: str
    limit: int
    room: int
    last_served: float
    held: int = 0

    @property
    def has_waited_longest(self) -> tuple[float, str]:
        """Orders claimants, the one that has waited longest first."""
        return self.last_served, self.organization_id


@dataclass(frozen=True, slots=True)
class GrantPart:
    """One shard's part of the global limit: what is granted, what of that is held, and what it should be.

    `assured` of the target is its organizations' by their limits alone: it comes before the rest of anybody's.
    """

    grant: int
    held: int
    target: int
    assured: int = 0


def fair_shares(slots: int, claimants: Sequence[Claimant]) -> dict[str, int]:
    """Divide `slots` among claimants in proportion to their limits; the answer names every claimant.

    - Floors first, then the largest remainders; ties go to who holds such a slot already, then to the least
      recently served, then to the smaller id.
    - Nobody gets more than its room, and what one cannot take is divided again among the others, so that
      nothing is left while anybody has room.
    - Whoever would get nothing for being small still has its turn: the first slot that is left after the
      floors goes to the one of them who has waited longest. Largest remainders alone would let a large
      organization keep a small one waiting for ever.

    Depends on neither the order of the claimants nor a clock. Organization ids must be unique.
    """
    shares = {claimant.organization_id: 0 for claimant in claimants}
    left, open_claims = max(0, slots), _open(claimants)
    while left and open_claims:
        taken = {c.organization_id: min(part, c.room) for c, part in _proportional(left, open_claims)}
        for organization_id, part in taken.items():
            shares[organization_id] += part
        left -= sum(taken.values())
        open_claims = [_beyond(c, taken[c.organization_id]) for c in open_claims if c.room > taken[c.organization_id]]
    return shares


def assured_shares(slots: int, claimants: Sequence[Claimant]) -> dict[str, int]:
    """What each claimant has of all `slots` by its limit alone, at least one: no remainder, nothing others leave."""
    open_claims = _open(claimants)
    total = sum(claimant.limit for claimant in open_claims)
    return {c.organization_id: min(c.room, max(1, slots * c.limit // total)) for c in open_claims}


def entitlements(slots: int, claimants: Sequence[Claimant]) -> dict[str, int]:
    """How many of all `slots` each claimant may hold: `fair_shares`, and a slot for everybody who is too small for one.

    - Those slots are taken from whoever has most, but never somebody's only one.
    - Small ones have up to half of all slots this way. If there are more of them, they take turns: who holds a
      slot keeps its turn until the call ends, then it is for the one that has waited longest.
    - What somebody holds above its share, since others have come, it keeps until its calls end. The largest of those
      who hold half of their share or more may hold so much less meanwhile: its calls end most often, and somebody
      who came last would wait for the few of whoever came just before.

    Turns alone would have a small organization wait for the calls of all the other small ones. Depends on
    neither the order of the claimants nor a clock.
    """
    shares = fair_shares(slots, claimants)
    open_claims = _open(claimants)
    total = sum(claimant.limit for claimant in open_claims)
    small = [claimant for claimant in open_claims if slots * claimant.limit < total]
    have = sum(shares[claimant.organization_id] for claimant in small)
    more = min(len(small), slots // 2) - have
    if more > 0:
        large = [claimant.organization_id for claimant in open_claims if slots * claimant.limit >= total]
        have += _take_from_the_largest(shares, large, more)
    if more > 0 or any(shares[claimant.organization_id] > 1 for claimant in small):
        shares |= _one_each(have, small)
    if open_claims:
        _lend(shares, open_claims, claimants)
    return shares


def _lend(shares: dict[str, int], open_claims: Iterable[Claimant], claimants: Iterable[Claimant]) -> None:
    """Lower the lender's share by what others hold above theirs, but not to nothing.

    Which of several large ones lends must not change with every call that ends, or each takes its slots again.
    """

    def size(claimant: Claimant) -> tuple[bool, int, str]:
        share = shares[claimant.organization_id]
        return 2 * claimant.held >= share, share, claimant.organization_id

    lender = max(open_claims, key=size).organization_id
    others = [claimant for claimant in claimants if claimant.organization_id != lender]
    lent = sum(max(0, claimant.held - shares[claimant.organization_id]) for claimant in others)
    shares[lender] = max(min(shares[lender], 1), shares[lender] - lent)


def _one_each(slots: int, claimants: Sequence[Claimant]) -> dict[str, int]:
    """One for each in turn, and what is left when everybody has one by `fair_shares`."""
    in_turn = sorted(claimants, key=lambda claimant: (claimant.held <= 0, claimant.has_waited_longest))
    more = fair_shares(slots - len(in_turn), [replace(claimant, room=claimant.room - 1) for claimant in in_turn])
    return {c.organization_id: int(place < slots) + more[c.organization_id] for place, c in enumerate(in_turn)}


def _take_from_the_largest(shares: dict[str, int], names: Iterable[str], wanted: int) -> int:
    """Lower the largest of these shares one by one, never below one; how many were taken."""
    heap = [(-shares[name], name) for name in names]
    heapq.heapify(heap)
    for taken in range(wanted):
        if not heap or heap[0][0] >= -1:
            return taken
        share, name = heap[0]
        shares[name] = -share - 1
        heapq.heapreplace(heap, (share + 1, name))
    return wanted


def slots_to_give_back(freed: int, *, grant: int, held: int, needed: int) -> int:
    """How many of the slots that a shard has just freed leave its grant: those that it neither holds nor needs.

    `held` and `grant` are those after the freeing. What it had free before stays: it was granted for somebody.
    """
    return max(0, min(freed, grant - max(needed, held)))


def grant_moves(parts: Sequence[GrantPart], free: int) -> list[int]:
    """By how much each shard's grant should change towards its target: positive takes, negative gives back.

    What some give back is there for the others. Together they never take more than is `free` then (it may be
    negative: a lowered limit), the first named first, but what is assured before anything else; and nobody gives
    back slots that calls still hold.
    """
    wishes = [max(part.target, part.held) - part.grant for part in parts]
    left = max(0, free - sum(min(0, wish) for wish in wishes))
    moves = [min(0, wish) for wish in wishes]
    assured = [min(wish, part.assured - part.grant) for part, wish in zip(parts, wishes, strict=True)]
    for aims in (assured, wishes):
        for place, aim in enumerate(aims):
            more = min(max(0, aim - moves[place]), left) if wishes[place] > 0 else 0
            moves[place] += more
            left -= more
    return moves


def _open(claimants: Iterable[Claimant]) -> list[Claimant]:
    return [claimant for claimant in claimants if claimant.limit > 0 and claimant.room > 0]


def _beyond(claimant: Claimant, share: int) -> Claimant:
    """What is left of a claim when so much of it is granted."""
    return replace(claimant, room=claimant.room - share, held=claimant.held - share)


def _proportional(slots: int, claimants: Sequence[Claimant]) -> Iterable[tuple[Claimant, int]]:
    """Split all `slots` in proportion to the limits, without regard to room."""
    total = sum(claimant.limit for claimant in claimants)
    parts = {c.organization_id: slots * c.limit // total for c in claimants}
    rest = slots - sum(parts.values())
    for claimant in _in_order_of_remainder(slots, total, claimants)[:rest]:
        parts[claimant.organization_id] += 1
    return [(claimant, parts[claimant.organization_id]) for claimant in claimants]


def _in_order_of_remainder(slots: int, total: int, claimants: Iterable[Claimant]) -> list[Claimant]:
    """Who comes first for a slot beyond its floor; among equals who holds one already, until that call ends.

    If it went on to others at once, they would all come to hold more than their share, and the last to come
    would find nothing.
    """

    def turn(claimant: Claimant) -> tuple[bool, float, str]:
        return claimant.held <= slots * claimant.limit // total, *claimant.has_waited_longest

    order = sorted(claimants, key=lambda c: (-(slots * c.limit % total), turn(c)))
    too_small = [claimant for claimant in order if slots * claimant.limit < total]
    if too_small:
        first = min(too_small, key=turn)
        order.remove(first)
        order.insert(0, first)
    return order
