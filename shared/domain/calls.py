"""Calls as lists show them: attempts from their placement on, and what a list is asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from shared.domain.outcome import Outcome

# Calls that a filter which no index serves looks at, at most; the newest, or the oldest where those come first. With
# these an answer takes less than a second at a million calls (docs/benchmarks.md).
MAX_LOOKED_AT: Final = 100_000
# Of those that are put in order by duration, which no index does: each is read whole.
MAX_SORTED: Final = 50_000


class CallStatus(StrEnum):
    """Whether a call is under way."""

    IN_PROGRESS = "in_progress"
    ENDED = "ended"


class CallOrder(StrEnum):
    """The order of a list. Calls without a duration come last in both orders by it; ties go by number."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LONGEST = "longest"
    SHORTEST = "shortest"


BY_TIME: Final = frozenset({CallOrder.NEWEST, CallOrder.OLDEST})


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt at a contact, from its placement on; times in UTC.

    `number` ascends within the organization. `created_at` is when it began. `duration_seconds` is None while it is
    under way and for one that nobody took. An attempt whose report came late lacks its `attempt_number` and phone
    numbers. `outcome_before` is how the contact's attempt before it ended; None: it is the first. `campaign_id` is in
    its stored form, None where the contact had been deleted when the report came.
    """

    id: str
    number: int
    organization_id: str
    campaign_id: str | None
    contact_id: str
    contact_created_at: datetime | None
    contact_name: str | None
    status: CallStatus
    attempt_number: int | None
    generation: int | None
    phone_number: str | None
    caller_number: str | None
    agent_id: str | None
    agent_version: str | None
    outcome: Outcome | None
    outcome_before: Outcome | None
    created_at: datetime
    started_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    duration_seconds: float | None
    conversation_id: str
    provider_call_id: str | None
    error: str | None
    message_left: bool = False


@dataclass(frozen=True, slots=True)
class ListedCall:
    """A call with what its agent has posted of it, by field; empty where nothing came."""

    call: Call
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reader:
    """What a reader of calls is shown of results: what was said (`sensitive`), and then in lists the `transcripts`."""

    sensitive: bool
    transcripts: bool = False


@dataclass(frozen=True, slots=True)
class CallFilter:
    """The calls that a list holds: those for which all of this is so; what is None or empty restricts nothing.

    - `campaign_id` in its stored form; `contact_ids` are contacts (a person is one in each campaign).
    - `called` and `caller` are phone numbers, in any spelling of the same phone; `number` is either of them.
    - `since` is inclusive, `until` exclusive, of `created_at`; `shortest` and `longest` are seconds, inclusive, of
      the duration of calls that have ended, 0 for those that nobody took.
    - `outcomes` or `dispositions`: one of either. `ended_as`: one of these outcomes, whatever else is asked.
    - `under_way_too`: whatever outcomes are asked for, calls that are under way match, too.
    - `tags`: all of them. `sentiments`: one of them.
    - `opted_out`: of the answered ones those alone in which the person did, or did not.
    - `search`: a part of a phone number, or of the contact's name in any case, taken literally.
    - `direction`: calls are outbound, so any other one has none.
    """

    campaign_id: str | None = None
    contact_ids: Sequence[str] | None = None
    called: str | None = None
    caller: str | None = None
    number: str | None = None
    agent_id: str | None = None
    generation: int | None = None
    status: CallStatus | None = None
    direction: str | None = None
    outcomes: Collection[Outcome] = ()
    ended_as: Collection[Outcome] = ()
    under_way_too: bool = False
    dispositions: Collection[str] = ()
    sentiments: Collection[str] = ()
    tags: Collection[str] = ()
    opted_out: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    shortest: float | None = None
    longest: float | None = None
    search: str = ""

    @property
    def is_of_results(self) -> bool:
        """Whether what agents have posted decides."""
        return bool(self.dispositions or self.sentiments or self.tags or self.opted_out is not None)

    @property
    def of_endings_alone(self) -> bool:
        """Whether only calls that have ended can match."""
        by_outcome = bool(self.ended_as) or (bool(self.outcomes) and not self.dispositions)
        by_duration = self.shortest is not None or self.longest is not None
        return self.status is CallStatus.ENDED or by_duration or (by_outcome and not self.under_way_too)

    @property
    def is_empty(self) -> bool:
        """Whether no call can match: all are outbound."""
        return self.direction not in {None, "outbound"}


@dataclass(frozen=True, slots=True)
class CallPage:
    """A page of calls after a cursor. `next_cursor` None: it is the last one.

    `counted_to`: where not all calls could be looked at, how many were; more may match beyond them.
    """

    rows: Sequence[ListedCall]
    next_cursor: str | None
    counted_to: int | None = None


@dataclass(frozen=True, slots=True)
class NumberedCalls:
    """A page of calls by its number. `total` is how many match, of those looked at where `counted_to` says so."""

    rows: Sequence[ListedCall]
    total: int
    counted_to: int | None = None


def is_found(call: Call, text: str) -> bool:
    """Whether a call's numbers, or its contact's name, hold a text, in any case."""
    wanted = text.casefold()
    return any(wanted in (part or "").casefold() for part in (call.phone_number, call.caller_number, call.contact_name))


def by_result(which: CallFilter, outcome: Outcome | None, result: Mapping[str, Any]) -> bool:
    """Whether a call with this outcome (None: it is under way) and result is one that a filter asks for by them."""
    if which.dispositions:
        said = result.get("disposition") in which.dispositions
        if not said and outcome not in which.outcomes:
            return False
    opts_out = bool(result.get("opt_out"))
    if which.opted_out is not None and outcome is Outcome.ANSWERED and opts_out is not which.opted_out:
        return False
    if which.sentiments and result.get("sentiment") not in which.sentiments:
        return False
    return set(which.tags) <= set(result.get("tags") or ())


# What of a result is shown only to those who may read what was said.
SENSITIVE: Final = ("summary", "transcript", "recording_url", "extracted")


def readable(result: Mapping[str, Any], *, sensitive: bool) -> Mapping[str, Any]:
    """A result as its reader may see it: without `sensitive`, what was said is None."""
    return result if sensitive else {**result, **dict.fromkeys(SENSITIVE)}
