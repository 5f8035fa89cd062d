"""The only place that reads a clock; rules take `now` as an argument instead."""

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """The wall clock, aware, in UTC, cut to milliseconds because that is what MongoDB keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def monotonic() -> float:
    """Seconds on a clock that never jumps; compare only with values of the same process."""
    return time.monotonic()
