"""The executors that live, judged by heartbeats that move, never by comparing clocks."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.store.dialing.executors import Heartbeat

# An executor whose sequence stood still for this many of our own successful looks counts as dead.
STILL_LOOKS = 3


@dataclass(slots=True)
class _Seen:
    heartbeat: Heartbeat
    still: int = 0


class Fleet:
    """The executors' heartbeats, and for how many looks each has stood still.

    Call `observe` once a second, only after a read that worked.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def observe(self, heartbeats: Sequence[Heartbeat]) -> None:
        """Take in one look at all heartbeats."""
        now: dict[str, _Seen] = {}
        for heartbeat in heartbeats:
            before = self._seen.get(heartbeat.executor)
            stood_still = before is not None and before.heartbeat.sequence == heartbeat.sequence
            now[heartbeat.executor] = _Seen(heartbeat, before.still + 1 if before and stood_still else 0)
        self._seen = now

    def is_dead(self, executor: str) -> bool:
        """Whether an executor is gone: unknown, or its heartbeat stood still for three looks."""
        seen = self._seen.get(executor)
        return seen is None or seen.still >= STILL_LOOKS

    @property
    def dead(self) -> list[str]:
        """Executors whose heartbeat stands still."""
        return [name for name, seen in self._seen.items() if seen.still >= STILL_LOOKS]

    @property
    def capacity(self) -> int:
        """The calls at once for which living executors can answer; those that drain take no new ones."""
        return sum(seen.heartbeat.capacity for seen in self._living())

    @property
    def calls_per_second(self) -> float:
        """The calls a second that living executors may place."""
        return sum(seen.heartbeat.calls_per_second for seen in self._living())

    def _living(self) -> list[_Seen]:
        return [s for s in self._seen.values() if s.still < STILL_LOOKS and not s.heartbeat.draining]
