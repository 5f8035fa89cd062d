"""What is told to a customer's systems: facts, each written in the transaction that makes it true.

A fact says what was so at that moment; readers that want more read it when they deliver. Facts are written only for
organizations that want their type, so an organization without a subscription costs nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class FactType(StrEnum):
    """Every kind of fact, with what its `facts` say; times there are in UTC, durations in seconds.

    Facts of a call, and of its contact, have `external_id`, `attempt_number`, `phone_number`, `caller_number`,
    `agent_id`, `agent_version`, `conversation_id`, where these are known.
    """

    # started_at, provider_call_id
    CALL_PLACED = "call.placed"
    # answered_at
    CALL_ANSWERED = "call.answered"
    # outcome, proven, started_at, answered_at, ended_at, duration_seconds, provider_call_id, error; `corrected` is true
    # when a better report has taken the place of one that was told before.
    CALL_ENDED = "call.ended"
    # All that was reported of the call so far, without what needs a scope of its own.
    CALL_RESULT = "call.result"
    # status, reason, outcome, attempts_made, called_again, next_attempt_at; not `called_again`: the contact is final.
    CONTACT_COMPLETED = "contact.completed"
    # status, reason
    CONTACT_SKIPPED = "contact.skipped"
    # Those of campaigns: name, external_id, generation, state, reason
    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_RESUMED = "campaign.resumed"
    CAMPAIGN_COMPLETED = "campaign.completed"
    CAMPAIGN_HALTED = "campaign.halted"
    CAMPAIGN_CANCELLED = "campaign.cancelled"
    # Those of callbacks: external_id, type (retry, requested), at, outcome, notes, reason
    CALLBACK_SCHEDULED = "callback.scheduled"
    CALLBACK_DONE = "callback.done"
    CALLBACK_CANCELLED = "callback.cancelled"
    CALLBACK_REFUSED = "callback.refused"
    # Those of people: external_id, names, phones, email, company_id, do_not_call, inactive; of a change also `changed`
    PERSON_CREATED = "person.created"
    PERSON_CHANGED = "person.changed"
    PERSON_DELETED = "person.deleted"
    PERSON_DO_NOT_CALL = "person.do_not_call"
    # job_id, state, rows, accepted, refused; reason, where it failed
    IMPORT_DONE = "import.done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact of an organization, not numbered yet; `at` in UTC. None: it is not about one of these.

    `facts` is small: a few hundred bytes of JSON, in which times may be datetimes.
    """

    type: FactType
    at: datetime
    campaign_id: str | None = None
    contact_id: str | None = None
    attempt_id: str | None = None
    person_id: str | None = None
    callback_id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def fact_id(shard: int, number: int) -> str:
    """The id of a shard's `number`-th fact; the same whenever and by whomever it is published."""
    return f"{shard}-{number}"


def tells_while_up(wanted: Collection[str]) -> bool:
    """Whether an organization that wants these types is told of calls that are up."""
    return FactType.CALL_PLACED in wanted or FactType.CALL_ANSWERED in wanted


def is_wanted(kind: FactType, wanted: Collection[str]) -> bool:
    """Whether an organization that wants these types is told of facts of this kind."""
    return kind in wanted
