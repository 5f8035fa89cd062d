"""Who gets how much of a limit that many share: fair shares between organizations, and moves of a shard's grant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claimant:
    """An organization with work due.

    `limit` weighs its share, `room` is the most it can take, `last_served` orders equals (any clock; the
    smallest has waited longest).
    """

    organization_id: str
    limit: int
    room: int
    last_served: float


def fair_shares(slots: int, claimants: Sequence[Claimant]) -> dict[str, int]:
    """Divide `slots` among claimants in proportion to their limits; the answer names every claimant.

    - Floors first, then the largest remainders; ties go to the least recently served, then to the smaller id.
    - Nobody gets more than its room, and what one cannot take is divided again among the others, so that
      nothing is left while anybody has room.
    - Whoever would get nothing for being small still has its turn: the first slot that is left after the
      floors goes to the one of them who has waited longest. Largest remainders alone would let a large
      organization keep a small one waiting for ever.

    Depends on neither the order of the claimants nor a clock. Organization ids must be unique.
    """
    shares = {claimant.organization_id: 0 for claimant in claimants}
    left = max(0, slots)
    while left and (open_claims := [c for c in claimants if c.limit > 0 and shares[c.organization_id] < c.room]):
        for claimant, part in _proportional(left, open_claims):
            taken = min(part, claimant.room - shares[claimant.organization_id])
            shares[claimant.organization_id] += taken
            left -= taken
    return shares


def grant_move(grant: int, held: int, target: int, free: int) -> int:
    """By how much a shard's grant should change towards `target`: positive takes from `free`, negative gives back.

    Never takes more than is free, and never gives back slots that calls still hold.
    """
    wish = max(target, held) - grant
    return min(wish, max(0, free)) if wish > 0 else wish


def _proportional(slots: int, claimants: Sequence[Claimant]) -> Iterable[tuple[Claimant, int]]:
    """Split all `slots` in proportion to the limits, without regard to room."""
    total = sum(claimant.limit for claimant in claimants)
    parts = {c.organization_id: slots * c.limit // total for c in claimants}
    rest = slots - sum(parts.values())
    for claimant in _in_order_of_remainder(slots, total, claimants)[:rest]:
        parts[claimant.organization_id] += 1
    return [(claimant, parts[claimant.organization_id]) for claimant in claimants]


def _in_order_of_remainder(slots: int, total: int, claimants: Iterable[Claimant]) -> list[Claimant]:
    def has_waited_longest(claimant: Claimant) -> tuple[float, str]:
        return claimant.last_served, claimant.organization_id

    order = sorted(claimants, key=lambda c: (-(slots * c.limit % total), *has_waited_longest(c)))
    too_small = [claimant for claimant in order if slots * claimant.limit < total]
    if too_small:
        first = min(too_small, key=has_waited_longest)
        order.remove(first)
        order.insert(0, first)
    return order
