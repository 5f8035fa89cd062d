"""The share of calls from a number that a person has answered."""

from datetime import UTC, datetime

import pytest

from shared.domain.answered_calls import CallsByNumber, EndedCalls
from shared.domain.outcome import Outcome


@pytest.mark.parametrize(
    ("outcomes", "ended", "answered", "rate"),
    [
        ({}, 0, 0, None),
        ({Outcome.ANSWERED: 1, Outcome.VOICEMAIL: 1, Outcome.BUSY: 1}, 3, 1, 0.3333),
        ({Outcome.VOICEMAIL: 2, Outcome.DECLINED: 1, Outcome.FAILED: 1}, 4, 0, 0.0),
        ({Outcome.ANSWERED: 5}, 5, 5, 1.0),
    ],
)
def test_a_machines_answer_is_no_persons(
    outcomes: dict[str, int], ended: int, answered: int, rate: float | None
) -> None:
    calls = EndedCalls(outcomes)
    assert (calls.ended, calls.answered, calls.answer_rate) == (ended, answered, rate)


def test_a_number_without_a_call_has_no_rate() -> None:
    calls = CallsByNumber(datetime(2027, 3, 5, tzinfo=UTC), {"+14155550101": EndedCalls({Outcome.ANSWERED: 1})})
    assert (calls.of("+14155550101").answer_rate, calls.of("+14155550102").answer_rate) == (1.0, None)
