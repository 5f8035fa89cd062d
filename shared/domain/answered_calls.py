"""How often calls from a caller number are answered by a person, by how its latest calls have ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.domain.outcome import Outcome

# The longest window that is counted: a week.
MOST_HOURS: Final = 168
# Calls of an organization that are looked at for one answer, the newest; docs/benchmarks.md has what these cost.
MOST_COUNTED: Final = 50_000


@dataclass(frozen=True, slots=True)
class EndedCalls:
    """The calls of one caller number that have ended, by outcome; outcomes without a call are absent.

    Each attempt is one call, also one that the carrier has refused, as in lists of calls.
    """

    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """All of them."""
        return sum(self.outcomes.values())

    @property
    def answered(self) -> int:
        """Those that a person has answered: a machine's are `voicemail`."""
        return self.outcomes.get(Outcome.ANSWERED, 0)

    @property
    def answer_rate(self) -> float | None:
        """The share of answered calls, from 0 to 1, rounded to four decimals; None where no call has ended."""
        return round(self.answered / self.ended, 4) if self.outcomes else None


NO_CALLS: Final = EndedCalls()


@dataclass(frozen=True, slots=True)
class CallsByNumber:
    """The ended calls of caller numbers (E.164) that began at `since` (UTC) or later.

    `numbers` lacks those without a call.
    """

    since: datetime
    numbers: Mapping[str, EndedCalls] = field(default_factory=dict)

    def of(self, number: str) -> EndedCalls:
        """The calls of one number."""
        return self.numbers.get(number, NO_CALLS)
