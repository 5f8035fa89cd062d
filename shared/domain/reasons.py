"""Why a contact waits, and why it ended: one word each, for programs."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.domain.outcome import Outcome


class WaitReason(StrEnum):
    """Why a contact that waits is not called now."""

    CAMPAIGN_DRAFT = "campaign_draft"
    CAMPAIGN_SCHEDULED = "campaign_scheduled"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_COMPLETED = "campaign_completed"
    MAX_CALLS = "max_calls"
    CIRCUIT_BREAKER = "circuit_breaker"
    CONFIGURATION_UNUSABLE = "configuration_unusable"
    SCHEDULED = "scheduled"
    RETRY = "retry"
    CALLBACK = "callback"
    GIVEN_BACK = "given_back"
    CLOSED_DAY = "closed_day"
    LEGAL_HOURS = "legal_hours"
    NO_WINDOWS = "no_windows"
    NEVER_OPEN = "never_open"
    OUTSIDE_HOURS = "outside_hours"
    NO_CALLER_NUMBER = "no_caller_number"
    ACCOUNT_REFUSED = "account_refused"
    CALLER_NUMBER_REFUSED = "caller_number_refused"
    CALLER_NUMBER_SPENT = "caller_number_spent"
    COUNTRY_REFUSED = "country_refused"
    CONTACT_DAY_CAP = "contact_day_cap"
    NUMBER_DAY_CAP = "number_day_cap"
    NUMBER_WEEK_CAP = "number_week_cap"
    NUMBER_GAP = "number_gap"
    NUMBER_BUSY = "number_busy"
    CALLER_NUMBER_LIMIT = "caller_number_limit"
    CAMPAIGN_LIMIT = "campaign_limit"
    ORGANIZATION_LIMIT = "organization_limit"
    CALLS_PER_SECOND = "calls_per_second"
    NO_EXECUTOR = "no_executor"
    GLOBAL_LIMIT = "global_limit"
    IN_LINE = "in_line"


class EndReason(StrEnum):
    """Why a contact ended."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    DECLINED = "declined"
    INVALID_NUMBER = "invalid_number"
    OPTED_OUT = "opted_out"
    LOST = "lost"
    NO_AGENT = "no_agent"
    NO_PHONE = "no_phone"
    DO_NOT_CALL = "do_not_call"
    PERSON_DELETED = "person_deleted"
    EXPIRED = "expired"
    CAMPAIGN_ENDED = "campaign_ended"
    CANCELLED = "cancelled"
    GIVEN_UP = "given_up"
    DONE = "done"


ENDED_BY: Final[Mapping[Outcome, EndReason]] = MappingProxyType(
    {
        Outcome.ANSWERED: EndReason.ANSWERED,
        Outcome.VOICEMAIL: EndReason.VOICEMAIL,
        Outcome.NO_ANSWER: EndReason.NO_ANSWER,
        Outcome.BUSY: EndReason.BUSY,
        Outcome.FAILED: EndReason.FAILED,
        Outcome.DECLINED: EndReason.DECLINED,
        Outcome.INVALID_NUMBER: EndReason.INVALID_NUMBER,
        Outcome.DO_NOT_CALL: EndReason.OPTED_OUT,
        Outcome.INTERRUPTED: EndReason.LOST,
        Outcome.UNKNOWN: EndReason.LOST,
    }
)
"""The reason with which a contact ends after an attempt with this outcome."""

# Endings after which a contact is never called again, whatever is asked: the person spoke, or asked not to be called.
FOR_GOOD: Final = frozenset({EndReason.ANSWERED, EndReason.OPTED_OUT})
# Endings that were asked for: what becomes known of the calls before them moves their contacts no more.
ENDED_ON_REQUEST: Final = frozenset({EndReason.GIVEN_UP, EndReason.DONE})
# Why a contact may be stopped by what its person asks for or has become: the reason with which it then ends.
STOPPED_FOR: Final = frozenset({EndReason.DO_NOT_CALL, EndReason.PERSON_DELETED})
# Endings that a changed setting or list can make void, so that naming the contact again calls it again.
MAY_NO_LONGER_HOLD: Final = frozenset(
    {
        EndReason.NO_AGENT,
        EndReason.NO_PHONE,
        EndReason.DO_NOT_CALL,
        EndReason.EXPIRED,
        EndReason.CAMPAIGN_ENDED,
        EndReason.CANCELLED,
    }
)

# What a campaign waits for and a contact with a caller number of its own does not.
SPARED_BY_OWN_NUMBER: Final = frozenset(
    {WaitReason.NO_CALLER_NUMBER, WaitReason.CALLER_NUMBER_REFUSED, WaitReason.CALLER_NUMBER_SPENT}
)

# Caps on how often a contact or a phone is called: reasons of single contacts, which end by themselves.
CAPS: Final = frozenset(
    {WaitReason.CONTACT_DAY_CAP, WaitReason.NUMBER_DAY_CAP, WaitReason.NUMBER_WEEK_CAP, WaitReason.NUMBER_GAP}
)
