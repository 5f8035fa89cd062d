"""What a run showed, in numbers and for people."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from tests.chaos.faults import Happened
from tests.chaos.judge import Violation, recovery_seconds
from tests.chaos.record import CarrierCall
from tests.chaos.servers import KAFKA, MONGODB

Recovery = dict[str, list[float]]


@dataclass(slots=True)
class Report:
    """One run, or the sum of several."""

    violations: list[Violation] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    seconds: float = 0.0
    # Processes that ended although nobody had ended them.
    own_ends: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    peaks: dict[str, int] = field(default_factory=dict)
    recovery: Recovery = field(default_factory=dict)

    def add(self, other: "Report") -> None:
        """Count another run in; its peaks stay with it."""
        self.violations += other.violations
        self.faults += other.faults
        self.calls += other.calls
        self.seconds += other.seconds
        self.own_ends += other.own_ends
        self.facts += other.facts
        for what, waits in other.recovery.items():
            self.recovery.setdefault(what, []).extend(waits)

    def lines(self, title: str) -> list[str]:
        """For people."""
        return [
            f"{title}: {self.faults.total()} faults in {self.seconds:.0f} s, {self.calls} calls, "
            f"{len(self.violations)} promises broken",
            *(f"  BROKEN {violation}" for violation in self.violations[:20]),
            f"  faults: {_listed(self.faults)}",
            *(f"  {what}: {count}" for what, count in sorted(self.own_ends.items())),
            f"  {_listed(self.facts)}",
            *([f"  most calls at once: {_listed(self.peaks)}"] if self.peaks else []),
            *(
                f"  next call after {what}: median {median(waits):.1f} s, longest {max(waits):.1f} s, of {len(waits)}"
                for what, waits in sorted(self.recovery.items())
            ),
        ]


def kinds_of(happened: Sequence[Happened]) -> Counter[str]:
    """How often each fault was, by name and kind of target."""
    return Counter(f"{one.fault.name} of {_kind(one.fault.target)}" for one in happened)


def recovery_of(calls: Sequence[CarrierCall], happened: Sequence[Happened]) -> Recovery:
    """Seconds to the next call: from a process's death, and from a server's return or, of three, from its loss."""
    moments: dict[str, list[datetime]] = defaultdict(list)
    for one in happened:
        name, target = one.fault.name, _kind(one.fault.target)
        if name == "SIGKILL" and target in {"executor", "scheduler"}:
            moments[f"SIGKILL of {target}"].append(one.broke_at)
        elif one.fault.target in {KAFKA, MONGODB}:
            moments[f"the return of {target} ({name})"].append(one.mended_at)
        elif target in {KAFKA, MONGODB} or name == "step down":
            moments[f"{name} of one {target} of three"].append(one.broke_at)
    known = {what: recovery_seconds(calls, at) for what, at in moments.items()}
    return {what: found for what, seconds in known.items() if (found := [s for s in seconds if s is not None])}


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))


def _kind(target: str) -> str:
    return target.rstrip("-0123456789")
