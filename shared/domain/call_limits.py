"""The time limits of one call, which the carrier enforces, and how long its slot is held without evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Seconds: how long the phone rings, how long the call may last from its answer on.

    `around_seconds` is what may pass besides: from START to the carrier's answer, until a late request has settled, and
    a margin.
    """

    ring_seconds: float
    max_call_seconds: float
    around_seconds: float

    @property
    def hold_seconds(self) -> float:
        """From START until the call cannot be up any more."""
        return self.around_seconds + self.ring_seconds + self.max_call_seconds

    def of(self, lock: Mapping[str, Any]) -> "CallLimits":
        """The limits of the call that a stored lock has claimed: those frozen in it, else these."""
        own = {name: lock[name] for name in ("ring_seconds", "max_call_seconds") if lock.get(name) is not None}
        return replace(self, **own) if own else self
