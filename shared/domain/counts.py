"""A campaign's numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MINUTE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class CallsOfRun:
    """The calls of the run of one generation: claimed and not given back, whatever has become of them."""

    generation: int
    calls: int


@dataclass(frozen=True, slots=True)
class Minute:
    """The calls of the 60 s before `at` (UTC): those claimed and not given back, and those that ended."""

    at: datetime
    claimed: int
    ended: int


@dataclass(frozen=True, slots=True)
class CampaignCounts:
    """Contacts by where they stand, and attempts. `active` is locked and in progress together.

    - `attempts_removed` were made of contacts that are deleted now; `ended` counts contacts by why they ended, as far
      as that is known of each.
    - `called`, `answered` and `opted_out` are contacts of which a call was claimed (and has not come back as no
      attempt), was answered, or was one in which the person opted out. `retrying` are the pending ones that wait for a
      retry, due or not, `called_back` those that wait for a callback that was asked for.
    - `outcomes` counts attempts by their outcome; `talk_seconds` is how long those that were answered lasted from the
      answer on.
    - `run` are the calls of the last run that made any, `minute` those of the last minute; None: there were none.
    """

    pending: int
    active: int
    completed: int
    exhausted: int
    error: int
    skipped: int
    attempts: int
    attempts_removed: int = 0
    ended: Mapping[str, int] = field(default_factory=dict)
    called: int = 0
    answered: int = 0
    opted_out: int = 0
    retrying: int = 0
    called_back: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    talk_seconds: float = 0.0
    run: CallsOfRun | None = None
    minute: Minute | None = None

    @property
    def total(self) -> int:
        """All contacts of the campaign."""
        return self.pending + self.active + self.completed + self.exhausted + self.error + self.skipped

    @property
    def average_attempts(self) -> float:
        """Attempts for each contact that is there, to two decimals; 0 without contacts.

        Attempts of contacts that were deleted stay in the sum of attempts, for they were made, but not in this.
        """
        return round((self.attempts - self.attempts_removed) / self.total, 2) if self.total else 0.0

    def calls_of_run(self, generation: int) -> int:
        """The calls of this generation's run."""
        return self.run.calls if self.run is not None and self.run.generation == generation else 0

    def last_minute(self, now: datetime) -> Minute:
        """The calls of the last 60 s; what was counted before those says nothing of them."""
        if self.minute is None or now - self.minute.at >= MINUTE:
            return Minute(now, 0, 0)
        return self.minute
