from shared.domain.outcome import Outcome
from shared.domain.reasons import ENDED_BY


def test_every_outcome_ends_a_contact_for_a_reason() -> None:
    assert set(ENDED_BY) == set(Outcome)
