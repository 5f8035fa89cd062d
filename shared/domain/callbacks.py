"""Callbacks: contacts that wait for another call, because the last one calls for a retry or because they were asked to.

A reset contact waits as if it were new: it is no callback, for its attempts so far count for no retry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.domain.contact import Tier
from shared.domain.ids import callback_id
from shared.domain.outcome import Outcome
from shared.domain.retry import RetryPolicy, retries_left

MAX_NOTES: Final = 2000
# How far ahead a callback may be asked for.
MAX_AHEAD: Final = timedelta(days=366)
# A time that has passed by no more than this is taken: clocks differ, and requests take their time.
PAST_ALLOWED: Final = timedelta(minutes=1)


class CallbackType(StrEnum):
    """Why a callback waits: the retry rule says so, or somebody asked for it."""

    RETRY = "retry"
    REQUESTED = "requested"


@dataclass(frozen=True, slots=True)
class Callback:
    """One waiting of a contact for another call, at the earliest at `at` (UTC).

    `outcome` is that of the contact's last call, None when it was never called. The call to come is the
    `retry_number`-th retry (from 1) of at most `max_retries`; both None when it was requested. `requested_at` (UTC) is
    when that was.
    """

    id: str
    type: CallbackType
    at: datetime
    outcome: Outcome | None
    retry_number: int | None
    max_retries: int | None
    notes: str | None
    requested_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tries:
    """A contact's attempts that limits count: all that it has made but the uncounted, and retries that were skipped.

    `outcomes` has how often each came; a skipped retry counts as one more of the outcome before it.
    """

    made: int
    uncounted: int
    skipped: int
    outcomes: Mapping[str, int]

    @property
    def counted(self) -> int:
        """How many count."""
        return self.made - self.uncounted + self.skipped

    def counted_outcome(self, last: str | None) -> Outcome | None:
        """The outcome by whose rule the contact waits: its `last` one if it counts, else another that does.

        None: none counts.
        """
        latest_first = [*([last] if last is not None else ()), *reversed(list(self.outcomes))]
        return next((Outcome(outcome) for outcome in latest_first if self.outcomes.get(outcome)), None)


def type_of(tier: Tier, tries: Tries) -> CallbackType | None:
    """The type of the callback that a waiting contact is; None: it waits for its first call, or for a new beginning."""
    if tier is Tier.REQUESTED:
        return CallbackType.REQUESTED
    return CallbackType.RETRY if tries.made > tries.uncounted else None


def callback_of(
    contact_id: str,
    waiting: int,
    tier: Tier,
    due_at: datetime,
    tries: Tries,
    last_outcome: str | None,
    policy: RetryPolicy,
    notes: str | None,
    requested_at: datetime | None,
) -> Callback | None:
    """The callback that a waiting contact is, if it is one."""
    kind = type_of(tier, tries)
    if kind is None:
        return None
    number = most = None
    outcome = tries.counted_outcome(last_outcome)
    if kind is CallbackType.RETRY and outcome is not None:
        number = tries.counted
        left = retries_left(policy, outcome, number, tries.outcomes[outcome])
        # A limit may have been lowered since; the call that waits is made all the same.
        most = number - 1 + max(1, left)
    last = None if last_outcome is None else Outcome(last_outcome)
    return Callback(callback_id(contact_id, waiting), kind, due_at, last, number, most, notes, requested_at)
