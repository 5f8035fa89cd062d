from collections import Counter

import pytest
from pydantic import ValidationError

from services.carrier_simulator.plan import Plan, plan_call, with_refusals
from services.carrier_simulator.settings import Behaviour, CallbackFault, Ending, Fault

REST_OF_THE_ENDINGS = dict.fromkeys(("voicemail_rate", "busy_rate", "declined_rate", "invalid_rate", "failed_rate"), 0)


def behaviour(**changes: object) -> Behaviour:
    return Behaviour.model_validate({}).changed(dict(changes))


def plans(of: Behaviour, n: int = 4000) -> list[Plan]:
    return [plan_call(of, f"+1202{i:07}", 0) for i in range(n)]


def test_fate_follows_from_seed_number_and_count() -> None:
    one, same, other = behaviour(seed=1), behaviour(seed=1), behaviour(seed=2)
    assert plans(one, 100) == plans(same, 100)
    assert plans(one, 100) != plans(other, 100)
    assert plan_call(one, "+1", 0) != plan_call(one, "+1", 1)


def test_endings_keep_their_shares_and_the_rest_does_not_answer() -> None:
    counted = Counter(plan.ending for plan in plans(behaviour(answer_rate=0.5, busy_rate=0.1, voicemail_rate=0.2)))
    assert counted[Ending.ANSWERED] / 4000 == pytest.approx(0.5, abs=0.03)
    assert counted[Ending.BUSY] / 4000 == pytest.approx(0.1, abs=0.02)
    assert counted[Ending.VOICEMAIL] / 4000 == pytest.approx(0.2, abs=0.03)
    assert counted[Ending.NO_ANSWER] / 4000 == pytest.approx(0.16, abs=0.03)
    assert counted[Ending.REFUSED] == 0


def test_faults_keep_their_shares() -> None:
    made = plans(behaviour(error_after_rate=0.1, callback_lost_rate=0.2))
    assert sum(plan.fault is Fault.ERROR_AFTER for plan in made) / 4000 == pytest.approx(0.1, abs=0.02)
    assert sum(plan.callback_fault is CallbackFault.LOST for plan in made) / 4000 == pytest.approx(0.2, abs=0.03)


def test_times_stay_in_their_spans_and_scale() -> None:
    made = plans(
        behaviour(ring_min_seconds=1, ring_max_seconds=2, talk_min_seconds=3, talk_max_seconds=4, time_scale=0.1)
    )
    assert all(0.1 <= plan.ring_seconds <= 0.2 for plan in made)
    assert all(0.3 <= plan.talk_seconds <= 0.4 for plan in made)


def test_first_rule_that_fits_wins() -> None:
    rules = [
        {"pattern": "99$", "ending": "busy", "ring_seconds": 7},
        {"pattern": "9$", "ending": "refused", "code": 21214, "fault": None},
    ]
    ruled = behaviour(rules=rules, time_scale=0.001)
    assert plan_call(ruled, "+12025550199", 0).ending is Ending.BUSY
    assert plan_call(ruled, "+12025550199", 0).ring_seconds == 7
    assert plan_call(ruled, "+12025550109", 0).ending is Ending.REFUSED
    assert plan_call(ruled, "+12025550109", 0).refusal_code == 21214


US_NUMBER, GERMAN_NUMBER, NO_COUNTRY = "+12025550123", "+493012345678", "+9991234567"
MINE, OTHER = "+12025550100", "+12025550101"


@pytest.mark.parametrize(
    ("refusal", "refused"),
    [
        ({}, {(MINE, US_NUMBER), (OTHER, US_NUMBER), (MINE, GERMAN_NUMBER), (MINE, NO_COUNTRY)}),
        ({"caller": MINE}, {(MINE, US_NUMBER), (MINE, GERMAN_NUMBER), (MINE, NO_COUNTRY)}),
        ({"to_prefix": "+49"}, {(MINE, GERMAN_NUMBER)}),
        ({"country": "DE"}, {(MINE, GERMAN_NUMBER)}),
        ({"country": "US"}, {(MINE, US_NUMBER), (OTHER, US_NUMBER)}),
        ({"country": "US", "caller": OTHER}, {(OTHER, US_NUMBER)}),
        ({"country": "FR"}, set()),
    ],
)
def test_refusal_concerns_what_it_names(refusal: dict[str, object], refused: set[tuple[str, str]]) -> None:
    of = behaviour(refusals=[{"code": 21215, "status": 403, **refusal}], answer_rate=1, **REST_OF_THE_ENDINGS)
    calls = [(MINE, US_NUMBER), (OTHER, US_NUMBER), (MINE, GERMAN_NUMBER), (MINE, NO_COUNTRY)]
    for caller, number in calls:
        plan = with_refusals(plan_call(of, number, 0), of, caller, number)
        if (caller, number) in refused:
            assert (plan.ending, plan.refusal_code, plan.refusal_status) == (Ending.REFUSED, 21215, 403)
        else:
            assert plan == plan_call(of, number, 0)


def test_first_refusal_that_fits_wins_over_all_rules() -> None:
    of = behaviour(
        rules=[{"pattern": ".", "ending": "busy"}],
        refusals=[{"code": 21210, "caller": MINE}, {"code": 20003, "status": 401}],
    )
    codes = [with_refusals(plan_call(of, US_NUMBER, 0), of, caller, US_NUMBER).refusal_code for caller in (MINE, OTHER)]
    assert codes == [21210, 20003]


def test_refusal_may_come_after_the_call_was_taken() -> None:
    of = behaviour(refusals=[{"code": 13227, "placed": True}], ring_min_seconds=5)
    plan = with_refusals(plan_call(of, US_NUMBER, 0), of, MINE, US_NUMBER)
    assert (plan.ending, plan.error_code, plan.ring_seconds) == (Ending.FAILED, 13227, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"answer_rate": 0.9, "voicemail_rate": 0.2},
        {"answer_rate": 1.1},
        {"ring_min_seconds": 5, "ring_max_seconds": 1},
        {"error_before_rate": 0.6, "error_after_rate": 0.6},
        {"rules": [{"pattern": "("}]},
        {"rules": [{"pattern": "1", "colour": "red"}]},
        {"no_such_setting": 1},
        {"refusals": [{"caller": "+12025550100"}]},
        {"refusals": [{"code": 21210, "status": 200}]},
        {"refusals": [{"code": 21210, "country": "Germany"}]},
        {"time_scale": 0},
    ],
)
def test_contradicting_behaviour_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises((ValidationError, ValueError)):
        behaviour(**changes)


def test_behaviour_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIALSTREAM_SIMULATOR_ANSWER_RATE", "0.25")
    monkeypatch.setenv("DIALSTREAM_SIMULATOR_RULES", '[{"pattern": "7$", "ending": "fax"}]')
    made = Behaviour()
    assert made.simulator_answer_rate == 0.25
    assert made.simulator_rules[0].ending is Ending.FAX
    assert made.changed({"busy_rate": 0.01}).simulator_answer_rate == 0.25
