"""Open hours on wall clocks: weekly hours and closed days of one zone, and hours that several zones must agree on.

All answers are about whole seconds since 1970, and each holds for a span of them, so that a search steps from change
to change. The one rule is pointwise: an instant is open if every part's wall clock shows an open time then.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.domain.closures import ClosedDaysOfZone
from shared.domain.timezones import DAY_SECONDS, EPOCH, steady_offset
from shared.domain.weekly_hours import WEEK_SECONDS, WeeklyHours

_EPOCH_WEEKDAY_SECONDS: Final = 3 * DAY_SECONDS  # 1970-01-01 was a Thursday
_SECOND: Final = timedelta(seconds=1)
END_OF_TIME: Final = (datetime.max.replace(tzinfo=EPOCH.tzinfo) - EPOCH) // _SECOND  # where datetime ends; exclusive
# Weekly hours repeat after 7 days; a clock change or a skipped day can cost a window one occurrence. Five weeks are
# therefore more than enough to say "never" (tested for every zone).
_WEEKLY_HORIZON: Final = 5 * WEEK_SECONDS
# Closed days repeat yearly at the most, some with the weekday: what is closed for a year is called closed for good.
_YEARLY_HORIZON: Final = 366 * DAY_SECONDS
# A search that takes more steps than this is through hours that mesh like cogs in two zones; it is called off.
_MAX_STEPS: Final = 5000


# Since when it is so, whether it is open, until when that surely holds.
_Answer = tuple[int, bool, int]


class ClosedBy(StrEnum):
    """What closes an instant."""

    CLOSED_DAY = "closed_day"
    LEGAL_HOURS = "legal_hours"
    WINDOWS = "windows"


@dataclass(frozen=True)
class ZoneHours:
    """Hours on the wall clock of one known zone.

    `weekly` repeats every week. On the day after a closed one `own` holds, which are the weekly hours without what has
    begun the day before. `rule` is what closes the hours that are not in `weekly`.
    """

    zone: str
    weekly: WeeklyHours
    own: WeeklyHours
    closed: ClosedDaysOfZone | None = None
    rule: ClosedBy = ClosedBy.WINDOWS

    def at(self, second: int) -> tuple[bool, int]:
        """Whether it is open at `second`, and a later second until which that surely holds (exclusive)."""
        offset, until = steady_offset(self.zone, second)
        hours, wall = self.weekly, second + offset
        if self.closed is not None:
            day = wall // DAY_SECONDS
            until = min(until, (day + 1) * DAY_SECONDS - offset)
            if self.closed.has(day):
                return False, until
            if self.closed.has(day - 1):
                hours = self.own
        in_week = (wall + _EPOCH_WEEKDAY_SECONDS) % WEEK_SECONDS
        is_open = hours.is_open(in_week)
        return is_open, until if hours.never_changes else min(until, second + hours.seconds_to_flip(in_week))

    def closed_by(self, second: int) -> ClosedBy | None:
        """What closes this second; None while it is open."""
        if self.at(second)[0]:
            return None
        if self.closed is None or self.rule is not ClosedBy.WINDOWS:
            return self.rule
        day = (second + steady_offset(self.zone, second)[0]) // DAY_SECONDS
        return ClosedBy.CLOSED_DAY if self.closed.has(day) or self._ended_at_midnight(second) else self.rule

    def _ended_at_midnight(self, second: int) -> bool:
        """Whether the weekly hours are open here, and only the closed day before has shut them."""
        in_week = (second + steady_offset(self.zone, second)[0] + _EPOCH_WEEKDAY_SECONDS) % WEEK_SECONDS
        return self.weekly.is_open(in_week)


@dataclass(frozen=True)
class OpenHours:
    """Hours that are open while each of `parts` is; without parts always. None for `parts`: never.

    Keep and reuse it: many contacts ask about one moment, and the last answer is remembered while it holds.
    """

    parts: tuple[ZoneHours, ...] | None
    _last: list[_Answer] = field(default_factory=list, compare=False, repr=False)

    def at(self, second: int) -> tuple[bool, int]:
        """Whether it is open at `second`, and a later second until which that surely holds (exclusive)."""
        if self._last:
            since, is_open, until = self._last[0]
            if since <= second < until:
                return is_open, until
        is_open, until = self._look(second)
        self._last[:] = [(second, is_open, until)]
        return is_open, until

    def _look(self, second: int) -> tuple[bool, int]:
        if self.parts is None:
            return False, END_OF_TIME
        open_until, closed_until = END_OF_TIME, None
        for part in self.parts:
            is_open, until = part.at(second)
            if is_open:
                open_until = min(open_until, until)
            else:
                closed_until = until if closed_until is None else max(closed_until, until)
        return (True, open_until) if closed_until is None else (False, closed_until)

    def first(self, second: int, *, wanted: bool) -> int | None:
        """First second at or after `second` that is open (`wanted`) or closed.

        None if there is none within the next five weeks, or, where days are closed, within the next 366 days.
        """
        since, limit = second, min(second + self._horizon, END_OF_TIME)
        for _ in range(_MAX_STEPS):
            is_open, until = self.at(second)
            if is_open is wanted:
                return second
            # All of it has one answer: who asks again within it need not walk through it.
            self._last[:] = [(since, is_open, until)]
            if until >= limit:
                return None
            second = until
        return None

    def stays_open(self, second: int, end: int) -> bool:
        """Whether every second from `second` to `end` (exclusive) is open; `second` itself is looked at in any case."""
        while True:
            is_open, until = self.at(second)
            if not is_open:
                return False
            if until >= end:
                return True
            second = until

    def closed_by(self, second: int) -> ClosedBy | None:
        """What closes this second: a closed day before legal hours before windows; None while it is open."""
        if self.parts is None:
            return ClosedBy.WINDOWS
        found = {part.closed_by(second) for part in self.parts}
        return next((reason for reason in ClosedBy if reason in found), None)

    @property
    def has_windows(self) -> bool:
        """Whether the weekly windows of every zone that is looked at open at all, closed days and laws aside."""
        return self.parts is not None and all(
            part.weekly.open_before_first_flip or not part.weekly.never_changes for part in self.parts
        )

    @property
    def _horizon(self) -> int:
        closes_days = any(part.closed is not None for part in self.parts or ())
        return _YEARLY_HORIZON if closes_days else _WEEKLY_HORIZON
