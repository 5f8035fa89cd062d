from itertools import product

import pytest

from shared.domain.outcome import Outcome
from shared.telephony.twilio_outcomes import (
    ANSWERED_BY,
    ENDED_STATUSES,
    ERROR_CODES,
    LIVE_STATUSES,
    NOT_NOW,
    SIP_RESPONSES,
    ending,
    refusal,
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
    assert set(STATUSES) == LIVE_STATUSES | set(ENDED_STATUSES)
    assert not LIVE_STATUSES & set(ENDED_STATUSES)
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
    assert not {Outcome.ANSWERED, Outcome.VOICEMAIL} & set(ERROR_CODES.values())


def test_error_code_speaks_before_the_sip_response() -> None:
    assert ending("failed", sip_response=486, error_code=13224) is Outcome.INVALID_NUMBER
    assert ending("failed", sip_response=486, error_code=99999) is Outcome.BUSY
    assert ending("failed", error_code=99999) is Outcome.FAILED
    assert ending("completed", error_code=13224) is Outcome.ANSWERED


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (13223, Outcome.INVALID_NUMBER),
        (13224, Outcome.INVALID_NUMBER),
        (13225, Outcome.FAILED),
        (13226, Outcome.INVALID_NUMBER),
        (13227, Outcome.FAILED),
        (21201, Outcome.INVALID_NUMBER),
        (21202, Outcome.INVALID_NUMBER),
        (21203, Outcome.FAILED),
        (21205, Outcome.FAILED),
        (21208, Outcome.FAILED),
        (21210, Outcome.FAILED),
        (21211, Outcome.INVALID_NUMBER),
        (21212, Outcome.FAILED),
        (21213, Outcome.FAILED),
        (21214, Outcome.INVALID_NUMBER),
        (21215, Outcome.FAILED),
        (21216, Outcome.FAILED),
        (21217, Outcome.INVALID_NUMBER),
        (21219, Outcome.FAILED),
        (21601, Outcome.FAILED),
        (21610, Outcome.DO_NOT_CALL),
        (31404, Outcome.INVALID_NUMBER),
        (31480, Outcome.NO_ANSWER),
        (31486, Outcome.BUSY),
        (31603, Outcome.DECLINED),
        (32009, Outcome.FAILED),
        (32011, Outcome.FAILED),
        (34002, Outcome.BUSY),
        (573005, Outcome.FAILED),
    ],
)
def test_error_codes(code: int, expected: Outcome) -> None:
    assert refusal(code) is expected
    assert ending("failed", error_code=code) is expected


def test_error_code_table_is_the_tested_one() -> None:
    parameters = test_error_codes.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert dict(parameters) == ERROR_CODES


@pytest.mark.parametrize("code", [99999, 0, -1, None])
def test_unknown_refusal_is_a_failure(code: int | None) -> None:
    assert refusal(code) is Outcome.FAILED


def test_refusals_that_say_nothing_about_the_contact_are_no_outcomes() -> None:
    assert not NOT_NOW & set(ERROR_CODES)
    assert {10004, 20003, 20429} <= NOT_NOW
