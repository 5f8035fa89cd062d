"""How long small organizations waited, and how long they had to: what the ends of the large one's calls allowed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from tests.bench.journal import Journal
from tests.bench.small_ones import Given, SmallOne


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds from the acknowledgement of an organization's contacts.

    `first`: to its first call; `share`: until it had as many calls up as its share. `first_bound` and
    `share_bound`: until so many of the large one's calls had ended that this could be, those served before it
    counted in; nobody who places calls within the limit could have been faster.
    """

    first: float
    share: float
    first_bound: float
    share_bound: float
    beside: bool


def waits_of(journal: Journal, small: Sequence[SmallOne], given: Sequence[Given], large: bool) -> list[Wait]:
    """Their waits; without a `large` one nobody had to wait for anything."""
    firsts = [_time_with(journal, its, 1) for its in given]
    shares = [_time_with(journal, its, one.slots) for one, its in zip(small, given, strict=True)]
    ends = _ends_of_others(journal, given) if large else []
    first_bounds = _bounds(firsts, [1] * len(small), ends) if large else [0.0] * len(small)
    share_bounds = _bounds(shares, [one.slots for one in small], ends) if large else [0.0] * len(small)
    return [
        Wait(first - its.at, share - its.at, max(0.0, lower - its.at), max(0.0, upper - its.at), one.beside)
        for one, its, first, share, lower, upper in zip(
            small, given, firsts, shares, first_bounds, share_bounds, strict=True
        )
    ]


def _time_with(journal: Journal, given: Given, live: int) -> float:
    """When so many of these contacts were on calls at once for the first time."""
    changes = [(at, 1) for at, who in zip(journal.placed, journal.contacts, strict=True) if who in given.contacts]
    changes += [
        (at, -1) for at, who in zip(journal.ended, journal.ended_contacts, strict=True) if who in given.contacts
    ]
    changes.sort()
    for (at, _), up in zip(changes, accumulate(change for _, change in changes), strict=True):
        if up >= live:
            return at
    return float("inf")


def _ends_of_others(journal: Journal, given: Sequence[Given]) -> list[float]:
    """When everybody else's calls ended, from the first acknowledgement on."""
    theirs = frozenset().union(*(its.contacts for its in given))
    since = min(its.at for its in given)
    ends = zip(journal.ended, journal.ended_contacts, strict=True)
    return sorted(at for at, who in ends if at >= since and who not in theirs)


def _bounds(reached: Sequence[float], slots: Sequence[int], ends: Sequence[float]) -> list[float]:
    """For each: the end of the call that frees the last slot which it and those before it need."""
    in_order = sorted(range(len(reached)), key=lambda place: reached[place])
    needed = accumulate(slots[place] for place in in_order)
    bounds = [0.0] * len(reached)
    for place, count in zip(in_order, needed, strict=True):
        bounds[place] = ends[count - 1]
    return bounds
