"""A contact's dialing states and tiers."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final


class ContactStatus(StrEnum):
    """Where a contact stands; see the state diagram in docs/architecture.md."""

    PENDING = "pending"
    LOCKED = "locked"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    EXHAUSTED = "exhausted"
    ERROR = "error"
    SKIPPED = "skipped"


# A contact in one of these holds a slot of every budget above it.
ACTIVE: Final = frozenset({ContactStatus.LOCKED, ContactStatus.IN_PROGRESS})
FINAL: Final = frozenset({ContactStatus.COMPLETED, ContactStatus.EXHAUSTED, ContactStatus.ERROR, ContactStatus.SKIPPED})


class Tier(IntEnum):
    """Which queue a waiting contact stands in; one index range each.

    FRESH and SCHEDULED are apart because a contact with a scheduled time has calling windows of its own for its first
    call. A REQUESTED contact waits for a callback that was asked for. Which goes first: shared/domain/queue_order.py.
    """

    FRESH = 0
    RETRY = 1
    SCHEDULED = 2
    REQUESTED = 3


@dataclass(frozen=True, slots=True, order=True)
class WaitingContact:
    """One waiting contact; sorts in the order contacts of one priority are called: rank, due time, request order."""

    rank: int
    due_at: datetime
    seq: int
    contact_id: str
