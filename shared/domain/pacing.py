"""Pacing: how many dial jobs may wait for the executors, and the bucket of tokens that spaces out their calls.

A job waits from its claim to its start. The longer the queue, the longer each job in it waits, and one that waits
for as long as its claim lives is lost to the rate: the claim expires, and the contact must be claimed anew.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

# So many seconds of dialing are enough for every delay on the way from a claim to its start.
LONGEST_QUEUE_SECONDS: Final = 10.0
# The queue is a third of what a claim lives, so that executors may be three times slower than they said.
CLAIM_LIFE_PER_QUEUE: Final = 3.0
# Jobs that wait are counted again at most this often, and at least once a second while there is too little room.
SHORTEST_COUNT_SECONDS: Final = 0.05
LONGEST_COUNT_SECONDS: Final = 1.0
# Tokens are not waited for one by one: what comes in this time goes together, in one START and one look at the gate.
PORTION_SECONDS: Final = 0.2
# Sums of floats that should be whole are taken for whole.
_WHOLE: Final = 1e-6


def queue_seconds(lock_seconds: float) -> float:
    """How many seconds of dialing may wait where a claim lives for `lock_seconds`."""
    return min(LONGEST_QUEUE_SECONDS, lock_seconds / CLAIM_LIFE_PER_QUEUE)


def queue_length(lock_seconds: float, calls_per_second: float, part: float) -> int:
    """How many jobs of a shard that has this part of the calls may wait; always one, or it would never dial."""
    return int(queue_seconds(lock_seconds) * calls_per_second * part) + 1


def count_again_after(length: int, calls_per_second: float) -> float:
    """Seconds until a full queue of this length is counted again: half of it may have been started by then.

    One shard's jobs may be all there are, so they may be started at the rate of all executors.
    """
    half = length / 2 / calls_per_second if calls_per_second > 0 else LONGEST_COUNT_SECONDS
    return min(LONGEST_COUNT_SECONDS, max(SHORTEST_COUNT_SECONDS, half))


def portion(calls_per_second: float) -> int:
    """How many calls at least are placed together at this rate, when there are so many."""
    return max(1, int(calls_per_second * PORTION_SECONDS))


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens for calls, one each: `per_second` new ones, of which a second's worth is kept, not less than one.

    `tokens` is how many there were `at` that time of a clock that never jumps; below zero is never reached.
    """

    per_second: float
    tokens: float
    at: float

    @classmethod
    def full(cls, per_second: float, now: float) -> Self:
        """A bucket with all it can keep."""
        return cls(per_second, max(1.0, per_second), now)

    @property
    def size(self) -> float:
        """How many tokens are kept at most."""
        return max(1.0, self.per_second)

    def filled(self, now: float, given_back: int = 0) -> Self:
        """The bucket at a later time, with tokens put back that were taken in vain."""
        new = (now - self.at) * self.per_second + given_back
        return replace(self, tokens=min(self.size, self.tokens + new), at=now)

    def seconds_until(self, count: int, now: float) -> float:
        """How long until so many tokens are there; 0 when they are. A bucket never holds more than its size."""
        missing = count - self.filled(now).tokens
        return missing / self.per_second if missing > _WHOLE else 0.0

    def take(self, at_most: int, now: float) -> tuple[int, Self]:
        """As many whole tokens as there are, up to `at_most`, and the bucket without them."""
        filled = self.filled(now)
        taken = min(at_most, int(filled.tokens + _WHOLE))
        return taken, replace(filled, tokens=max(0.0, filled.tokens - taken))
