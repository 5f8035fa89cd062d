"""What Twilio's words mean for an attempt: call statuses, who answered, SIP responses and error codes.

Unknown words have a documented fallback, never an exception: Twilio adds codes without notice.
"""

from typing import Final

from shared.domain.outcome import Outcome

# https://www.twilio.com/docs/voice/api/call-resource#call-status-values; `initiated` is only in callbacks.
LIVE_STATUSES: Final = frozenset({"queued", "initiated", "ringing", "in-progress"})
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

# Final SIP responses of calls nobody answered. Twilio folds several of them into one call status: a
# declined call arrives as `busy`, an unassigned number as `failed`.
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

# Error codes of calls that were refused or failed, where the code says more than "failed".
ERROR_CODES: Final[dict[int, Outcome]] = {
    13223: Outcome.INVALID_NUMBER,  # invalid phone number format
    13224: Outcome.INVALID_NUMBER,  # number not supported or invalid
    13225: Outcome.FAILED,  # call blocked
    13226: Outcome.INVALID_NUMBER,  # invalid country code
    13227: Outcome.FAILED,  # no permission for that country
    21201: Outcome.INVALID_NUMBER,  # no number to call
    21202: Outcome.INVALID_NUMBER,  # premium number
    21203: Outcome.FAILED,  # international calls not enabled
    21205: Outcome.FAILED,  # invalid URL
    21208: Outcome.FAILED,  # invalid Timeout
    21210: Outcome.FAILED,  # caller number not verified
    21211: Outcome.INVALID_NUMBER,  # invalid number to call
    21212: Outcome.FAILED,  # invalid caller number
    21213: Outcome.FAILED,  # caller number missing
    21214: Outcome.INVALID_NUMBER,  # number cannot be reached
    21215: Outcome.FAILED,  # no permission for that country
    21216: Outcome.FAILED,  # destination blocked by Twilio
    21217: Outcome.INVALID_NUMBER,  # number does not appear to be valid
    21219: Outcome.FAILED,  # trial account: number not verified
    21601: Outcome.FAILED,  # number cannot do this
    21610: Outcome.DO_NOT_CALL,  # the person has unsubscribed
    31404: Outcome.INVALID_NUMBER,
    31480: Outcome.NO_ANSWER,
    31486: Outcome.BUSY,
    31603: Outcome.DECLINED,
    32009: Outcome.FAILED,  # SIP endpoint not registered
    32011: Outcome.FAILED,  # SIP endpoint unreachable
    34002: Outcome.BUSY,  # callee busy
    573005: Outcome.FAILED,  # trial account: number not verified
}

# Refusals that say nothing about the contact: too much at once, or an account that is not in order. No
# call was placed and the attempt does not count; the job goes back until capacity or the operator helps.
NOT_NOW: Final = frozenset(
    {
        10001,  # account is not active
        10004,  # too many concurrent calls
        20003,  # authentication failed
        20005,  # account is not active
        20008,  # test credentials
        20404,  # account not found
        20429,  # too many requests; Twilio: never processed, always safe to retry
    }
)

# A call that is over cannot be ended again.
INVALID_CALL_STATE: Final = 21220


def refusal(code: int | None) -> Outcome:
    """The outcome of a call that Twilio refused with a client error; `failed` for an unknown code."""
    return ERROR_CODES.get(code, Outcome.FAILED) if code is not None else Outcome.FAILED


def ending(
    status: str, *, answered_by: str | None = None, sip_response: int | None = None, error_code: int | None = None
) -> Outcome | None:
    """How a call with this final status ended, or None while it is up (or the status is unknown).

    For calls nobody answered the error code speaks first, then the SIP response, then the status.
    """
    by_status = ENDED_STATUSES.get(status)
    if by_status is None or by_status is Outcome.INTERRUPTED:
        return by_status
    if status == COMPLETED:
        return ANSWERED_BY.get(answered_by, Outcome.ANSWERED) if answered_by else Outcome.ANSWERED
    if error_code in ERROR_CODES:
        return ERROR_CODES[error_code]
    if sip_response in SIP_RESPONSES:
        return SIP_RESPONSES[sip_response]
    return by_status
