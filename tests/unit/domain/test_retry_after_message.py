"""After a message was left on a machine nobody is called again, unless the rule of voicemail says so."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.domain.reasons import EndReason
from shared.domain.retry import CallAgain, Ended, RetryPolicy, RetryRules, after_attempt

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RULES: TypeAdapter[Any] = TypeAdapter(RetryRules)


def after(outcome: Outcome, rules: dict[str, Any], *, attempts_made: int = 1, message_left: bool = True) -> object:
    return after_attempt(
        RetryPolicy(3, RULES.validate_python(rules)),
        outcome,
        proven=True,
        attempts_made=attempts_made,
        outcome_count=attempts_made,
        now=NOW,
        message_left=message_left,
    )


@pytest.mark.parametrize("rules", [{}, {"voicemail": {"max_attempts": 9}}, {"voicemail": {"after_message": False}}])
def test_after_a_message_nobody_is_called_again(rules: dict[str, Any]) -> None:
    assert after(Outcome.VOICEMAIL, rules) == Ended(ContactStatus.EXHAUSTED, EndReason.VOICEMAIL)
    assert isinstance(after(Outcome.VOICEMAIL, rules, message_left=False), CallAgain)


def test_with_after_message_the_rule_of_voicemail_holds_with_its_limits() -> None:
    rules = {"voicemail": {"after_message": True, "max_attempts": 2, "delay_seconds": 60}}
    assert isinstance(after(Outcome.VOICEMAIL, rules), CallAgain)
    assert after(Outcome.VOICEMAIL, rules, attempts_made=2) == Ended(ContactStatus.EXHAUSTED, EndReason.VOICEMAIL)
    never = {"voicemail": {"after_message": True, "retry": False}}
    assert after(Outcome.VOICEMAIL, never) == Ended(ContactStatus.EXHAUSTED, EndReason.VOICEMAIL)


def test_a_message_counts_also_where_its_call_was_lost_track_of() -> None:
    rules = {"interrupted": {"retry": True}}
    assert isinstance(after(Outcome.INTERRUPTED, rules, message_left=False), CallAgain)
    assert after(Outcome.INTERRUPTED, rules) == Ended(ContactStatus.ERROR, EndReason.LOST)
    assert isinstance(after(Outcome.INTERRUPTED, rules | {"voicemail": {"after_message": True}}), CallAgain)


@pytest.mark.parametrize("outcome", ["no_answer", "busy", "failed"])
def test_after_message_belongs_to_voicemail(outcome: str) -> None:
    with pytest.raises(ValidationError, match="after_message belongs to the rule of voicemail"):
        RULES.validate_python({outcome: {"after_message": True}})
    assert RULES.validate_python({outcome: {"after_message": False}})


def test_the_rule_comes_back_as_it_was_set() -> None:
    rules = {"voicemail": {"after_message": True}}
    assert RULES.dump_python(RULES.validate_python(rules), mode="json", exclude_unset=True) == rules
