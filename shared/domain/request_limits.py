"""Limits on the requests of a credential: windows, how many are left in them, and when there is room again.

A count slides: the requests of the window that has begun, and of those of the window before as large a share as is left
of this one. So it forgets evenly, and needs two numbers, which processes can add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import floor
from typing import Final

from limits import RateLimitItem, parse

MAX_WINDOWS: Final = 8
MAX_LENGTH: Final = 200
LONGEST_SECONDS: Final = 31 * 24 * 3600
MAX_AMOUNT: Final = 10_000_000
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_RULE: Final = "must be windows like 1000/hour or 10/second; 60/minute writes; 300/minute reads, eight at most"
# What is left to wait is never told as nothing, however near the moment is.
_A_MOMENT: Final = 0.001


class Counted(StrEnum):
    """The requests that a window counts."""

    ALL = "all"
    READS = "reads"
    WRITES = "writes"


@dataclass(frozen=True, slots=True)
class RequestWindow:
    """At most so many requests in so many seconds."""

    item: RateLimitItem
    counted: Counted = Counted.ALL

    @property
    def amount(self) -> int:
        """How many requests."""
        return self.item.amount

    @property
    def seconds(self) -> int:
        """In how many seconds."""
        return self.item.get_expiry()

    def counts(self, method: str) -> bool:
        """Whether a request of this method counts."""
        return self.counted is Counted.ALL or (self.counted is Counted.READS) == (method in _READING)


@dataclass(frozen=True, slots=True)
class LimitState:
    """The window of a credential with the fewest requests left, after this request.

    `resets_in`: seconds until none counts any more. `retry_after`: seconds until one more is allowed; 0: at once.
    """

    limit: int
    remaining: int
    resets_in: float
    retry_after: float = 0.0


@dataclass(frozen=True, slots=True)
class WindowCount:
    """The requests of the window before and of this one, and how many seconds of this one are over."""

    previous: int
    current: int
    elapsed: float


@lru_cache(maxsize=1024)
def request_windows(text: str) -> tuple[RequestWindow, ...]:
    """The windows that a text names; none where it is empty. Raises `ValueError` with the rule."""
    windows = tuple(_window(part) for part in text.split(";") if part.strip())
    if len(windows) > MAX_WINDOWS or len(text) > MAX_LENGTH:
        raise ValueError(_RULE)
    return windows


def checked_windows(text: str) -> str:
    """The text, if it names windows. Raises `ValueError` with the rule."""
    request_windows(text)
    return text


def _window(part: str) -> RequestWindow:
    words = part.split()
    counted = Counted.ALL
    if words[-1] in {Counted.READS, Counted.WRITES}:
        counted = Counted(words.pop())
    try:
        item = parse(" ".join(words))
    except ValueError:
        raise ValueError(_RULE) from None
    if not (1 <= item.amount <= MAX_AMOUNT and 1 <= item.get_expiry() <= LONGEST_SECONDS):
        raise ValueError(_RULE)
    return RequestWindow(item, counted)


def state_in(window: RequestWindow, count: WindowCount) -> LimitState:
    """How a credential stands in one window."""
    left = 1 - count.elapsed / window.seconds
    remaining = max(0, window.amount - floor(count.previous * left + count.current))
    resets_in = 2.0 * window.seconds if count.current else float(window.seconds) if count.previous else 0.0
    return LimitState(
        window.amount,
        remaining,
        max(0.0, resets_in - count.elapsed),
        0.0 if remaining else max(_A_MOMENT, _room_in(window, count)),
    )


def tightest(states: Sequence[LimitState]) -> LimitState | None:
    """The state that says the most of a credential in several windows; None without any."""
    refused = [state for state in states if state.retry_after]
    if refused:
        return max(refused, key=lambda state: state.retry_after)
    return min(states, key=lambda state: (state.remaining, -state.resets_in), default=None)


def _room_in(window: RequestWindow, count: WindowCount) -> float:
    """Seconds until one more is allowed, to the moment: from then on, not at it."""
    if count.current < window.amount:
        share = (window.amount - count.current) / count.previous
        return window.seconds * (1 - share) - count.elapsed
    # The next window must forget some of this one.
    return window.seconds * (2 - window.amount / count.current) - count.elapsed
