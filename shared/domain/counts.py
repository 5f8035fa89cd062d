"""A campaign's numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CampaignCounts:
    """Contacts by where they stand, and attempts. `active` is locked and in progress together.

    `attempts_removed` were made of contacts that are deleted now; `ended` counts contacts by why they ended, as far as
    that is known of each.
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
