"""What a sender has in hand, by subscription: so many tries under way, a few more that wait here for their turn.

A subscription whose receiver hangs or fails has few under way; the tries of the others do not wait for it.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from shared.domain.webhooks import FEWEST_AT_ONCE, Answer, at_once_after

T = TypeVar("T")
# Deliveries taken for each try that may be under way; those that wait here keep a fast receiver busy between two looks.
# Of a receiver that hangs the last one is tried after 20 s, within the time for which deliveries are taken.
AHEAD: Final = 4
_FIRST_AT_ONCE: Final = FEWEST_AT_ONCE * 2


@dataclass(slots=True)
class Receiver(Generic[T]):
    """One subscription's deliveries in hand."""

    at_once: int = _FIRST_AT_ONCE
    under_way: int = 0
    waiting: deque[T] = field(default_factory=deque)

    @property
    def room(self) -> int:
        """How many more may be taken."""
        return max(0, self.at_once * AHEAD - self.under_way - len(self.waiting))

    @property
    def idle(self) -> bool:
        """Whether nothing is in hand."""
        return not self.under_way and not self.waiting

    def next_ones(self) -> list[T]:
        """Those whose turn it is; they count as under way."""
        found = []
        while self.waiting and self.under_way < self.at_once:
            found.append(self.waiting.popleft())
            self.under_way += 1
        return found

    def ended(self, answer: Answer | None) -> None:
        """One is no more under way, after this answer, or (None) without a try."""
        self.under_way -= 1
        if answer is not None:
            self.at_once = at_once_after(self.at_once, answer)
