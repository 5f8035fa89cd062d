"""Turnover: how long the ends of calls are let gather, so that one step serves several of them.

A step of a shard's loop costs a dozen requests, one of an executor's outbox a way through Kafka, whether it serves one
end or a hundred. While a few calls end every second each would have a step of its own, and a call would cost twenty
times what it costs in a crowd. A slot that waits is not dialed, so the wait is a small part of what a call lasts: where
calls are short there is hardly any (docs/decisions/0032).
"""

import math
from dataclasses import dataclass
from typing import Final, Self

# The part of a call's length in which as many ends come as a step is to serve.
SHARE: Final = 3 / 1000
LONGEST_SECONDS: Final = 0.03
# Where fewer come than usual, a step begins after so many times that.
AT_MOST: Final = 2
# What a shard's loop waits of both, behind executors that have waited. If it waited as long as they, a loop that was
# once out of step with an executor would stay so, and each end would wait for both; so it comes into step again.
PART_OF_SHARD: Final = 0.75
# With so many in hand a step is worth its cost.
ENOUGH: Final = 16
# Seconds over which ends are averaged: short, so that calls which turn out to be short are not held up for long.
AVERAGED: Final = 0.2


@dataclass(frozen=True, slots=True)
class Turnover:
    """How many events come a second, on average over the last moments, `at` a time of a clock that never jumps."""

    per_second: float = 0.0
    at: float = 0.0

    def after(self, more: int, now: float) -> Self:
        """The turnover once so many more have come by `now`."""
        faded = self.per_second * math.exp(min(0.0, self.at - now) / AVERAGED)
        return type(self)(faded + more / AVERAGED, now)

    def gather_seconds(self, held: int) -> float:
        """In how long as many come as a step is to serve, where ends of calls come and so many slots are held.

        By these a call has its length.
        """
        return min(LONGEST_SECONDS, SHARE * held / self.per_second) if self.per_second > 0 else 0.0


class Gathering:
    """When the next step may begin that serves ends of calls. One that comes long after the last never waits.

    Steps that serve few begin with as many events as come in `part` of what the turnover tells, and one: of ends that
    come by chance the last of a number has waited for nothing, where at a set time each has waited for half of it. None
    waits longer than `AT_MOST` times that, from beginning to beginning: what a step takes is no wait on top of it.
    Times are of a clock that never jumps, in seconds.
    """

    def __init__(self, part: float = 1.0) -> None:
        self._part = part
        # Of ends, and of all events: where a carrier reports answers, too, a step is to wait for as many more.
        self._ends, self._events = Turnover(), Turnover()
        self._served_few_at: float | None = None
        self._enough = ENOUGH

    @property
    def enough(self) -> int:
        """The events with which the last `pause` is over, however long it was to be."""
        return self._enough

    def served(self, ended: int, events: int, claimed: int, began: float) -> None:
        """Note a step that has served so many events, `ended` of them ends of calls, and claimed, and when it began."""
        self._ends, self._events = self._ends.after(ended, began), self._events.after(events, began)
        self._served_few_at = began if events and max(events, claimed) < ENOUGH else None

    def pause(self, held: int, waiting: int, now: float) -> float:
        """Seconds until the next step begins, with so many slots held and events waiting; 0: at once."""
        gather_seconds = self._part * self._ends.gather_seconds(held)
        self._enough = min(ENOUGH, math.ceil(1 + self._events.per_second * gather_seconds))
        if self._served_few_at is None or waiting >= self._enough:
            return 0.0
        return max(0.0, self._served_few_at + AT_MOST * gather_seconds - now)
