"""A short pause of a shard's loop behind a step that has served a few events, so that the next serves more of them."""

from shared.domain.turnover import ENOUGH, Turnover


class Gathering:
    """When the next step of one shard's loop may begin. A step that comes long after the last one never waits.

    Times are of a clock that never jumps, in seconds.
    """

    def __init__(self) -> None:
        self._turnover = Turnover()
        self._served_few_at: float | None = None

    def served(self, ended: int, events: int, claimed: int, now: float) -> None:
        """Note that a step is over which has served so many events, `ended` of them ends of calls, and claimed."""
        self._turnover = self._turnover.after(ended, now)
        self._served_few_at = now if events and max(events, claimed) < ENOUGH else None

    def pause(self, held: int, waiting: int, now: float) -> float:
        """Seconds until the next step begins, with so many slots held and events waiting; 0: at once."""
        if self._served_few_at is None or waiting >= ENOUGH:
            return 0.0
        return max(0.0, self._served_few_at + self._turnover.gather_seconds(held) - now)
