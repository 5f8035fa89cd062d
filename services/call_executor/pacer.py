"""The pace of one executor: so many calls a second, and a token back for every job that becomes no call."""

import asyncio

from shared.clock import monotonic
from shared.domain.pacing import Bucket, portion
from shared.waiting import wait_at_most


class Pacer:
    """Hands out the tokens of one bucket, to one caller at a time."""

    def __init__(self, per_second: float) -> None:
        self._bucket = Bucket.full(per_second, monotonic())
        self._portion = portion(per_second)
        self._given_back = asyncio.Event()
        self._turn = asyncio.Lock()

    async def take(self, at_most: int) -> int:
        """Wait for tokens and take up to `at_most`; how many were taken.

        Waits until there are enough for a portion, so that a fast executor does not start its jobs one by one.
        """
        wanted = min(at_most, self._portion)
        async with self._turn:
            while (seconds := self._bucket.seconds_until(wanted, monotonic())) > 0:
                self._given_back.clear()
                await wait_at_most(self._given_back, seconds)
            taken, self._bucket = self._bucket.take(at_most, monotonic())
            return taken

    def give_back(self, count: int) -> None:
        """These tokens were taken for jobs that no carrier is asked about."""
        self._bucket = self._bucket.filled(monotonic(), count)
        self._given_back.set()
