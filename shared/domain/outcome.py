"""What an attempt can end in, and what each ending means."""

from enum import StrEnum


class Outcome(StrEnum):
    """How one attempt ended."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    INVALID_NUMBER = "invalid_number"
    FAILED = "failed"
    DO_NOT_CALL = "do_not_call"
    INTERRUPTED = "interrupted"  # our side or the carrier lost the call before it had an ending
    UNKNOWN = "unknown"  # nobody can say whether the person was called


# Endings that a later, real report replaces (I8: never the other way round).
PROVISIONAL = frozenset({Outcome.INTERRUPTED, Outcome.UNKNOWN})
