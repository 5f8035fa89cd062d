import pytest

from services.campaign_api.native.sentences import (
    LACKS,
    RESET_CALLS_AGAIN,
    WHAT_TO_DO,
    code_and_sentence,
    remark_sentence,
)
from shared.domain.contact import ContactStatus
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.row_remarks import Remark, RemarkCode
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
