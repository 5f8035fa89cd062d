"""The calls of a campaign's run, where a run may make only so many (`max_calls`).

A call counts from its claim on. It counts no more when it comes back unplaced; what was an attempt stays counted,
however it ended. A run whose calls are all made and ended is halted.
"""

from dataclasses import dataclass, replace
from typing import Final

MAX_CALLS_OF_A_RUN: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class RunCalls:
    """What is counted of the run of one `generation`; None: of no run yet.

    `calls` are those claimed and not come back, `claims` those of them that have no ending yet.
    """

    generation: int | None = None
    calls: int = 0
    claims: int = 0

    def of(self, generation: int) -> "RunCalls":
        """What is counted of a run; nothing of one that is not the last counted."""
        return self if self.generation == generation else RunCalls(generation)

    def claimed(self, generation: int, count: int) -> "RunCalls":
        """The count with so many claims more."""
        before = self.of(generation)
        return replace(before, calls=before.calls + count, claims=before.claims + count)

    def ended(self, generation: int, count: int, *, returned: int) -> "RunCalls":
        """The count once so many claims of a run are over, of which `returned` came back unplaced.

        What was claimed in another run changes nothing.
        """
        if self.generation != generation:
            return self
        return replace(self, calls=self.calls - returned, claims=self.claims - count)

    def room(self, generation: int, max_calls: int) -> int:
        """How many calls a run may still make."""
        return max(0, max_calls - self.of(generation).calls)

    def is_above(self, generation: int, max_calls: int) -> bool:
        """Whether a run has more calls than it may: its limit was lowered, and claims that wait must come back."""
        return self.of(generation).calls > max_calls

    def is_full(self, generation: int, max_calls: int) -> bool:
        """Whether a run has made all its calls and none is on its way.

        While one is, it may come back, and its contact or another one is called in its place.
        """
        counted = self.of(generation)
        return counted.calls >= max_calls and counted.claims <= 0


NOTHING_COUNTED: Final = RunCalls()
