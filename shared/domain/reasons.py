"""Why a contact waits, and why it ended: the words that customers read, each with what to do about it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.domain.outcome import Outcome


class WaitReason(StrEnum):
    """Why a contact that waits is not called now."""

    CAMPAIGN_PAUSED = "campaign_paused"
    CONFIGURATION_UNUSABLE = "configuration_unusable"
    SCHEDULED = "scheduled"
    RETRY = "retry"
    GIVEN_BACK = "given_back"
    NO_WINDOWS = "no_windows"
    OUTSIDE_HOURS = "outside_hours"
    NO_CALLER_NUMBER = "no_caller_number"
    ACCOUNT_REFUSED = "account_refused"
    CALLER_NUMBER_REFUSED = "caller_number_refused"
    COUNTRY_REFUSED = "country_refused"
    NUMBER_BUSY = "number_busy"
    CALLER_NUMBER_LIMIT = "caller_number_limit"
    CAMPAIGN_LIMIT = "campaign_limit"
    ORGANIZATION_LIMIT = "organization_limit"
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
    DO_NOT_CALL = "do_not_call"
    CANCELLED = "cancelled"


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
# Endings that a changed setting or list can make void, so that naming the contact again calls it again.
MAY_NO_LONGER_HOLD: Final = frozenset({EndReason.NO_AGENT, EndReason.DO_NOT_CALL, EndReason.CANCELLED})

# What a campaign waits for and a contact with a caller number of its own does not.
SPARED_BY_OWN_NUMBER: Final = frozenset({WaitReason.NO_CALLER_NUMBER, WaitReason.CALLER_NUMBER_REFUSED})

WHAT_TO_DO: Final[Mapping[WaitReason, str]] = MappingProxyType(
    {
        WaitReason.CAMPAIGN_PAUSED: "Start the campaign: POST …/start.",
        WaitReason.CONFIGURATION_UNUSABLE: "Set the configuration's fields anew: the stored ones break the rules.",
        WaitReason.SCHEDULED: "Wait for scheduled_at; an earlier one is taken at once if the contact was never called.",
        WaitReason.RETRY: "Wait for the delay of the retry rule; a shorter rule holds from the next attempt on.",
        WaitReason.GIVEN_BACK: "Nothing: the call comes back within seconds.",
        WaitReason.NO_WINDOWS: "Give the configuration default_windows, or an override for this timezone, that open.",
        WaitReason.OUTSIDE_HOURS: "Wait for the next window, or widen the configuration's windows.",
        WaitReason.NO_CALLER_NUMBER: "Set agent_number on the campaign or its configuration, or have the operator set "
        "the organization's default_agent_number.",
        WaitReason.ACCOUNT_REFUSED: "Have the operator look at the telephony account: the carrier's words stand in "
        "resting; calls go on by themselves when it takes one.",
        WaitReason.CALLER_NUMBER_REFUSED: "Use a caller number that the carrier has verified: its words stand in "
        "resting; calls go on by themselves when it takes one.",
        WaitReason.COUNTRY_REFUSED: "Have the operator allow this country in the telephony account: the carrier's "
        "words stand in resting; calls go on by themselves when it takes one.",
        WaitReason.NUMBER_BUSY: "Nothing: the number is on another call, and is tried again when that may be over.",
        WaitReason.CALLER_NUMBER_LIMIT: "Wait for a call from this number to end, or add caller numbers.",
        WaitReason.CAMPAIGN_LIMIT: "Wait for a call of the campaign to end, or raise its limit.",
        WaitReason.ORGANIZATION_LIMIT: "Wait for a call to end, or raise it: PUT /campaign/concurrency-settings.",
        WaitReason.NO_EXECUTOR: "Have the operator start a call-executor: none is alive.",
        WaitReason.GLOBAL_LIMIT: "Wait for a call to end, or have the operator raise the limit or add executors.",
        WaitReason.IN_LINE: "Nothing: nothing stands in the way, and its turn comes next.",
    }
)
"""What a customer does about each reason to wait; in the API's words, one sentence each."""

RESET_CALLS_AGAIN: Final[Mapping[EndReason, str]] = MappingProxyType(
    {
        EndReason.NO_AGENT: "Set agent_id on the campaign or its configuration, then POST …/contacts/reset with "
        '{"status": "error", "reason": "no_agent"}.',
        EndReason.DO_NOT_CALL: "Nothing, as long as these numbers are on the do-not-call list; once one is taken off, "
        'POST …/contacts/reset with {"status": "skipped", "reason": "do_not_call"}.',
        EndReason.LOST: "How these calls ended is not known; look at their attempts before POST …/contacts/reset with "
        '{"status": "error", "reason": "lost"} calls the persons again.',
        EndReason.INVALID_NUMBER: "Send the contacts with other numbers, then POST …/contacts/reset with "
        '{"status": "exhausted", "reason": "invalid_number"}.',
        EndReason.FAILED: "Look at the attempts' errors, then POST …/contacts/reset with "
        '{"status": "exhausted", "reason": "failed"}.',
    }
)
"""How contacts that ended for a reason that may be amiss are called again."""
