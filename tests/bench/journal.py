"""What the carrier of one run has seen, written by the executor's process and read by the benchmark."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from shared.clock import monotonic


class Transaction(NamedTuple):
    """One transaction of a scheduler: when it began, the seconds until it was committed, how many it claimed."""

    started: float
    seconds: float
    claimed: int


def load_transactions(path: Path) -> list[Transaction]:
    """What the scheduler of a run, ours or the bare one, has kept."""
    return [Transaction(*kept) for kept in json.loads(path.read_text())["transactions"]]


@dataclass(slots=True)
class Journal:
    """Placements and ends in their order, on the monotonic clock: one for all processes of a Linux machine.

    `contacts` are those called, in the order of `placed`; `ended_contacts` in the order of `ended`.
    """

    placed: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    contacts: list[str] = field(default_factory=list)
    ended_contacts: list[str] = field(default_factory=list)

    def place(self, contact_id: str) -> None:
        """A call is placed now."""
        self.placed.append(monotonic())
        self.contacts.append(contact_id)

    def end(self, contact_id: str) -> None:
        """A call ends now."""
        self.ended.append(monotonic())
        self.ended_contacts.append(contact_id)

    def save(self, path: Path) -> None:
        """Keep it for the benchmark."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> "Journal":
        """What `save` kept."""
        return cls(**json.loads(path.read_text()))

    def refills(self, skip: int, slots: int) -> list[float]:
        """Seconds from each call's end to the placement that took its slot, after the first `skip` calls.

        With `slots` slots, placement number `slots + k` needs the k-th end; slots are alike, so it counts
        as taking that one.
        """
        placed, ended = self.placed[skip + slots :], self.ended[skip:]
        return [start - end for end, start in zip(ended, placed, strict=False)]
