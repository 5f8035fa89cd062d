"""Every error code of Twilio's that may answer an order or end a call: does it speak of the person or of us?"""

from typing import Final

import pytest

from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject
from shared.errors import OutcomeUnknown, TemporaryError
from shared.telephony.provider import CallDenied, CallRefused
from shared.telephony.twilio_errors import (
    ACCOUNT,
    CALLER_NUMBER,
    COUNTRY,
    OF_THE_PERSON,
    OF_US,
    TOO_MUCH,
    answer_to_order,
    refusal_in_ending,
)
from shared.telephony.twilio_outcomes import ending

# Written down a second time and by what they speak of, so that a slip in the tables shows.
INVALID_NUMBER: Final = (13223, 13224, 13226, 21201, 21202, 21211, 21214, 21217, 21604, 31404, 31484, 31604, 32101)
OTHERS_OF_THE_PERSON: Final = {
    13225: Outcome.FAILED,
    21216: Outcome.FAILED,
    21610: Outcome.DO_NOT_CALL,
    31408: Outcome.NO_ANSWER,
    31480: Outcome.NO_ANSWER,
    31486: Outcome.BUSY,
    31487: Outcome.NO_ANSWER,
    31600: Outcome.BUSY,
    31603: Outcome.DECLINED,
    32016: Outcome.FAILED,
    32203: Outcome.FAILED,
    34002: Outcome.BUSY,
    34003: Outcome.NO_ANSWER,
}
OF_THE_ACCOUNT: Final = (
    10001,
    10002,
    10003,
    10005,
    13244,
    13246,
    20001,
    20002,
    20003,
    20004,
    20005,
    20006,
    20008,
    20010,
    20011,
    20012,
    20101,
    20102,
    20103,
    20104,
    20105,
    20106,
    20107,
    20151,
    20403,
    20404,
    20410,
    20413,
    20422,
    20423,
    20426,
    21200,
    21205,
    21206,
    21207,
    21208,
    21209,
    21218,
    21219,
    21221,
    21222,
    21223,
    21224,
    21225,
    21226,
    21227,
    21228,
    21229,
    21234,
    21262,
    21263,
    21608,
    21609,
    31001,
    31201,
    31202,
    31203,
    31204,
    31205,
    31207,
    32002,
    32009,
    32010,
    32011,
    32018,
    32100,
    32200,
    32201,
    32202,
    32207,
    32208,
    32209,
    32222,
    32400,
    573005,
)
OF_THE_CALLER_NUMBER: Final = (
    13214,
    13247,
    13248,
    21210,
    21212,
    21213,
    21601,
    21603,
    21606,
    21607,
    32017,
    32204,
    32206,
    573002,
)
OF_THE_COUNTRY: Final = (13227, 21203, 21215, 32205)
TOO_MUCH_AT_ONCE: Final = (10004, 20429, 31206, 31429, 32001, 32012, 32013)

PERSON: Final[dict[int, Outcome]] = {
    **dict.fromkeys(INVALID_NUMBER, Outcome.INVALID_NUMBER),
    **OTHERS_OF_THE_PERSON,
}
US: Final[dict[int, RefusalSubject]] = {
    **dict.fromkeys(OF_THE_ACCOUNT, ACCOUNT),
    **dict.fromkeys(OF_THE_CALLER_NUMBER, CALLER_NUMBER),
    **dict.fromkeys(OF_THE_COUNTRY, COUNTRY),
}
# Codes that are in no table, and answers without one.
UNKNOWN: Final = (99999, 21299, 573001, 0, 2**31 - 1, None)


def test_tables_are_the_tested_ones() -> None:
    assert OF_THE_PERSON == PERSON
    assert OF_US == US
    assert set(TOO_MUCH_AT_ONCE) == TOO_MUCH


def test_no_code_speaks_of_two_things() -> None:
    assert len({*PERSON, *US, *TOO_MUCH_AT_ONCE}) == len(PERSON) + len(US) + len(TOO_MUCH_AT_ONCE)


def test_no_error_turns_a_failure_into_an_answer() -> None:
    assert not {Outcome.ANSWERED, Outcome.VOICEMAIL} & set(PERSON.values())


@pytest.mark.parametrize(("code", "outcome"), PERSON.items())
@pytest.mark.parametrize("status", [400, 403, 404])
def test_code_of_the_person_ends_the_attempt(status: int, code: int, outcome: Outcome) -> None:
    answer = answer_to_order(status, code, "No")
    assert answer == CallRefused(outcome, f"HTTP {status}, code {code}: No")
    assert ending("failed", error_code=code) is outcome
    assert refusal_in_ending(code, "No") is None


@pytest.mark.parametrize(("code", "subject"), US.items())
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_code_of_ours_is_no_attempt_of_the_person(status: int, code: int, subject: RefusalSubject) -> None:
    refusal = Refusal(subject=subject, code=code, message="No")
    assert answer_to_order(status, code, "No") == CallDenied(refusal, f"HTTP {status}, code {code}: No")
    assert refusal_in_ending(code, "No") == refusal
    assert ending("failed", error_code=code) is Outcome.FAILED


@pytest.mark.parametrize("code", TOO_MUCH_AT_ONCE)
def test_too_much_at_once_is_tried_again_when_there_is_room(code: int) -> None:
    with pytest.raises(TemporaryError, match=str(code)):
        answer_to_order(400, code, "Wait")
    # The call that was taken and then failed has no job left to give back.
    assert refusal_in_ending(code, "Wait") == Refusal(subject=ACCOUNT, code=code, message="Wait")


@pytest.mark.parametrize("code", [*UNKNOWN, 21210, 21211])
def test_too_many_requests_says_nothing_but_that(code: int | None) -> None:
    with pytest.raises(TemporaryError, match="429"):
        answer_to_order(429, code, "Wait")


@pytest.mark.parametrize("code", UNKNOWN)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422])
def test_unknown_refusal_uses_up_nobodys_attempts(status: int, code: int | None) -> None:
    answer = answer_to_order(status, code, "Something new")
    assert isinstance(answer, CallDenied)
    assert answer.refusal == Refusal(subject=ACCOUNT, code=code, message="Something new")
    assert str(code) in answer.error


@pytest.mark.parametrize("code", UNKNOWN)
def test_unknown_code_of_a_call_that_was_taken_says_nothing_of_us(code: int | None) -> None:
    assert refusal_in_ending(code, "Something new") is None


def test_refusal_without_words_has_the_status_for_a_message() -> None:
    answer = answer_to_order(403, None, "")
    assert isinstance(answer, CallDenied)
    assert answer.refusal.message == "HTTP 403"


@pytest.mark.parametrize("status", [200, 302, 408, 500, 502, 503])
@pytest.mark.parametrize("code", [None, 20003, 21211, 10004])
def test_answer_that_may_hide_a_call_is_no_refusal(status: int, code: int | None) -> None:
    with pytest.raises(OutcomeUnknown):
        answer_to_order(status, code, "Perhaps")
