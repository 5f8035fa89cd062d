"""The judge of what is asked of single contacts is judged."""

from tests.chaos.judge import never_called
from tests.chaos.test_judge import ORGANIZATION, at, call, convicted, good_calls, good_truth


def test_a_contact_that_had_answered_may_be_called_where_a_callback_was_asked_for_since() -> None:
    truth = good_truth()
    answered, later = call(0, 0, 2, "answered"), call(0, 4, 6)
    truth.called_back["contact-0"] = [at(3)]
    assert convicted([answered, later], truth) == set()
    # One callback allows calls until it is answered.
    assert convicted([answered, call(0, 4, 6, "answered"), call(0, 8, 9)], truth) == {"I4"}
    truth.called_back["contact-0"] = [at(5)]
    assert convicted([answered, later], truth) == {"I4"}


def test_a_call_after_a_contact_was_given_up_is_convicted_once_the_reaction_is_over() -> None:
    truth = good_truth()
    truth.no_more["contact-0"] = at(1)
    assert convicted([call(0, 1.5, 2)], truth) == set()
    assert convicted([call(0, 4, 6)], truth) == {"S4"}
    truth.called_back["contact-0"] = [at(3)]
    assert convicted([call(0, 4, 6)], truth) == set()


def test_nobody_is_missed_who_was_given_up() -> None:
    truth, calls = good_truth(), [each for each in good_calls() if each.contact_id != "contact-0"]
    assert {violation.promise for violation in never_called(calls, truth)} == {"I9"}
    truth.given_up.add((ORGANIZATION, "lead-0"))
    assert never_called(calls, truth) == []
