"""What Twilio's words mean for an attempt: call statuses, who answered, SIP responses, error codes of ended calls.

Unknown words have a documented fallback, never an exception: Twilio adds words without notice.
"""

from typing import Final

from shared.domain.outcome import Outcome
from shared.telephony.twilio_errors import OF_THE_PERSON, refusal_in_ending

# https://www.twilio.com/docs/voice/api/call-resource#call-status-values; every status that is not among the ended ones
# is that of a call which may be up.
PICKED_UP_STATUS: Final = "in-progress"
COMPLETED: Final = "completed"

ENDED_STATUSES: Final[dict[str, Outcome]] = {
    COMPLETED: Outcome.ANSWERED,  # somebody or something picked up; see ANSWERED_BY
    "busy": Outcome.BUSY,
    "no-answer": Outcome.NO_ANSWER,
    "failed": Outcome.FAILED,
    # Only we cancel calls (hang_up before the answer): the attempt lost its call, the person said nothing.
    "canceled": Outcome.INTERRUPTED,
}

# Result of answering-machine detection, for completed calls. `unknown` and anything new count as a person:
# calling somebody again who has answered is the worse mistake.
ANSWERED_BY: Final[dict[str, Outcome]] = {
    "human": Outcome.ANSWERED,
    "unknown": Outcome.ANSWERED,
    "machine_start": Outcome.VOICEMAIL,
    "machine_end_beep": Outcome.VOICEMAIL,
    "machine_end_silence": Outcome.VOICEMAIL,
    "machine_end_other": Outcome.VOICEMAIL,
    # Not `invalid_number`, which is final: detection errs, and the contact's next number may be a phone.
    "fax": Outcome.FAILED,
}

# The machine's greeting is over: what is spoken now is recorded by it.
GREETING_OVER: Final = frozenset({"machine_end_beep", "machine_end_silence", "machine_end_other"})

# Final SIP responses of calls nobody answered. Twilio folds several of them into one call status: a
# declined call arrives as `busy`, an unassigned number as `failed`. They come from the far end, after our own
# account, caller number and route were good enough: all of them speak of the person.
SIP_RESPONSES: Final[dict[int, Outcome]] = {
    404: Outcome.INVALID_NUMBER,  # not found: unassigned
    410: Outcome.INVALID_NUMBER,  # gone
    484: Outcome.INVALID_NUMBER,  # address incomplete
    604: Outcome.INVALID_NUMBER,  # does not exist anywhere
    408: Outcome.NO_ANSWER,  # request timeout
    480: Outcome.NO_ANSWER,  # temporarily unavailable: switched off, out of coverage
    487: Outcome.NO_ANSWER,  # request terminated: our ring timeout
    486: Outcome.BUSY,
    600: Outcome.BUSY,
    603: Outcome.DECLINED,
    607: Outcome.DECLINED,  # unwanted: the person marked the call
    608: Outcome.DECLINED,  # rejected by an intermediary on somebody's behalf
}


def ending(
    status: str, *, answered_by: str | None = None, sip_response: int | None = None, error_code: int | None = None
) -> Outcome | None:
    """How a call with this final status ended, or None while it is up (or the status is unknown).

    For calls nobody answered the error code speaks first, then the SIP response, then the status.
    """
    by_status = ENDED_STATUSES.get(status)
    if status == COMPLETED:
        return ANSWERED_BY.get(answered_by, Outcome.ANSWERED) if answered_by else Outcome.ANSWERED
    if not is_failure(status):
        return by_status
    if error_code in OF_THE_PERSON:
        return OF_THE_PERSON[error_code]
    if refusal_in_ending(error_code, "") is not None:
        return Outcome.FAILED
    if sip_response in SIP_RESPONSES:
        return SIP_RESPONSES[sip_response]
    return by_status


def is_failure(status: str) -> bool:
    """Whether a call with this status has ended without an answer, and not by our own hand."""
    return status in ENDED_STATUSES and status not in {COMPLETED, "canceled"}
