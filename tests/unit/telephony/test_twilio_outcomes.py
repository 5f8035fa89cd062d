from itertools import product

import pytest

from shared.domain.outcome import Outcome
from shared.telephony.twilio_outcomes import (
    ANSWERED_BY,
    ENDED_STATUSES,
    SIP_RESPONSES,
    ending,
)

# Twilio's own lists of words; a status or a detection result that we forget fails here.
STATUSES = ["queued", "initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "failed", "canceled"]
DETECTED = ["human", "machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other", "fax", "unknown"]

WHO_ANSWERED = {
    "human": Outcome.ANSWERED,
    "unknown": Outcome.ANSWERED,
    "machine_start": Outcome.VOICEMAIL,
    "machine_end_beep": Outcome.VOICEMAIL,
    "machine_end_silence": Outcome.VOICEMAIL,
    "machine_end_other": Outcome.VOICEMAIL,
    "fax": Outcome.FAILED,
    None: Outcome.ANSWERED,
    "something_new": Outcome.ANSWERED,
}
NOBODY_ANSWERED = {
    "busy": Outcome.BUSY,
    "no-answer": Outcome.NO_ANSWER,
    "failed": Outcome.FAILED,
    "canceled": Outcome.INTERRUPTED,
}


def test_every_documented_word_is_in_a_table() -> None:
    assert set(STATUSES) - set(ENDED_STATUSES) == {"queued", "initiated", "ringing", "in-progress"}
    assert set(ENDED_STATUSES) < set(STATUSES)
    assert set(DETECTED) == set(ANSWERED_BY)


@pytest.mark.parametrize(("status", "answered_by"), list(product(STATUSES, [*DETECTED, None, "something_new"])))
def test_every_status_with_every_detection_result(status: str, answered_by: str | None) -> None:
    expected = WHO_ANSWERED[answered_by] if status == "completed" else NOBODY_ANSWERED.get(status)
    assert ending(status, answered_by=answered_by) is expected


def test_unknown_status_is_no_ending() -> None:
    assert ending("teleported") is None
    assert ending("") is None


@pytest.mark.parametrize(
    ("status", "sip_response", "expected"),
    [
        ("busy", 486, Outcome.BUSY),
        ("busy", 600, Outcome.BUSY),
        ("busy", 603, Outcome.DECLINED),
        ("failed", 603, Outcome.DECLINED),
        ("no-answer", 603, Outcome.DECLINED),
        ("failed", 607, Outcome.DECLINED),
        ("failed", 608, Outcome.DECLINED),
        ("failed", 404, Outcome.INVALID_NUMBER),
        ("failed", 410, Outcome.INVALID_NUMBER),
        ("failed", 484, Outcome.INVALID_NUMBER),
        ("failed", 604, Outcome.INVALID_NUMBER),
        ("failed", 480, Outcome.NO_ANSWER),
        ("no-answer", 480, Outcome.NO_ANSWER),
        ("failed", 408, Outcome.NO_ANSWER),
        ("no-answer", 487, Outcome.NO_ANSWER),
        ("canceled", 487, Outcome.INTERRUPTED),
        ("failed", 500, Outcome.FAILED),
        ("failed", 503, Outcome.FAILED),
        ("failed", 699, Outcome.FAILED),
        ("busy", 699, Outcome.BUSY),
        ("completed", 200, Outcome.ANSWERED),
        ("completed", 404, Outcome.ANSWERED),
        ("in-progress", 404, None),
    ],
)
def test_sip_response_says_more_than_the_status(status: str, sip_response: int, expected: Outcome | None) -> None:
    assert ending(status, sip_response=sip_response) is expected


def test_no_sip_response_turns_a_failure_into_an_answer() -> None:
    assert not {Outcome.ANSWERED, Outcome.VOICEMAIL} & set(SIP_RESPONSES.values())


def test_error_code_speaks_before_the_sip_response() -> None:
    assert ending("failed", sip_response=486, error_code=13224) is Outcome.INVALID_NUMBER
    assert ending("failed", sip_response=486, error_code=99999) is Outcome.BUSY
    assert ending("failed", error_code=99999) is Outcome.FAILED
    assert ending("busy", sip_response=486, error_code=13227) is Outcome.FAILED
    assert ending("canceled", error_code=13227) is Outcome.INTERRUPTED
    assert ending("ringing", error_code=13227) is None
    assert ending("completed", error_code=13224) is Outcome.ANSWERED
