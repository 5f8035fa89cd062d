from services.campaign_api.native.what_to_do import RESET_CALLS_AGAIN, WHAT_TO_DO, code_and_sentence
from shared.domain.contact import ContactStatus
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.setting_faults import ENDS_BY_FAULT, SENTENCES, EndedByFault, SettingFault


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
        assert code_and_sentence(fault) == (fault.value, SENTENCES[fault])


def test_who_has_ended_by_a_fault_is_counted_with_the_way_back() -> None:
    assert code_and_sentence(EndedByFault(ContactStatus.ERROR, EndReason.NO_AGENT, 1000)) == (
        "ended_no_agent",
        "1000 contacts have ended as error (no_agent) and stay so; "
        'POST …/contacts/reset with {"status": "error", "reason": "no_agent"} calls them again.',
    )
    for status, because in ENDS_BY_FAULT.values():
        _, sentence = code_and_sentence(EndedByFault(status, because, 2))
        assert f'{{"status": "{status}", "reason": "{because}"}}' in sentence
