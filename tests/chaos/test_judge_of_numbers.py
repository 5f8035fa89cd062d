"""The judge is judged on caller numbers: each planted bug is convicted of the promise it breaks."""

from dataclasses import replace

from tests.chaos.test_judge import CAMPAIGN, LONG_AGO, ORGANIZATION, at, call, convicted, good_truth
from tests.chaos.truth import CallerRules, LimitedRun, Rule, Truth

CALLER = "+14155550100"


def truth_of_a_caller(max_calls: int | None = None, daily_limit: int | None = None) -> Truth:
    truth = good_truth()
    limits = (Rule(max_calls, LONG_AGO), Rule(daily_limit, LONG_AGO), Rule(True, LONG_AGO))
    truth.callers[ORGANIZATION, CALLER] = CallerRules(*limits)
    return truth


def test_more_calls_at_once_from_a_number_than_it_carries_are_convicted() -> None:
    truth = truth_of_a_caller(max_calls=2)
    assert convicted([call(contact, 0, 5) for contact in range(2)], truth) == set()
    assert convicted([call(contact, 0, 5) for contact in range(3)], truth) == {"I1"}
    truth.callers[ORGANIZATION, CALLER].max_calls.ask(None, at(-10)).acknowledged_at = at(-9)
    assert convicted([call(contact, 0, 5) for contact in range(3)], truth) == set(), "no limit any more"


def test_more_calls_in_a_day_than_a_number_may_make_are_convicted() -> None:
    calls = [call(contact, 10 * contact, 10 * contact + 5) for contact in range(4)]
    assert convicted(calls, truth_of_a_caller(daily_limit=4)) == set()
    assert convicted(calls, truth_of_a_caller(daily_limit=3)) == {"I1"}
    other_caller = [*calls[:3], replace(calls[3], caller="+14155550199")]
    assert convicted(other_caller, truth_of_a_caller(daily_limit=3)) == set()
    next_day = [*calls[:3], call(3, 12 * 3600 + 7, 12 * 3600 + 9)]
    assert convicted(next_day, truth_of_a_caller(daily_limit=3)) == set()
    at_midnight = [*calls[:3], call(3, 12 * 3600 - 0.5, 12 * 3600 + 9)]
    assert convicted(at_midnight, truth_of_a_caller(daily_limit=3)) == set(), "it may count on the next day"


def test_a_lowered_daily_limit_binds_calls_after_the_reaction() -> None:
    truth = truth_of_a_caller(daily_limit=4)
    truth.callers[ORGANIZATION, CALLER].daily_limit.ask(1, at(12)).acknowledged_at = at(12.1)
    before = [call(contact, 5 * contact, 5 * contact + 4) for contact in range(3)]
    assert convicted(before, truth) == set()
    assert convicted([*before, call(3, 14, 20)], truth) == {"I1"}


def test_a_call_from_a_number_that_was_switched_off_is_convicted() -> None:
    truth = truth_of_a_caller()
    truth.callers[ORGANIZATION, CALLER].active.ask(False, at(10)).acknowledged_at = at(10.1)
    assert convicted([call(0, 10.9, 20)], truth) == set()
    assert convicted([call(0, 11.5, 20)], truth) == {"I5"}


def test_calls_from_a_number_that_are_faster_than_its_rate_are_convicted() -> None:
    truth = truth_of_a_caller()
    truth.rates[f"caller number {ORGANIZATION} {CALLER}"] = Rule(0.5, LONG_AGO)
    spaced = [call(contact, 2 * contact, 2 * contact + 1) for contact in range(6)]
    assert convicted(spaced, truth) == set()
    burst = [call(contact, 0.9 * contact, 0.9 * contact + 0.5) for contact in range(8)]
    assert convicted(burst, truth) == {"Pace"}
    elsewhere = [replace(each, caller="+14155550199") for each in burst]
    assert convicted(elsewhere, truth) == set(), "another number has no rate"


def truth_of_a_run(max_calls: int | None, began: float = -60) -> Truth:
    truth = good_truth()
    truth.runs[CAMPAIGN] = [LimitedRun(at(began), at(began + 0.1), Rule(max_calls, LONG_AGO))]
    return truth


def test_one_call_more_than_a_run_makes_is_convicted() -> None:
    calls = [call(contact, 5 * contact, 5 * contact + 4) for contact in range(4)]
    assert convicted(calls, truth_of_a_run(4)) == set()
    assert convicted(calls, truth_of_a_run(3)) == {"S3"}
    assert convicted(calls, truth_of_a_run(None)) == set()


def test_each_start_has_calls_of_its_own() -> None:
    calls = [call(contact, 5 * contact, 5 * contact + 4) for contact in range(6)]
    truth = truth_of_a_run(3)
    assert convicted(calls, truth) == {"S3"}
    truth.runs[CAMPAIGN].append(LimitedRun(at(12), at(12.1), Rule(3, LONG_AGO)))
    assert convicted(calls, truth) == set()
    assert convicted([*calls, call(6, 30, 31)], truth) == {"S3"}, "the fourth call of the second run"


def test_a_call_that_is_ordered_as_a_run_begins_may_belong_to_either() -> None:
    truth = truth_of_a_run(1)
    truth.runs[CAMPAIGN].append(LimitedRun(at(12), at(12.1), Rule(1, LONG_AGO)))
    calls = [call(0, 2, 4), call(1, 12.5, 14), call(2, 20, 22)]
    assert convicted(calls, truth) == set()
    assert convicted([*calls, call(3, 25, 27)], truth) == {"S3"}


def test_a_lowered_number_of_calls_binds_after_the_reaction() -> None:
    truth = truth_of_a_run(4)
    truth.runs[CAMPAIGN][0].max_calls.ask(2, at(12)).acknowledged_at = at(12.1)
    before = [call(contact, 5 * contact, 5 * contact + 4) for contact in range(3)]
    assert convicted(before, truth) == set()
    assert convicted([*before, call(3, 15, 19)], truth) == {"S3"}
