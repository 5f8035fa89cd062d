"""The circuit breaker of a campaign: when too many of its calls have failed lately, its run is halted.

What has become of calls is kept in a window that moves in twentieths, for one run alone: a run that is started or
resumed begins with an empty one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.domain.outcome import Outcome

PARTS: Final = 20
MIN_WINDOW_SECONDS: Final = 10
MAX_WINDOW_SECONDS: Final = 86_400
MAX_MIN_CALLS: Final = 1_000_000
# Endings that say that calls do not come about; a refused call is one too, whatever it speaks of. All others are
# successes of ours: somebody, or something, was reached, or could have been.
FAILURES: Final = frozenset({Outcome.FAILED, Outcome.INVALID_NUMBER, Outcome.INTERRUPTED, Outcome.UNKNOWN})
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """A run is halted when at least `min_calls` ended in the last `window_seconds`, a share of `threshold` as failures.

    `threshold` is above 0 and at most 1.
    """

    threshold: float
    window_seconds: int
    min_calls: int

    @property
    def part(self) -> timedelta:
        """The length of a twentieth of the window."""
        return timedelta(seconds=self.window_seconds) / PARTS

    @classmethod
    def from_document(cls, stored: Mapping[str, Any] | None) -> "CircuitBreaker | None":
        """The breaker as a campaign has stored it; None: it has none."""
        return None if stored is None else cls(stored["threshold"], stored["window_seconds"], stored["min_calls"])


@dataclass(frozen=True, slots=True)
class Part:
    """The calls that ended in one part of the window, which begins `at` (UTC), and how many of them were failures."""

    at: datetime
    calls: int
    failures: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What has become of the calls of one run, oldest part first."""

    generation: int
    parts: Sequence[Part] = ()

    @property
    def calls(self) -> int:
        """How many calls have ended."""
        return sum(part.calls for part in self.parts)

    @property
    def failures(self) -> int:
        """How many of them were failures."""
        return sum(part.failures for part in self.parts)

    def within(self, breaker: CircuitBreaker, now: datetime) -> "Evidence":
        """The evidence without parts that began a window ago or before."""
        begin = now - timedelta(seconds=breaker.window_seconds)
        return replace(self, parts=tuple(part for part in self.parts if part.at > begin))

    def noted(self, breaker: CircuitBreaker, calls: int, failures: int, now: datetime) -> "Evidence":
        """The evidence of the window that ends `now`, with calls that have ended in this moment."""
        kept = self.within(breaker, now).parts
        # A clock that was ahead has begun the last part already.
        at = max([_begin_of_part(breaker, now), *(part.at for part in kept)])
        if kept and kept[-1].at == at:
            last = Part(at, kept[-1].calls + calls, kept[-1].failures + failures)
            return replace(self, parts=(*kept[:-1], last))
        return replace(self, parts=(*kept, Part(at, calls, failures)))

    def trips(self, breaker: CircuitBreaker) -> bool:
        """Whether so many calls have failed that the run is to be halted."""
        return self.calls >= max(1, breaker.min_calls) and self.failures / self.calls >= breaker.threshold


def evidence_of(stored: Evidence | None, generation: int) -> Evidence:
    """The evidence on a run; what is stored of another one counts for that one alone."""
    return stored if stored is not None and stored.generation == generation else Evidence(generation)


def _begin_of_part(breaker: CircuitBreaker, now: datetime) -> datetime:
    return _BEGINNING + (now - _BEGINNING) // breaker.part * breaker.part
