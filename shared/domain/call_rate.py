"""Calls a second: the times at which the calls of an organization, a campaign or a caller number may be placed.

Each limit is a line of times, evenly spaced, of which at most two seconds are given out ahead. A call is placed at its
time or up to a second later, so that by the carrier's record no ten seconds hold more than twelve seconds' worth.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Self

# Times are given out so far ahead at most.
AHEAD_SECONDS: Final = 2.0
# A call that is later than this loses its time: what is late adds to what is due after it.
LATE: Final = timedelta(seconds=1)
# The promise: in any ten seconds not more calls than in ten and two, but one at least beside the ten seconds' worth.
WINDOW_SECONDS: Final = 10.0
EXCESS_SECONDS: Final = 2.0
MAX_CALLS_PER_SECOND: Final = 1000.0
# So much of the time ahead must be free before calls are claimed: a fast campaign is not claimed call by call.
PORTION_SECONDS: Final = 0.2
# Beside the second by which a call may be late, what the carrier's clock and a request's way add.
_JITTER_SECONDS: Final = 0.05
# Sums of floats that should be equal are taken for equal.
_EQUAL: Final = 1e-6

# What a limit belongs to: an organization, a campaign, a caller number.
Scope = str


def most_in_window(calls_per_second: float) -> int:
    """How many calls any ten seconds may hold."""
    return math.floor(WINDOW_SECONDS * calls_per_second + max(1.0, EXCESS_SECONDS * calls_per_second))


def spacing(calls_per_second: float) -> float:
    """Seconds from one call to the next.

    The promise holds also where calls are as late as they may be; for it a rate below one is kept to within a tenth.
    """
    widest = (WINDOW_SECONDS + LATE.total_seconds() + _JITTER_SECONDS) / most_in_window(calls_per_second)
    return max(1 / calls_per_second, widest)


@dataclass(frozen=True, slots=True)
class Line:
    """The times of one limit; `next_at` is the first that is free, in seconds of one clock."""

    calls_per_second: float
    next_at: float

    @classmethod
    def empty(cls, calls_per_second: float, now: float) -> Self:
        """A line of which it is unknown what was given out before: nothing of what may have been is free."""
        return cls(calls_per_second, now + AHEAD_SECONDS)

    def at_rate(self, calls_per_second: float) -> Self:
        """The line at another rate; what was given out stays so."""
        return self if calls_per_second == self.calls_per_second else replace(self, calls_per_second=calls_per_second)

    def free(self, now: float, ahead: float = AHEAD_SECONDS) -> int:
        """How many times are free until `ahead` seconds from now."""
        left = now + ahead - max(self.next_at, now) + _EQUAL
        return 0 if left < 0 else int(left / spacing(self.calls_per_second)) + 1

    def taken(self, at: float) -> Self:
        """The line once a call is to be placed at a time that was free."""
        return replace(self, next_at=at + spacing(self.calls_per_second))

    def portion_at(self, ahead: float = AHEAD_SECONDS) -> float:
        """When enough times are free for a claim to be worth its while; at once where calls are slow."""
        portion = max(1, int(self.calls_per_second * min(PORTION_SECONDS, ahead / 2)))
        return self.next_at + (portion - 1) * spacing(self.calls_per_second) - ahead


Lines = Mapping[Scope, Line]


@dataclass(frozen=True, slots=True)
class Timetable:
    """The times of calls, in their order, and the lines once they are taken."""

    times: Sequence[float]
    lines: Lines


def timetable(calls: Sequence[Sequence[Scope]], lines: Lines, now: float) -> Timetable:
    """Give each call the first time that is free in the lines of all its scopes; a scope without a line has no limit.

    At each time the first of the calls that can have it does, so a slow campaign holds up none beside it.
    """
    left = dict(lines)
    queues: dict[tuple[Scope, ...], list[int]] = {}
    for number in range(len(calls) - 1, -1, -1):
        queues.setdefault(tuple(scope for scope in calls[number] if scope in left), []).append(number)
    times = [now] * len(calls)
    while queues:
        _, number, scopes, at = min(_first_of_each(queues, left, now))
        times[number] = at
        left.update({scope: left[scope].taken(at) for scope in scopes})
        queues[scopes].pop()
        if not scopes or not queues[scopes]:
            # Calls without a line all have their time already.
            del queues[scopes]
    return Timetable(times, left)


def _first_of_each(
    queues: Mapping[tuple[Scope, ...], list[int]], lines: Lines, now: float
) -> Iterable[tuple[float, int, tuple[Scope, ...], float]]:
    for scopes, numbers in queues.items():
        at = max((now, *(lines[scope].next_at for scope in scopes)))
        # Of equal times the first call's, and sums of floats that should be equal are.
        yield round(at, 6), numbers[-1], scopes, at


def room(line: Line, now: float, ahead: float = AHEAD_SECONDS) -> int:
    """How many times of a line can be given out now: none while too few are free for a claim to be worth its while."""
    return line.free(now, ahead) if line.portion_at(ahead) <= now else 0


def allowed(
    queues: Sequence[tuple[Sequence[Scope], int]], lines: Lines, now: float, ahead: float = AHEAD_SECONDS
) -> list[int]:
    """How many of each queue's calls (its scopes, and how many wait) have a time in the next `ahead` seconds.

    Queues in the order in which their calls are to be made.
    """
    most = [
        min((waiting, *(room(lines[scope], now, ahead) for scope in scopes if scope in lines)))
        for scopes, waiting in queues
    ]
    calls = [(number, queues[number][0]) for number, count in enumerate(most) for _ in range(count)]
    times = timetable([scopes for _, scopes in calls], lines, now).times
    counts = [0] * len(queues)
    for (number, _), at in zip(calls, times, strict=True):
        counts[number] += at <= now + ahead + _EQUAL
    return counts
