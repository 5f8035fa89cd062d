"""A contact as it is known: what its customer has set, where it stands, and its attempts."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from shared.domain.call_results import CallResult
from shared.domain.callbacks import Callback
from shared.domain.contact import ContactStatus
from shared.domain.dialing_values import Wait
from shared.domain.outcome import Outcome
from shared.domain.reasons import EndReason

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Standing:
    """A contact's standing: why it waits, and the first instant (UTC) at which it can be called.

    Both None when it does not wait.

    `next_call` None: never, as things stand.
    """

    waits: Wait | None = None
    next_call: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a contact; times in UTC. `ended` False: its call is up, or about to be placed.

    An attempt whose report came late was stored without its claim: number and phone numbers are None. `message_left`: a
    message was left on a machine in its call, or may have been. `opted_out`: the person asked in it not to be called
    again. `result` is what the voice agent has reported so far, without the transcript; None: nothing.
    """

    id: str
    ended: bool
    attempt_number: int | None
    phone_number: str | None
    caller_number: str | None
    agent_id: str | None
    agent_version: str | None
    outcome: Outcome | None
    started_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    duration_seconds: float | None
    conversation_id: str | None
    provider_call_id: str | None
    error: str | None
    message_left: bool = False
    opted_out: bool = False
    result: CallResult | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact with its attempts, and how it stands; times in UTC. `campaign_id` None: it is of no campaign.

    A contact of which something was asked stands as it will in a moment. `ended_because` None: it has not ended, or did
    so before reasons were kept. `callback` is what it waits for; None: its first call, a new beginning, or nothing.
    `person_id` None: it is nobody of the contact book.
    `opted_out`: the person asked not to be called again.
    """

    id: str
    external_id: str | None
    campaign_id: str | None
    phone_numbers: tuple[str, ...]
    data: Mapping[str, Any] | None
    timezone: str | None
    scheduled_at: datetime | None
    expires_at: datetime | None
    priority: int
    agent_id: str | None
    agent_version: str | None
    agent_number: str | None
    agent_config: Mapping[str, Any] | None
    initial_context: str | Mapping[str, Any] | None
    status: ContactStatus
    attempts_made: int
    standing: Standing
    ended_because: EndReason | None
    attempts: tuple[Attempt, ...]
    created_at: datetime
    updated_at: datetime
    callback: Callback | None = None
    person_id: str | None = None
    opted_out: bool = False


def in_order(ended: Sequence[Attempt]) -> list[Attempt]:
    """Ended attempts by number; one that has none, known from a late report alone, stands where its time puts it."""
    numbered = [(attempt.attempt_number, attempt) for attempt in ended if attempt.attempt_number is not None]
    late = [attempt for attempt in ended if attempt.attempt_number is None]
    numbered.sort(key=lambda pair: pair[0])
    return list(heapq.merge([attempt for _, attempt in numbered], sorted(late, key=_when), key=_when))


def _when(attempt: Attempt) -> datetime:
    return attempt.started_at or attempt.ended_at or _LONG_AGO
