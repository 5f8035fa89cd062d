"""The telephony account of a call: the number's own, the campaign's, the default; off, at rest, and with numbers."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.call_accounts import account_of
from shared.domain.caller_numbers import CallerNumber, CallerNumbers, NumberPlan
from shared.domain.campaign import Course, Intent
from shared.domain.configuration import Configuration
from shared.domain.dialing import campaign_wait, choose_call, frozen_choice, verdict
from shared.domain.dialing_values import Call, CallFields, CampaignRules, DialedContact, Rules, Wait
from shared.domain.reasons import WaitReason
from shared.domain.refusal import Refusal, RefusalSubject, Rest, account_in, rest_key, what_rests
from shared.domain.setting_faults import has_caller_number
from shared.domain.telephony_accounts import (
    NO_ACCOUNTS,
    AccountInForce,
    AccountProvider,
    TelephonyAccounts,
    accounts_in_force,
    plan_of_account,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
A, B, C, OWN = "+14155550101", "+14155550102", "+14155550103", "+14155550199"
REST = Rest(NOW + timedelta(minutes=1), 1, NOW, Refusal(subject=RefusalSubject.ACCOUNT, code=20003))
CONFIGURATION = Configuration.model_validate(
    {
        "default_timezone": "UTC",
        "default_windows": [
            {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}
        ],
        "agent_id": "agent",
    }
)


def account(account_id: str, number: int, active: bool = True) -> AccountInForce:
    return AccountInForce(account_id, number, account_id.title(), AccountProvider.TWILIO, active)


def entry(number: str, account_id: str | None = None, active: bool = True) -> CallerNumber:
    return CallerNumber(id=number, number=number, active=active, account_id=account_id, max_calls=1)


def rules(
    *entries: CallerNumber,
    accounts: TelephonyAccounts = NO_ACCOUNTS,
    of_campaign: str | None = None,
    plan: NumberPlan | None = None,
    usual: str | None = OWN,
    rests: Mapping[str, Rest] | None = None,
) -> Rules:
    fields = CallFields(account_id=of_campaign)
    return Rules(
        CampaignRules(Course(Intent.RUNNING), CONFIGURATION, fields, plan),
        default_caller_number=usual,
        numbers=CallerNumbers({each.number: each for each in entries}),
        accounts=accounts,
        rests=rests or {},
    )


def in_force(*accounts: AccountInForce, chosen: str | None = None, numbers: tuple[CallerNumber, ...] = ()) -> Any:
    return accounts_in_force(accounts, chosen, numbers)


def person(**fields: Any) -> DialedContact:
    return DialedContact(phone_numbers=("+14155550155",), due_at=NOW, id="contact", **fields)


SALES, HELP = account("sales", 1), account("help", 2)
BOTH = in_force(SALES, HELP, chosen="help")


@pytest.mark.parametrize(
    ("number", "of_campaign", "accounts", "expected"),
    [
        (A, None, NO_ACCOUNTS, None),
        (A, None, BOTH, "help"),
        (A, "sales", BOTH, "sales"),
        (B, "sales", BOTH, "help"),
        (B, None, BOTH, "help"),
        (None, "sales", BOTH, "sales"),
    ],
)
def test_the_numbers_own_account_then_the_campaigns_then_the_default(
    number: str | None, of_campaign: str | None, accounts: TelephonyAccounts, expected: str | None
) -> None:
    around = rules(entry(A), entry(B, "help"), accounts=accounts, of_campaign=of_campaign)
    assert account_of(number, around) == expected


@pytest.mark.parametrize(
    ("accounts", "chosen", "default"),
    [
        ((), None, None),
        ((SALES, HELP), "help", "help"),
        ((SALES, HELP), None, "sales"),
        ((SALES, HELP), "gone", "sales"),
        ((account("sales", 1, False), HELP), "sales", "help"),
        ((HELP, SALES), None, "sales"),
        ((account("sales", 1, False),), "sales", None),
    ],
)
def test_the_default_or_the_oldest_that_is_on_or_the_operators(
    accounts: tuple[AccountInForce, ...], chosen: str | None, default: str | None
) -> None:
    assert in_force(*accounts, chosen=chosen).default == default


def test_a_campaign_with_an_account_and_no_number_calls_from_any_free_one_of_the_account() -> None:
    numbers = (entry(A, "sales"), entry(B, "sales", active=False), entry(C, "help"))
    plan = plan_of_account("sales", numbers)
    assert plan is not None
    assert [offer.number for offer in plan.offers] == [A]
    choice = choose_call(person(), rules(*numbers, accounts=BOTH, of_campaign="sales", plan=plan), NOW)
    assert (choice.caller_number, choice.account_id) == (A, "sales")


@pytest.mark.parametrize(("of_campaign", "expected"), [(None, C), ("help", C), ("sales", OWN)])
def test_the_default_accounts_numbers_come_before_the_organizations_usual_one(
    of_campaign: str | None, expected: str
) -> None:
    numbers = (entry(C, "help"),)
    accounts = in_force(SALES, HELP, chosen="help", numbers=numbers)
    choice = choose_call(person(), rules(*numbers, accounts=accounts, of_campaign=of_campaign), NOW)
    assert choice.caller_number == expected
    assert choice.account_id == (of_campaign or "help")


@pytest.mark.parametrize("of_campaign", ["sales", "gone"])
def test_nobody_is_called_through_an_account_that_is_off_or_gone(of_campaign: str) -> None:
    accounts = in_force(account("sales", 1, False), HELP, chosen="help")
    around = rules(accounts=accounts, of_campaign=of_campaign)
    assert not has_caller_number(around)
    assert campaign_wait(around, NOW) == Wait(WaitReason.NO_CALLER_NUMBER, None, whole_campaign=True)
    assert verdict(person(), around, NOW) == Wait(WaitReason.NO_CALLER_NUMBER, None, whole_campaign=True)
    assert has_caller_number(rules(accounts=accounts, of_campaign="help"))


def test_what_rests_for_one_account_holds_up_no_other() -> None:
    key = rest_key(RefusalSubject.ACCOUNT, "sales")
    resting = rules(accounts=BOTH, of_campaign="sales", rests={key: REST})
    assert campaign_wait(resting, NOW) == Wait(WaitReason.ACCOUNT_REFUSED, REST.until, whole_campaign=True)
    answer = verdict(person(), resting, NOW)
    assert isinstance(answer, Wait)
    assert answer.reason is WaitReason.ACCOUNT_REFUSED
    other = rules(accounts=BOTH, of_campaign="help", rests={key: REST})
    assert campaign_wait(other, NOW) is None
    assert isinstance(verdict(person(), other, NOW), Call)
    # What rested of the operator's account says nothing of a customer's own.
    assert isinstance(verdict(person(), rules(accounts=BOTH, rests={"account": REST}), NOW), Call)


def test_while_an_account_rests_numbers_of_another_are_called_from() -> None:
    numbers = (entry(A, "sales"), entry(B, "help"))
    plan = NumberPlan(choice=plan_of_account("sales", numbers).choice, offers=())  # type: ignore[union-attr]
    for account_id in ("sales", "help"):
        its = plan_of_account(account_id, numbers)
        assert its is not None
        plan = NumberPlan(plan.choice, plan.offers + its.offers)
    rests = {rest_key(RefusalSubject.ACCOUNT, "sales"): REST}
    around = rules(*numbers, accounts=BOTH, plan=plan, rests=rests)
    chosen = {choose_call(person(attempts_made=made), around, NOW).caller_number for made in range(20)}
    assert chosen == {B}


def test_a_country_rests_for_the_account_that_may_not_call_it() -> None:
    resting = what_rests(RefusalSubject.COUNTRY, caller_number=A, number="+442079460123", account_id="sales")
    assert resting == "country:GB:sales"
    assert account_in(resting) == "sales"
    contact = DialedContact(phone_numbers=("+442079460123",), due_at=NOW, id="contact")
    held = verdict(contact, rules(accounts=BOTH, of_campaign="sales", rests={resting: REST}), NOW)
    assert isinstance(held, Wait)
    assert held.reason is WaitReason.COUNTRY_REFUSED
    assert isinstance(verdict(contact, rules(accounts=BOTH, rests={resting: REST}), NOW), Call)


def test_a_contact_with_a_number_of_another_account_waits_for_that_account_by_itself() -> None:
    numbers = (entry(A, "sales"),)
    around = rules(*numbers, accounts=BOTH, rests={rest_key(RefusalSubject.ACCOUNT, "sales"): REST})
    answer = verdict(person(fields=CallFields(agent_number=A)), around, NOW)
    assert answer == Wait(WaitReason.ACCOUNT_REFUSED, REST.until, whole_campaign=False)
    assert isinstance(verdict(person(), around, NOW), Call)


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("account", None),
        ("account:sales", "sales"),
        ("country:MX", None),
        ("country:MX:sales", "sales"),
        (f"caller_number:{A}", None),
    ],
)
def test_the_key_of_a_rest_names_its_account(key: str, named: str | None) -> None:
    assert account_in(key) == named


def test_a_claim_carries_its_account_and_its_carrier() -> None:
    assert BOTH.claim_fields(None) == {}
    fields = BOTH.claim_fields("sales")
    assert fields == {"account": "sales", "provider": "twilio"}
    assert frozen_choice({"number": A, "caller_number": B, **fields}).account_id == "sales"
