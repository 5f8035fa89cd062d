"""The verdict where a campaign calls from registered numbers: a list or a pool, and the limits of each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.caller_numbers import CallerNumber, CallerNumbers, NumberChoice, NumberPlan, NumberUse, Offer
from shared.domain.campaign import Course, Intent
from shared.domain.configuration import Configuration
from shared.domain.dialing import OWN_NUMBER_OFF_PAUSE, campaign_wait, choose_call, next_call, verdict
from shared.domain.dialing_values import Call, CallFields, CampaignRules, DialedContact, Rules, Verdict, Wait
from shared.domain.reasons import WaitReason
from shared.domain.refusal import Refusal, RefusalSubject, Rest
from shared.domain.setting_faults import has_caller_number
from tests.unit.domain.test_dialing import ALWAYS, NOW, SOON

A, B, OWN = "+14155550181", "+14155550182", "+14155550183"
TODAY, MIDNIGHT = "2026-11-18", datetime(2026, 11, 19, tzinfo=UTC)
LATER = SOON + timedelta(minutes=1)
SPENT, FULL = NumberUse(0, TODAY, 2), NumberUse(1, TODAY, 1)
WITHOUT_NUMBER = Configuration(default_windows=ALWAYS.default_windows, agent_id="ada")


def entry(number: str, **more: Any) -> CallerNumber:
    return CallerNumber(id=number, number=number, **{"max_calls": 1, "daily_limit": 2} | more)


def around(
    *offered: str, uses: dict[str, NumberUse] | None = None, rests: dict[str, datetime] | None = None, **more: Any
) -> Rules:
    """The rules of a campaign that rotates these numbers; all of them carry one call and make two a day."""
    plan = NumberPlan(NumberChoice.ROTATE, tuple(map(Offer, offered)), "spring")
    resting = {
        f"caller_number:{number}": Rest(until, 1, NOW, Refusal(subject=RefusalSubject.CALLER_NUMBER))
        for number, until in (rests or {}).items()
    }
    registered = more.pop("registered", (entry(A), entry(B)))
    return Rules(
        CampaignRules(Course(Intent.RUNNING), WITHOUT_NUMBER, CallFields(), plan),
        rests=resting,
        numbers=CallerNumbers({each.number: each for each in registered}, uses=uses or {}),
        **more,
    )


def contact(**more: Any) -> DialedContact:
    return DialedContact(("+14155550101",), NOW - timedelta(hours=1), id="ann", **more)


def called_from(given: Verdict) -> str | None:
    assert isinstance(given, Call), given
    return given.choice.caller_number


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(around(A, B), A, id="both free"),
        pytest.param(around(A, B, uses={A: SPENT}), B, id="the first is spent"),
        pytest.param(around(A, B, uses={A: FULL}), B, id="the first is full"),
        pytest.param(around(A, B, rests={A: SOON}), B, id="the first rests"),
        pytest.param(around(A, B, rests={A: NOW}), A, id="its rest is over: it is asked again"),
        pytest.param(around(A, B, uses={A: NumberUse(0, "2026-11-17", 2)}), A, id="spent yesterday"),
    ],
)
def test_a_number_that_may_not_call_passes_its_contact_on(rules: Rules, expected: str) -> None:
    assert called_from(verdict(contact(), rules, NOW)) == expected
    assert campaign_wait(rules, NOW) is None


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(around(A, B, uses={A: SPENT, B: SPENT}), Wait(WaitReason.CALLER_NUMBER_SPENT, MIDNIGHT, True)),
        pytest.param(around(A, B, rests={A: LATER, B: SOON}), Wait(WaitReason.CALLER_NUMBER_REFUSED, SOON, True)),
        pytest.param(
            around(A, B, uses={A: SPENT}, rests={B: SOON}), Wait(WaitReason.CALLER_NUMBER_REFUSED, SOON, True)
        ),
        pytest.param(around(), Wait(WaitReason.NO_CALLER_NUMBER, None, True)),
        pytest.param(around(default_caller_number=OWN), Wait(WaitReason.NO_CALLER_NUMBER, None, True)),
    ],
)
def test_a_campaign_none_of_whose_numbers_may_call_waits_for_the_first_that_may(rules: Rules, expected: Wait) -> None:
    assert verdict(contact(), rules, NOW) == expected
    assert campaign_wait(rules, NOW) == expected
    assert next_call(contact(), rules, NOW) == expected.until


def test_a_full_number_is_waited_for_without_a_time_and_not_foreseen() -> None:
    rules = around(A, B, uses={A: FULL, B: SPENT})
    assert verdict(contact(), rules, NOW) == Wait(WaitReason.CALLER_NUMBER_LIMIT)
    assert campaign_wait(rules, NOW) is None
    assert next_call(contact(), rules, NOW) == NOW


def test_a_contacts_own_number_has_its_limits_and_holds_up_nobody_else() -> None:
    own = contact(fields=CallFields(agent_number=OWN))
    free = around(A, registered=(entry(A), entry(OWN)), uses={A: SPENT})
    assert called_from(verdict(own, free, NOW)) == OWN
    spent = around(A, registered=(entry(A), entry(OWN)), uses={OWN: SPENT})
    assert verdict(own, spent, NOW) == Wait(WaitReason.CALLER_NUMBER_SPENT, MIDNIGHT)
    off = around(A, registered=(entry(A), entry(OWN, active=False)))
    assert verdict(own, off, NOW) == Wait(WaitReason.NO_CALLER_NUMBER, NOW + OWN_NUMBER_OFF_PAUSE)
    assert next_call(own, off, NOW) is None, "never as things stand"
    assert called_from(verdict(contact(), off, NOW)) == A


def test_a_claimed_call_is_not_held_against_itself() -> None:
    frozen = choose_call(contact(), around(A), NOW)
    assert called_from(verdict(contact(), around(A, uses={A: FULL}), NOW, frozen=frozen)) == A
    assert called_from(verdict(contact(), around(A, uses={A: SPENT}), NOW, frozen=frozen)) == A


def test_has_this_campaign_any_number_to_call_with() -> None:
    assert has_caller_number(around(A, B, uses={A: SPENT, B: FULL})), "later"
    assert not has_caller_number(around()), "a pool without an active number is no reason to take another one"
    off = CallerNumbers({OWN: entry(OWN, active=False)})
    by_configuration = CampaignRules(Course(Intent.RUNNING), WITHOUT_NUMBER)
    assert has_caller_number(Rules(by_configuration, default_caller_number=OWN))
    assert not has_caller_number(Rules(by_configuration, default_caller_number=OWN, numbers=off))
    assert not has_caller_number(Rules(by_configuration))
