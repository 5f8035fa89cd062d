"""Words of this API for what the engine distinguishes: states of campaigns and contacts, outcomes of calls."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from shared.domain.campaign import CampaignState
from shared.domain.contact import ContactStatus
from shared.domain.contact_record import Contact
from shared.domain.counts import CampaignCounts
from shared.domain.outcome import Outcome
from shared.domain.reasons import EndReason


class Status(StrEnum):
    """How a campaign stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


STATES: Final[Mapping[Status, frozenset[CampaignState]]] = {
    Status.DRAFT: frozenset({CampaignState.DRAFT}),
    Status.SCHEDULED: frozenset({CampaignState.SCHEDULED}),
    Status.RUNNING: frozenset({CampaignState.RUNNING, CampaignState.SYNCING}),
    Status.PAUSED: frozenset({CampaignState.PAUSED}),
    Status.COMPLETED: frozenset({CampaignState.COMPLETED}),
    Status.CANCELLED: frozenset({CampaignState.CANCELLED, CampaignState.FAILED}),
}
STATUS_OF: Final[Mapping[CampaignState, Status]] = {
    state: status for status, states in STATES.items() for state in states
}


class CallOutcome(StrEnum):
    """How a call has ended."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    INVALID_NUMBER = "invalid_number"
    DECLINED = "declined"
    DO_NOT_CALL = "do_not_call"
    ERROR = "error"


_OURS: Final = frozenset({Outcome.FAILED, Outcome.INTERRUPTED, Outcome.UNKNOWN})


def outcome_of(outcome: Outcome | None, *, opted_out: bool = False) -> CallOutcome | None:
    """The word for an outcome; a person who has asked in the call not to be called has one of its own."""
    if outcome is None:
        return None
    if outcome in _OURS:
        return CallOutcome.ERROR
    return CallOutcome.DO_NOT_CALL if opted_out and outcome is Outcome.ANSWERED else CallOutcome(outcome.value)


def outcomes_behind(words: Collection[CallOutcome]) -> frozenset[Outcome]:
    """The engine's outcomes that these words stand for."""
    return frozenset(outcome for outcome in Outcome if outcome_of(outcome) in words)


class ContactState(StrEnum):
    """Where a contact of a campaign stands."""

    PENDING = "pending"
    QUEUED = "queued"
    CALLING = "calling"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


# Somebody or a machine took the call, or it was declined, or no other is wanted.
COMPLETED_BY: Final = (
    EndReason.ANSWERED,
    EndReason.VOICEMAIL,
    EndReason.DECLINED,
    EndReason.OPTED_OUT,
    EndReason.DONE,
)
_SKIPPED_FOR: Final = {
    EndReason.DO_NOT_CALL: "do_not_call",
    EndReason.OPTED_OUT: "do_not_call",
    EndReason.NO_PHONE: "no_phone",
    EndReason.INVALID_NUMBER: "invalid_number",
}


def contact_state(contact: Contact, *, running: bool) -> ContactState:
    """Where a contact stands in a campaign that is `running`, or is not."""
    match contact.status:
        case ContactStatus.PENDING:
            return ContactState.QUEUED if running and not contact.attempts_made else ContactState.PENDING
        case ContactStatus.LOCKED:
            return ContactState.QUEUED
        case ContactStatus.IN_PROGRESS:
            return ContactState.CALLING
        case ContactStatus.SKIPPED:
            return ContactState.SKIPPED
        case ContactStatus.COMPLETED:
            return ContactState.COMPLETED
    return ContactState.COMPLETED if contact.ended_because in COMPLETED_BY else ContactState.FAILED


def skip_reason(contact: Contact) -> str | None:
    """Why a contact is skipped; None: it is not."""
    if contact.status is not ContactStatus.SKIPPED:
        return None
    return _SKIPPED_FOR.get(contact.ended_because or EndReason.CANCELLED, "cancelled")


def contact_states(counts: CampaignCounts, calling: int, *, running: bool) -> dict[ContactState, int]:
    """The contacts of a campaign by where they stand, from its counters; `calling` of them are on a call."""
    fresh = max(0, counts.pending - counts.retrying - counts.called_back)
    waiting_to_be_placed = max(0, counts.active - calling)
    queued = waiting_to_be_placed + (fresh if running else 0)
    other_completed = sum(counts.ended.get(reason.value, 0) for reason in COMPLETED_BY)
    completed = min(max(counts.completed, other_completed), counts.completed + counts.exhausted)
    return {
        ContactState.PENDING: counts.pending - (fresh if running else 0),
        ContactState.QUEUED: queued,
        ContactState.CALLING: calling,
        ContactState.COMPLETED: completed,
        ContactState.SKIPPED: counts.skipped,
        ContactState.FAILED: counts.completed + counts.exhausted + counts.error - completed,
    }


def outcome_counts(outcomes: Mapping[str, int], opted_out: int) -> dict[str, int]:
    """Calls by outcome, each of the eight; `opted_out` of those that were answered have asked for no other."""
    counted = dict.fromkeys((word.value for word in CallOutcome), 0)
    for outcome, count in outcomes.items():
        word = outcome_of(Outcome(outcome))
        assert word is not None
        counted[word.value] += count
    moved = min(max(0, opted_out - outcomes.get(Outcome.DO_NOT_CALL.value, 0)), counted[CallOutcome.ANSWERED.value])
    counted[CallOutcome.ANSWERED.value] -= moved
    counted[CallOutcome.DO_NOT_CALL.value] += moved
    return counted
