import pytest

from shared.domain.caller_numbers import CallerNumber, CallerNumbers, NumberChoice, NumberPlan, Offer, only
from shared.domain.campaign import Course, Intent
from shared.domain.dialing_values import CampaignRules, Rules
from shared.domain.limit_warnings import CallLimits, Holder, LimitAbove, carried_at_once, limits_above

ONE, TWO, THREE = "+14155550101", "+14155550102", "+14155550103"
STICKY, FIXED = NumberChoice.WEIGHTED_STICKY, NumberChoice.FIXED


def rules(plan: NumberPlan | None, registered: dict[str, int | None], off: str = "", exclusive: str = "") -> Rules:
    entries = {number: CallerNumber(number, number, max_calls=most) for number, most in registered.items()}
    if off:
        entries[off] = CallerNumber(off, off, max_calls=9, active=False)
    numbers = CallerNumbers(entries, frozenset({exclusive} - {""}))
    return Rules(CampaignRules(Course(Intent.RUNNING), None, numbers=plan), numbers=numbers)


def plan(choice: NumberChoice, *numbers: str) -> NumberPlan:
    return NumberPlan(choice, tuple(Offer(number) for number in numbers))


@pytest.mark.parametrize(
    ("around", "carried"),
    [
        (Rules(), None),
        (rules(None, {ONE: 2}), None),
        (rules(plan(STICKY, ONE, TWO), {ONE: 2, TWO: 3}), 5),
        (rules(plan(STICKY, ONE, TWO), {ONE: 2, TWO: None}), None),
        (rules(plan(STICKY, ONE, TWO), {ONE: 2}, off=TWO), 2),
        (rules(plan(STICKY), {ONE: 2}), None),
        (rules(plan(FIXED, ONE, TWO), {ONE: 2, TWO: 3}), 2),
        (rules(only(THREE), {}, exclusive=THREE), 1),
    ],
)
def test_what_a_campaigns_numbers_carry_at_once(around: Rules, carried: int | None) -> None:
    assert carried_at_once(around) == carried


@pytest.mark.parametrize(
    ("own", "organization", "said"),
    [
        (CallLimits(), CallLimits(10, 1.0), []),
        (CallLimits(5, 1.0), CallLimits(5, 1.0), []),
        (CallLimits(6, None), CallLimits(5, 0.5), [LimitAbove(6, 5, Holder.ORGANIZATION)]),
        (CallLimits(1, 0.6), CallLimits(5, 0.5), [LimitAbove(0.6, 0.5, Holder.ORGANIZATION_RATE)]),
        (CallLimits(1, 9.0), CallLimits(5, None), []),
    ],
)
def test_a_campaigns_limits_beside_its_organizations(
    own: CallLimits, organization: CallLimits, said: list[LimitAbove]
) -> None:
    assert limits_above(own, organization, Rules()) == said


def test_a_limit_above_what_its_numbers_carry_is_said_beside_the_organizations() -> None:
    around = rules(plan(STICKY, ONE, TWO), {ONE: 2, TWO: 3})
    assert limits_above(CallLimits(5), CallLimits(10), around) == []
    assert limits_above(CallLimits(12), CallLimits(10), around) == [
        LimitAbove(12, 10, Holder.ORGANIZATION),
        LimitAbove(12, 5, Holder.CALLER_NUMBERS),
    ]
