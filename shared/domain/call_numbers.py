"""Numbers of calls: integers that ascend within an organization, without a counter that every call would wait for.

They are given out by the owner of the organization's shard, from the time: `max(last + 1, microseconds now)`. So they
ascend whatever a clock does, and no two calls of a shard have the same one.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    """The microseconds from 1970 until an instant; they stay below 2^53 until the year 2255."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(number: int) -> datetime:
    """The time (UTC) that a number was made of, or would be; raises `OverflowError` for one that stands for none."""
    return _EPOCH + timedelta(microseconds=number)


def next_numbers(last: int, count: int, now: datetime) -> range:
    """The numbers of `count` more calls, in order, after the `last` one that was given out (0: none was)."""
    first = max(last + 1, microseconds(now))
    return range(first, first + count)
