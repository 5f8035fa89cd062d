import pytest

from services.campaign_api.native.row_sentences import remark_sentence
from services.campaign_api.native.sentences import (
    LACKS,
    RESET_CALLS_AGAIN,
    WHAT_TO_DO,
    code_and_sentence,
)
from shared.domain.contact import ContactStatus
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.row_remarks import Fact, Remark, RemarkCode
from shared.domain.setting_faults import ENDS_BY_FAULT, EndedByFault, SettingFault


def test_every_reason_to_wait_says_what_to_do() -> None:
    assert set(WHAT_TO_DO) == set(WaitReason)
    assert all(sentence.endswith(".") for sentence in WHAT_TO_DO.values())


def test_the_way_back_names_a_status_and_this_reason() -> None:
    for because, sentence in RESET_CALLS_AGAIN.items():
        assert f'"reason": "{because}"' in sentence
    assert EndReason.ANSWERED not in RESET_CALLS_AGAIN
    assert EndReason.OPTED_OUT not in RESET_CALLS_AGAIN


def test_a_fault_is_its_own_code() -> None:
    for fault in SettingFault:
        assert code_and_sentence(fault) == (fault.value, LACKS[fault])


def test_who_has_ended_by_a_fault_is_counted_with_the_way_back() -> None:
    assert code_and_sentence(EndedByFault(ContactStatus.ERROR, EndReason.NO_AGENT, 1000)) == (
        "ended_no_agent",
        "1000 contacts have ended as error (no_agent) and stay so; "
        'POST …/contacts/reset with {"status": "error", "reason": "no_agent"} calls them again.',
    )
    for status, because in ENDS_BY_FAULT.values():
        _, sentence = code_and_sentence(EndedByFault(status, because, 2))
        assert f'{{"status": "{status}", "reason": "{because}"}}' in sentence


@pytest.mark.parametrize(
    ("others", "like_this"), [(0, ""), (1, " (1 more row like this)"), (2, " (2 more rows like this)")]
)
def test_a_setting_that_rows_lack_is_told_once_for_all_of_them(others: int, like_this: str) -> None:
    for fault in SettingFault:
        remark = Remark(RemarkCode.LACKS_SETTING, {"fault": fault.value, "others": others})
        assert remark_sentence(remark) == f"{LACKS[fault]}{like_this}"


@pytest.mark.parametrize(
    ("status", "because", "sentence"),
    [
        ("completed", "answered", "was changed, but is not called again: it ended as completed (answered)"),
        ("completed", "", "was changed, but is not called again: it ended as completed"),
        (
            "skipped",
            "do_not_call",
            "was changed, but is not called again: it ended as skipped (do_not_call); "
            "POST …/contacts/reset calls such contacts again",
        ),
        (
            "exhausted",
            "",
            "was changed, but is not called again: it ended as exhausted; "
            "POST …/contacts/reset calls such contacts again",
        ),
    ],
)
def test_a_contact_that_stays_ended_is_told_with_the_way_back_if_there_is_one(
    status: str, because: str, sentence: str
) -> None:
    facts: dict[str, str | int] = {"status": status, "because": because}
    assert remark_sentence(Remark(RemarkCode.STAYS_ENDED, facts)) == sentence


EXAMPLES: list[tuple[RemarkCode, dict[str, Fact], str]] = [
    (RemarkCode.LACKS_SETTING, {"fault": "no_agent", "others": 0}, LACKS[SettingFault.NO_AGENT]),
    (
        RemarkCode.HAS_EXPIRED,
        {"others": 1},
        "expires_at has passed, so it is not called and ends as skipped (expired); send a later one "
        "(1 more row like this)",
    ),
    (
        RemarkCode.STAYS_ENDED,
        {"status": "completed", "because": ""},
        "was changed, but is not called again: it ended as completed",
    ),
    (RemarkCode.SAME_CONTACT, {"row": 7}, "is the same contact as row 7, which is the one that counts"),
    (
        RemarkCode.ID_UNKNOWN,
        {"id": "c-1", "found": 0},
        "id c-1 is not a contact of this campaign; inserted under a new id",
    ),
    (
        RemarkCode.ID_UNKNOWN,
        {"id": "c-1", "found": 1},
        "id c-1 is not a contact of this campaign; found by its external_id",
    ),
    (
        RemarkCode.NO_TIMEZONE,
        {},
        "has no timezone, and contacts of no campaign have no default one: set timezone",
    ),
    (
        RemarkCode.SHARES_PHONE,
        {"names": ["a", "b"], "more": 0, "at_least": 0},
        "shares a phone with a, b; each of these contacts is called by itself",
    ),
    (
        RemarkCode.SHARES_PHONE,
        {"names": ["a", "b", "c"], "more": 2, "at_least": 0},
        "shares a phone with a, b, c and 2 more; each of these contacts is called by itself",
    ),
    (
        RemarkCode.SHARES_PHONE,
        {"names": ["a", "b", "c"], "more": 98, "at_least": 1},
        "shares a phone with a, b, c and at least 98 more; each of these contacts is called by itself",
    ),
    (
        RemarkCode.LISTED,
        {"numbers": ["+14155550100"], "whole": 0, "skipped": 0},
        "on the do-not-call list, will not be dialed: +14155550100",
    ),
    (
        RemarkCode.LISTED,
        {"numbers": ["+14155550100", "+14155550101"], "whole": 1, "skipped": 1},
        "all numbers are on the do-not-call list: +14155550100, +14155550101; stored as skipped",
    ),
    (
        RemarkCode.LISTED,
        {"numbers": ["+14155550100"], "whole": 1, "skipped": 0},
        "all numbers are on the do-not-call list: +14155550100",
    ),
    (RemarkCode.NUMBER_REPEATED, {"place": 2}, "phone_numbers[2] repeats a number of this contact; kept once"),
    (
        RemarkCode.NUMBER_NOT_IN_USE,
        {"place": 0},
        "phone_numbers[0] is not a number that is in use in its region; it will be tried as it is",
    ),
    (
        RemarkCode.NUMBER_AMBIGUOUS,
        {"place": 1, "number": "+49491701234500", "other": "+491701234500"},
        "phone_numbers[1] was read as +49491701234500 and may mean +491701234500; send the one you mean with its plus",
    ),
    (
        RemarkCode.NUMBER_COSTLY,
        {"place": 1, "type": "premium_rate"},
        "phone_numbers[1] is a premium-rate number, which may cost much more than others; leave it out if it is "
        "not meant",
    ),
]


@pytest.mark.parametrize(("code", "facts", "sentence"), EXAMPLES)
def test_a_remark_on_a_row_has_its_sentence(code: RemarkCode, facts: dict[str, Fact], sentence: str) -> None:
    assert remark_sentence(Remark(code, facts)) == sentence


def test_every_remark_on_a_row_has_a_sentence() -> None:
    assert {code for code, _, _ in EXAMPLES} == set(RemarkCode)
