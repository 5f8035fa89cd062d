"""A limit on requests for each credential: a bucket that fills evenly, in the memory of one process.

Off unless set. With several processes of campaign-api a credential gets the limit from each of them.
"""

from dataclasses import dataclass

# Buckets that have filled up again say nothing; they are thrown away when there are more than this.
MAX_BUCKETS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimit:
    """Allows `per_minute` requests a minute for each name, in bursts of as many; 0 allows all."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: dict[str, _Bucket] = {}

    def seconds_to_wait(self, name: str, now: float) -> float:
        """0 when the request may go on (it is counted then), else after how many seconds to try again.

        `now` is in seconds on a clock that never jumps.
        """
        if not self._per_minute:
            return 0.0
        per_second = self._per_minute / 60
        if len(self._buckets) > MAX_BUCKETS:
            self._forget_full(now, per_second)
        bucket = self._buckets.setdefault(name, _Bucket(self._per_minute, now))
        bucket.tokens = min(self._per_minute, bucket.tokens + (now - bucket.filled_at) * per_second)
        bucket.filled_at = now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / per_second
        bucket.tokens -= 1
        return 0.0

    def _forget_full(self, now: float, per_second: float) -> None:
        full_after = self._per_minute / per_second
        self._buckets = {name: bucket for name, bucket in self._buckets.items() if now - bucket.filled_at < full_after}
