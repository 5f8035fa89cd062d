"""Caps: how many attempts a contact may have in a day, and a phone in a day and in seven days, and how soon again.

An attempt counts from its start on, whatever came of it. Days are those of the contact that is looked at. A cap is kept
by the carrier's own clock, too: an attempt may be placed a moment after its start, and clocks disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.reasons import WaitReason
from shared.domain.timezones import local_date, start_of_day

# Clocks of ours, and the carrier's, may disagree by so much (docs/decisions/0024).
CLOCKS: Final = timedelta(seconds=5)
# A call is placed later than its attempt has started by less than this: PLACE, and the clocks.
PLACING: Final = timedelta(seconds=20)
WEEK: Final = timedelta(hours=168)
DAY: Final = timedelta(days=1)
# No carrier lets a call last longer, so one that has ended within a gap has started within the gap and this.
LONGEST_CALL: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class NumberCaps:
    """An organization's caps on each phone, over all its campaigns; None: there is none.

    `week` counts the last 168 hours; `gap_minutes` is the least time from the end of a call to the start of the next.
    """

    day: int | None = None
    week: int | None = None
    gap_minutes: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is a cap at all."""
        return self.day is not None or self.week is not None or self.gap_minutes is not None

    @property
    def most(self) -> int:
        """How many attempts at a phone, the latest ones, decide about these caps."""
        return max(self.day or 1, self.week or 1)


NO_CAPS: Final = NumberCaps()


@dataclass(frozen=True, slots=True)
class Called:
    """The attempts at one phone or contact, in UTC: when the latest ones started, and when the last one ended."""

    started_at: Sequence[datetime] = ()
    ended_at: datetime | None = None


NEVER_CALLED: Final = Called()


@dataclass(frozen=True, slots=True)
class CapReached:
    """A cap that allows no attempt before `until` (UTC)."""

    reason: WaitReason
    until: datetime


def day_counts_from(timezone: str, now: datetime) -> datetime:
    """From when on attempts count for a cap of a day: the local day of `now`, by a clock that is behind ours."""
    return start_of_day(timezone, local_date(timezone, now - CLOCKS)) - PLACING


def counts_from(caps: NumberCaps, timezones: Sequence[str], now: datetime) -> datetime:
    """From when on attempts at phones matter to these caps, for contacts of these zones."""
    begins = [day_counts_from(timezone, now) for timezone in timezones] if caps.day is not None else []
    if caps.week is not None:
        begins.append(now - WEEK - CLOCKS - PLACING)
    if caps.gap_minutes is not None:
        begins.append(now - timedelta(minutes=caps.gap_minutes) - CLOCKS - LONGEST_CALL)
    return min(begins, default=now)


def cap_reached(
    contact_day: int | None, contact: Called, caps: NumberCaps, phone: Called, timezone: str, now: datetime
) -> CapReached | None:
    """The cap that holds an attempt back the longest; None when each allows one at `now`.

    `contact_day` is how many attempts the contact may have in a day of `timezone`; `caps` are those of the phone.
    """
    untils = [
        (WaitReason.CONTACT_DAY_CAP, _day_ends(contact_day, contact, timezone, now)),
        (WaitReason.NUMBER_DAY_CAP, _day_ends(caps.day, phone, timezone, now)),
        (WaitReason.NUMBER_WEEK_CAP, _week_ends(caps.week, phone, now)),
        (WaitReason.NUMBER_GAP, _gap_ends(caps.gap_minutes, phone)),
    ]
    reached = [CapReached(reason, until) for reason, until in untils if until is not None and until > now]
    return max(reached, key=lambda cap: cap.until, default=None)


def _day_ends(cap: int | None, called: Called, timezone: str, now: datetime) -> datetime | None:
    """The first instant from `now` on whose day has had fewer attempts than `cap`."""
    if cap is None or len(called.started_at) < cap:
        return None
    at = now
    while sum(started >= day_counts_from(timezone, at) for started in called.started_at) >= cap:
        # What began just before midnight may have been placed after it, and counts for both days.
        at = start_of_day(timezone, local_date(timezone, at - CLOCKS) + DAY) + CLOCKS
    return at


def _week_ends(cap: int | None, called: Called, now: datetime) -> datetime | None:
    if cap is None or len(called.started_at) < cap:
        return None
    return sorted(called.started_at)[-cap] + WEEK + CLOCKS + PLACING


def _gap_ends(minutes: int | None, called: Called) -> datetime | None:
    if minutes is None or called.ended_at is None:
        return None
    return called.ended_at + timedelta(minutes=minutes) + CLOCKS
