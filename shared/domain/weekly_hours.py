"""Open and closed times on the wall clock of one repeating week, as arithmetic on whole seconds.

A week is a circle of seconds that starts on Monday at midnight. Knows nothing of zones or dates.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

WEEK_SECONDS: Final = 7 * 86_400


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """When it is open: `flips` are the seconds at which open turns closed or closed turns open.

    - `flips` are ascending, in [0, WEEK_SECONDS), and even in number, because the week is a circle.
    - A flip belongs to what follows it: an opening is inclusive, a closing exclusive.
    """

    flips: tuple[int, ...]
    open_before_first_flip: bool

    @classmethod
    def from_spans(cls, spans: Iterable[tuple[int, int]]) -> Self:
        """Hours that are open inside any of the spans [start, end).

        Spans start inside the week, may overlap and touch, and may run over its end by less than a week.
        """
        merged = _merge(piece for start, end in spans for piece in _inside_week(start, end))
        starts = {start for start, _ in merged}
        ends = {end % WEEK_SECONDS for _, end in merged}
        # A span that ends as the week ends and one that starts as it starts are one span: no flip between them.
        return cls(tuple(sorted(starts ^ ends)), bool(merged) and merged[-1][1] == WEEK_SECONDS)

    @property
    def never_changes(self) -> bool:
        """Whether it is open all week or closed all week."""
        return not self.flips

    def is_open(self, second: int) -> bool:
        """Whether it is open at `second` of the week, 0 <= second < WEEK_SECONDS."""
        return self.open_before_first_flip ^ bool(bisect_right(self.flips, second) & 1)

    def seconds_to_flip(self, second: int) -> int:
        """Wall-clock seconds from `second` until the answer changes, at least 1; call it only if it ever changes."""
        at = bisect_right(self.flips, second)
        return self.flips[at] - second if at < len(self.flips) else self.flips[0] + WEEK_SECONDS - second


def _inside_week(start: int, end: int) -> list[tuple[int, int]]:
    if end <= WEEK_SECONDS:
        return [(start, end)]
    return [(start, WEEK_SECONDS), (0, end - WEEK_SECONDS)]


def _merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if start == end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
