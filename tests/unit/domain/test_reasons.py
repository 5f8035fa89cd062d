from shared.domain.outcome import Outcome
from shared.domain.reasons import ENDED_BY, RESET_CALLS_AGAIN, WHAT_TO_DO, EndReason, WaitReason


def test_every_reason_to_wait_says_what_to_do() -> None:
    assert set(WHAT_TO_DO) == set(WaitReason)
    assert all(sentence.endswith(".") for sentence in WHAT_TO_DO.values())


def test_every_outcome_ends_a_contact_for_a_reason() -> None:
    assert set(ENDED_BY) == set(Outcome)


def test_the_way_back_names_a_status_and_this_reason() -> None:
    for because, sentence in RESET_CALLS_AGAIN.items():
        assert f'"reason": "{because}"' in sentence
    assert EndReason.ANSWERED not in RESET_CALLS_AGAIN
    assert EndReason.OPTED_OUT not in RESET_CALLS_AGAIN
