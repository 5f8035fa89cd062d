from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.domain.contact import ContactStatus
from shared.domain.outcome import Outcome
from shared.domain.reasons import ENDED_BY, EndReason
from shared.domain.retry import (
    BUILT_IN_POLICY,
    BUILT_IN_RULES,
    NEVER_RETRIED,
    CallAgain,
    Ended,
    RetryMode,
    RetryPolicy,
    RetryRule,
    RetryRules,
    after_attempt,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = 3600
COMPLETED, EXHAUSTED, ERROR = ContactStatus.COMPLETED, ContactStatus.EXHAUSTED, ContactStatus.ERROR


def policy(max_attempts: int = 3, **rules: dict[str, Any]) -> RetryPolicy:
    return RetryPolicy(max_attempts, TypeAdapter[Any](RetryRules).validate_python(rules))


def decide(
    rules: RetryPolicy, outcome: str, attempts_made: int = 1, outcome_count: int | None = None, *, proven: bool = True
) -> int | ContactStatus:
    """Seconds until the next call, or the status in which the contact ends."""
    decision = after_attempt(
        rules,
        Outcome(outcome),
        proven=proven,
        attempts_made=attempts_made,
        outcome_count=attempts_made if outcome_count is None else outcome_count,
        now=NOW,
    )
    return decision.status if isinstance(decision, Ended) else int((decision.at - NOW).total_seconds())


@pytest.mark.parametrize(
    ("outcome", "after_each"),
    [
        ("answered", [COMPLETED]),
        ("no_answer", [24 * HOUR, 24 * HOUR, EXHAUSTED]),
        ("voicemail", [24 * HOUR, 24 * HOUR, EXHAUSTED]),
        ("busy", [HOUR, HOUR, HOUR, HOUR, EXHAUSTED]),
        ("failed", [1800, 1800, EXHAUSTED]),
        ("declined", [EXHAUSTED]),
        ("invalid_number", [EXHAUSTED]),
        ("do_not_call", [EXHAUSTED]),
        ("interrupted", [ERROR]),
        ("unknown", [ERROR]),
    ],
)
def test_built_in_rules_after_the_same_outcome_each_time(outcome: str, after_each: list[Any]) -> None:
    assert [decide(BUILT_IN_POLICY, outcome, made) for made in range(1, len(after_each) + 1)] == after_each


def test_there_is_a_built_in_rule_for_every_outcome() -> None:
    assert set(BUILT_IN_RULES) == set(Outcome)


def test_the_shared_limit_counts_attempts_with_any_outcome() -> None:
    rules = policy(4, no_answer={"retry": True}, busy={"retry": True})
    assert decide(rules, "no_answer", attempts_made=3, outcome_count=1) == 24 * HOUR
    assert decide(rules, "no_answer", attempts_made=4, outcome_count=1) == EXHAUSTED


def test_an_outcomes_own_limit_counts_that_outcome_and_wins_when_higher() -> None:
    rules = policy(2, busy={"retry": True, "max_attempts": 5})
    assert decide(rules, "busy", attempts_made=4, outcome_count=4) == HOUR
    assert decide(rules, "busy", attempts_made=4, outcome_count=2) == HOUR
    assert decide(rules, "busy", attempts_made=9, outcome_count=4) == EXHAUSTED, (
        "no contact is called more often in all"
    )
    assert decide(rules, "busy", attempts_made=5, outcome_count=5) == EXHAUSTED


def test_an_outcomes_own_limit_wins_when_lower() -> None:
    rules = policy(10, busy={"retry": True, "max_attempts": 1})
    assert decide(rules, "busy", attempts_made=1) == EXHAUSTED


@pytest.mark.parametrize("outcome", ["no_answer", "voicemail", "busy", "failed"])
@pytest.mark.parametrize("max_attempts", [1, 2, 8])
def test_a_number_of_attempts_the_customer_chose_replaces_the_built_in_limits(outcome: str, max_attempts: int) -> None:
    rules = policy(max_attempts)
    assert decide(rules, outcome, attempts_made=max_attempts) == EXHAUSTED
    if max_attempts > 1:
        assert isinstance(decide(rules, outcome, attempts_made=max_attempts - 1), int)


def test_a_rule_without_a_limit_of_its_own_uses_the_shared_one() -> None:
    rules = policy(3, busy={"retry": True, "delay_seconds": 60, "max_attempts": None})
    assert [decide(rules, "busy", made) for made in (1, 2, 3)] == [60, 60, EXHAUSTED]


def test_fields_left_out_of_a_rule_keep_the_built_in_value() -> None:
    assert decide(policy(no_answer={"max_attempts": 2}), "no_answer") == 24 * HOUR
    assert decide(policy(busy={"mode": "exponential"}), "busy", 2) == 2 * HOUR
    assert decide(policy(unknown={"delay_seconds": 60}), "unknown") == ERROR


def test_a_rule_that_says_no_ends_the_contact() -> None:
    assert decide(policy(no_answer={"retry": False}), "no_answer") == EXHAUSTED


@pytest.mark.parametrize(
    ("rule", "proven", "expected"),
    [
        pytest.param({}, True, ERROR, id="no rule set, proven"),
        pytest.param({"retry": True, "delay_seconds": 60}, True, 60, id="rule set, proven"),
        pytest.param({"retry": True, "delay_seconds": 60}, False, ERROR, id="rule set, nobody can vouch for it"),
        pytest.param({"retry": False}, True, ERROR, id="rule says no"),
    ],
)
def test_an_interrupted_call_is_repeated_only_with_a_rule_and_the_carriers_word(
    rule: dict[str, Any], proven: bool, expected: Any
) -> None:
    assert decide(policy(interrupted=rule), "interrupted", proven=proven) == expected


@pytest.mark.parametrize("proven", [True, False])
def test_an_unknown_outcome_is_repeated_only_if_a_rule_says_so(proven: bool) -> None:
    assert decide(policy(), "unknown", proven=proven) == ERROR
    assert decide(policy(unknown={"retry": True, "delay_seconds": 60}), "unknown", proven=proven) == 60


@pytest.mark.parametrize("outcome", ["interrupted", "unknown"])
def test_a_contact_whose_last_call_was_lost_ends_in_error_even_at_its_limit(outcome: str) -> None:
    rules = policy(2, interrupted={"retry": True}, unknown={"retry": True})
    assert decide(rules, outcome, attempts_made=2) == ERROR


def test_missing_proof_does_not_matter_for_outcomes_that_speak_for_themselves() -> None:
    assert decide(BUILT_IN_POLICY, "no_answer", proven=False) == 24 * HOUR
    assert decide(BUILT_IN_POLICY, "answered", proven=False) == COMPLETED


@pytest.mark.parametrize(
    ("rule", "delays"),
    [
        pytest.param({"delay_seconds": 60}, [60, 60, 60], id="fixed"),
        pytest.param({"delay_seconds": 0}, [0, 0, 0], id="at once"),
        pytest.param({"mode": "exponential", "delay_seconds": 60}, [60, 120, 240], id="doubles when not told"),
        pytest.param({"mode": "exponential", "delay_seconds": 60, "multiplier": 3}, [60, 180, 540], id="triples"),
        pytest.param(
            {"mode": "exponential", "delay_seconds": 60, "max_delay_seconds": 100}, [60, 100, 100], id="up to the cap"
        ),
        pytest.param({"mode": "exponential", "delay_seconds": 0, "multiplier": 10}, [0, 0, 0], id="nothing grows"),
        pytest.param({"mode": "list", "delays_seconds": [60, 3600]}, [60, 3600, 3600], id="the last one repeats"),
        pytest.param({"mode": "list", "delays_seconds": [90, 30], "max_delay_seconds": 60}, [60, 30, 30], id="capped"),
    ],
)
def test_how_the_wait_develops(rule: dict[str, Any], delays: list[int]) -> None:
    rules = policy(50, busy={"retry": True, **rule})
    assert [decide(rules, "busy", made) for made in (1, 2, 3)] == delays


def test_the_wait_counts_the_outcome_and_not_the_attempts() -> None:
    rules = policy(50, busy={"retry": True, "mode": "exponential", "delay_seconds": 60})
    assert decide(rules, "busy", attempts_made=9, outcome_count=1) == 60


@pytest.mark.parametrize("times", [2, 50, 10_000, 10**9])
def test_no_wait_is_longer_than_thirty_days(times: int) -> None:
    rule = RetryRule(mode=RetryMode.EXPONENTIAL, delay_seconds=2_592_000, multiplier=10.0)
    assert rule.delay_after(times) == timedelta(days=30)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        pytest.param({"retry": "yes"}, "boolean", id="retry as text"),
        pytest.param({"retry": 1}, "boolean", id="retry as a number"),
        pytest.param({"max_attempts": 0}, "greater than or equal to 1", id="no attempts"),
        pytest.param({"max_attempts": 51}, "less than or equal to 50", id="too many attempts"),
        pytest.param({"max_attempts": "3"}, "integer", id="attempts as text"),
        pytest.param({"max_attempts": True}, "integer", id="attempts as a boolean"),
        pytest.param({"delay_seconds": -1}, "greater than or equal to 0", id="into the past"),
        pytest.param({"delay_seconds": 2_592_001}, "less than or equal to 2592000", id="more than thirty days"),
        pytest.param({"delay_seconds": None}, "integer", id="no delay"),
        pytest.param({"mode": "linear"}, "'fixed', 'exponential' or 'list'", id="an unknown mode"),
        pytest.param({"multiplier": 1}, "greater than or equal to 1.01", id="a multiplier that grows nothing"),
        pytest.param({"multiplier": float("nan")}, "finite", id="not a number"),
        pytest.param({"mode": "list"}, "needs delays_seconds", id="a list without delays"),
        pytest.param({"mode": "list", "delays_seconds": []}, "needs delays_seconds", id="an empty list"),
        pytest.param({"delays_seconds": [0] * 51}, "at most 50", id="more delays than attempts"),
        pytest.param({"delays_seconds": [-1]}, "greater than or equal to 0", id="a listed delay into the past"),
        pytest.param({"delay_seconds": 9, "max_delay_seconds": 8}, "must not be less", id="a cap below the delay"),
        pytest.param({"jitter": 1}, "not permitted", id="an unknown field"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_plain_words(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RetryRule.model_validate({"retry": True, **rule})


def test_a_rule_that_says_no_may_leave_the_rest_in_any_order() -> None:
    assert RetryRule.model_validate({"retry": False, "mode": "list", "delay_seconds": 9, "max_delay_seconds": 8})


@pytest.mark.parametrize("outcome", sorted(NEVER_RETRIED))
def test_a_rule_cannot_promise_what_never_happens(outcome: str) -> None:
    with pytest.raises(ValidationError, match=f'After "{outcome}" a contact is never called again'):
        policy(3, **{outcome: {"retry": True}})
    assert policy(3, **{outcome: {"retry": False}})


def test_a_rule_for_an_outcome_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="'no_answer'"):
        policy(hung_up={"retry": True})


def test_a_rule_comes_back_as_it_was_set() -> None:
    given_rule = {"retry": True, "max_attempts": None, "delays_seconds": [60, 120], "mode": "list"}
    assert RetryRule.model_validate(given_rule).model_dump(mode="json", exclude_unset=True) == given_rule


def test_the_schema_promises_no_default_where_the_outcome_decides() -> None:
    properties = RetryRule.model_json_schema()["properties"]
    assert set(properties) == set(RetryRule.model_fields)
    assert not any("default" in field for field in properties.values())


rules = st.builds(
    lambda **fields: RetryRule.model_validate(fields),
    retry=st.booleans(),
    max_attempts=st.none() | st.integers(1, 50),
    delay_seconds=st.integers(0, 2_592_000),
    mode=st.sampled_from(RetryMode),
    multiplier=st.floats(1.01, 10),
    delays_seconds=st.lists(st.integers(0, 2_592_000), min_size=1, max_size=5).map(tuple),
)
policies = st.builds(
    RetryPolicy,
    st.integers(1, 50),
    st.dictionaries(st.sampled_from(sorted(set(Outcome) - NEVER_RETRIED)), rules, max_size=6),
)


@given(policies, st.lists(st.tuples(st.sampled_from(Outcome), st.booleans()), min_size=1, max_size=400))
def test_no_history_goes_beyond_the_last_allowed_attempt(
    chosen: RetryPolicy, history: list[tuple[Outcome, bool]]
) -> None:
    counts = dict.fromkeys(Outcome, 0)
    for attempts_made, (outcome, proven) in enumerate(history, start=1):
        counts[outcome] += 1
        decision = after_attempt(
            chosen,
            outcome,
            proven=proven,
            attempts_made=attempts_made,
            outcome_count=counts[outcome],
            now=NOW,
        )
        if isinstance(decision, Ended):
            assert decision.status in {COMPLETED, EXHAUSTED, ERROR}
            assert (decision.status is COMPLETED) == (outcome is Outcome.ANSWERED)
            return
        own = chosen.rule_for(outcome).max_attempts
        assert counts[outcome] < own if own is not None else attempts_made < chosen.max_attempts
        assert outcome not in NEVER_RETRIED
        assert chosen.rule_for(outcome).retry
        assert NOW <= decision.at <= NOW + timedelta(days=30)


@given(st.integers(0, 2_592_000), st.floats(1.01, 10), st.none() | st.integers(0, 2_592_000), st.integers(1, 60))
def test_the_wait_grows_until_its_cap_and_then_stays(
    delay: int, multiplier: float, cap: int | None, times: int
) -> None:
    rule = RetryRule(mode=RetryMode.EXPONENTIAL, multiplier=multiplier, max_delay_seconds=cap).model_copy(
        update={"delay_seconds": delay}
    )
    first, second = rule.delay_after(times).total_seconds(), rule.delay_after(times + 1).total_seconds()
    longest = 2_592_000 if cap is None else cap
    assert first <= second <= longest
    assert second > first or second in {0, longest}


def test_every_outcome_has_an_answer_at_every_count() -> None:
    for outcome, proven, made in product(Outcome, (True, False), (1, 3, 50, 1000)):
        decision = after_attempt(
            BUILT_IN_POLICY, outcome, proven=proven, attempts_made=made, outcome_count=made, now=NOW
        )
        assert isinstance(decision, CallAgain | Ended)


@pytest.mark.parametrize(
    ("rules", "ceiling"),
    [
        pytest.param(BUILT_IN_POLICY, 5, id="the built-in rules: busy five times"),
        pytest.param(policy(1), 1, id="one call, whatever the outcomes"),
        pytest.param(policy(8), 8, id="eight"),
        pytest.param(policy(3, busy={"max_attempts": 3}), 3, id="busy as often as the others"),
        pytest.param(
            policy(2, busy={"max_attempts": 5}), 5, id="an outcome's own limit, also when it is the higher one"
        ),
        pytest.param(policy(2, busy={"retry": False, "max_attempts": 9}), 2, id="a rule that does not call again"),
        pytest.param(policy(1, unknown={"retry": True, "max_attempts": 4}), 4, id="a lost call that may be repeated"),
    ],
)
def test_nobody_is_called_more_often_in_all_than_the_highest_limit(rules: RetryPolicy, ceiling: int) -> None:
    assert rules.ceiling == ceiling


def test_three_voicemails_and_a_failure_are_not_four_calls() -> None:
    limits = {"max_attempts": 3, "delay_seconds": 0}
    rules = policy(3, voicemail=limits, failed=limits, no_answer=limits, busy=limits)
    endings = ["voicemail", "failed", "voicemail"]
    decisions = [decide(rules, outcome, made, endings[:made].count(outcome)) for made, outcome in enumerate(endings, 1)]
    assert decisions == [0, 0, EXHAUSTED]


@given(
    st.lists(st.sampled_from([o for o in Outcome if o not in NEVER_RETRIED]), min_size=60, max_size=60),
    st.dictionaries(
        st.sampled_from(["voicemail", "failed", "busy", "no_answer"]),
        st.fixed_dictionaries({"max_attempts": st.one_of(st.none(), st.integers(1, 6))}),
    ),
    st.integers(1, 6),
)
def test_whatever_the_endings_the_ceiling_holds(endings: list[Outcome], rules: dict[str, Any], limit: int) -> None:
    plan = policy(limit, **rules)
    made = 0
    for made, outcome in enumerate(endings, 1):
        if not isinstance(decide(plan, outcome, made, endings[:made].count(outcome)), int):
            break
    assert made <= plan.ceiling


def after_invalid(other_numbers: bool) -> CallAgain | Ended:
    return after_attempt(
        BUILT_IN_POLICY,
        Outcome.INVALID_NUMBER,
        proven=True,
        attempts_made=1,
        outcome_count=1,
        now=NOW,
        other_numbers=other_numbers,
    )


def test_an_invalid_number_gives_way_to_the_next_at_once_and_counts_for_no_limit() -> None:
    assert after_invalid(True) == CallAgain(NOW, counted=False)
    assert after_invalid(False) == Ended(EXHAUSTED, EndReason.INVALID_NUMBER)


def test_an_ending_that_speaks_of_us_waits_for_the_rest_and_counts_for_no_limit() -> None:
    def after(outcome: Outcome, not_before: datetime) -> CallAgain | Ended:
        return after_attempt(
            BUILT_IN_POLICY,
            outcome,
            proven=True,
            attempts_made=9,
            outcome_count=9,
            now=NOW,
            not_before=not_before,
        )

    rest = NOW + timedelta(seconds=30)
    assert after(Outcome.FAILED, rest) == CallAgain(rest, counted=False)
    assert after(Outcome.FAILED, NOW - timedelta(hours=1)) == CallAgain(NOW, counted=False)
    assert after(Outcome.ANSWERED, rest) == Ended(COMPLETED, EndReason.ANSWERED), "an answer is an answer"


def test_every_ending_says_why() -> None:
    for outcome in Outcome:
        ended = after_attempt(
            policy(1), outcome, proven=True, attempts_made=50, outcome_count=50, now=NOW, other_numbers=False
        )
        assert isinstance(ended, Ended)
        assert ended.because is ENDED_BY[outcome]
