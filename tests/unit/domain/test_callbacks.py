"""Which waiting contacts are callbacks, and which retry of how many."""

from datetime import UTC, datetime

import pytest

from shared.domain.callbacks import Callback, CallbackType, Tries, callback_of, type_of
from shared.domain.contact import Tier
from shared.domain.outcome import Outcome
from shared.domain.retry import RetryPolicy, RetryRule

AT = datetime(2026, 3, 2, 15, tzinfo=UTC)
CONTACT = "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21"
POLICY = RetryPolicy(4, {Outcome.VOICEMAIL: RetryRule(max_attempts=2), Outcome.BUSY: RetryRule(max_attempts=6)})


@pytest.mark.parametrize(
    ("tier", "tries", "kind"),
    [
        pytest.param(Tier.FRESH, Tries(0, 0, 0, {}), None, id="first call"),
        pytest.param(Tier.SCHEDULED, Tries(0, 0, 0, {}), None, id="first call at a time"),
        pytest.param(Tier.RETRY, Tries(1, 0, 0, {"busy": 1}), CallbackType.RETRY, id="retry"),
        pytest.param(Tier.FRESH, Tries(1, 1, 0, {}), None, id="an attempt that counts for nothing"),
        pytest.param(Tier.RETRY, Tries(3, 3, 0, {}), None, id="reset"),
        pytest.param(Tier.REQUESTED, Tries(0, 0, 0, {}), CallbackType.REQUESTED, id="requested, never called"),
        pytest.param(Tier.REQUESTED, Tries(3, 2, 0, {"busy": 1}), CallbackType.REQUESTED, id="requested, tried"),
    ],
)
def test_what_a_waiting_contact_waits_for(tier: Tier, tries: Tries, kind: CallbackType | None) -> None:
    assert type_of(tier, tries) is kind


@pytest.mark.parametrize(
    ("tries", "last", "number", "most"),
    [
        pytest.param(Tries(1, 0, 0, {"no_answer": 1}), "no_answer", 1, 3, id="retry 1 of 3"),
        pytest.param(Tries(2, 0, 0, {"no_answer": 2}), "no_answer", 2, 3, id="retry 2 of 3"),
        pytest.param(Tries(1, 0, 1, {"no_answer": 2}), "no_answer", 2, 3, id="one was skipped"),
        pytest.param(Tries(5, 3, 0, {"no_answer": 2}), "no_answer", 2, 3, id="after a reset"),
        pytest.param(Tries(1, 0, 0, {"voicemail": 1}), "voicemail", 1, 1, id="an outcome's own limit"),
        pytest.param(Tries(1, 0, 0, {"busy": 1}), "busy", 1, 5, id="a higher one"),
        pytest.param(Tries(4, 0, 0, {"no_answer": 3, "busy": 1}), "busy", 4, 5, id="the ceiling"),
        pytest.param(Tries(9, 0, 0, {"no_answer": 9}), "no_answer", 9, 9, id="a limit that was lowered since"),
        pytest.param(Tries(2, 1, 0, {"no_answer": 1}), "failed", 1, 3, id="the last attempt counts for nothing"),
    ],
)
def test_a_retry_is_one_of_so_many(tries: Tries, last: str, number: int, most: int) -> None:
    found = callback_of(CONTACT, 4, Tier.RETRY, AT, tries, last, POLICY, None, None)
    assert found == Callback(f"{CONTACT}-4", CallbackType.RETRY, AT, Outcome(last), number, most, None, None)


def test_a_requested_callback_has_no_number() -> None:
    found = callback_of(CONTACT, 1, Tier.REQUESTED, AT, Tries(0, 0, 0, {}), None, POLICY, "call Ada", AT)
    assert found == Callback(f"{CONTACT}-1", CallbackType.REQUESTED, AT, None, None, None, "call Ada", AT)


def test_a_first_call_is_no_callback() -> None:
    assert callback_of(CONTACT, 0, Tier.FRESH, AT, Tries(0, 0, 0, {}), None, POLICY, None, None) is None
