"""Verdicts on hours and expiry: closed days, legal hours, zones of numbers, contacts of no campaign."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.closures import Closure
from shared.domain.contact import ContactStatus
from shared.domain.dialing import choose_call, frozen_choice, next_call, verdict
from shared.domain.dialing_values import Call, DialedContact, End, Rules, Wait
from shared.domain.reasons import EndReason, WaitReason
from tests.unit.domain.test_dialing import (
    FIRST,
    HOLIDAY,
    LAWFUL,
    NOW,
    SOON,
    THIRD,
    configuration,
    contact,
    rules,
    window,
)

SYDNEY = "+61291234567"
NINE_IN_SYDNEY = datetime(2026, 11, 18, 22, tzinfo=UTC)
OF_NO_CAMPAIGN = Rules(of_no_campaign=True, default_caller_number="+14155550100")
TWO_YEARS = Closure(first_day=date(2026, 11, 1), last_day=date(2028, 11, 1))
AT_NIGHT = configuration(
    default_windows=(window("08:00", "09:00"),), organization=LAWFUL.organization, timezone_from_number=True
)
EXPIRED = End(ContactStatus.SKIPPED, EndReason.EXPIRED)


@pytest.mark.parametrize(
    ("waiting", "around", "expected"),
    [
        pytest.param(contact(expires_at=NOW), rules(intent="paused"), EXPIRED, id="expired, also in a paused campaign"),
        pytest.param(contact(expires_at=SOON), rules(), None, id="not yet expired"),
        pytest.param(
            contact(listed={FIRST}, expires_at=NOW),
            rules(),
            End(ContactStatus.SKIPPED, EndReason.DO_NOT_CALL),
            id="do-not-call is said before expired",
        ),
        pytest.param(contact(invalid={FIRST}, expires_at=NOW), rules(), EXPIRED, id="expired is said before invalid"),
        pytest.param(
            contact(expires_at=NOW),
            rules(intent="cancelled"),
            End(ContactStatus.SKIPPED, EndReason.CANCELLED),
            id="a closed campaign is said before expired",
        ),
        pytest.param(
            contact(),
            rules(HOLIDAY),
            Wait(WaitReason.CLOSED_DAY, datetime(2026, 11, 19, 5, tzinfo=UTC)),
            id="a closed day, until midnight in New York",
        ),
        pytest.param(
            contact(timezone="Asia/Tokyo"), rules(HOLIDAY), None, id="a day that is over where the contact is"
        ),
        pytest.param(
            contact(SYDNEY),
            rules(LAWFUL),
            Wait(WaitReason.LEGAL_HOURS, NINE_IN_SYDNEY, by_number=True),
            id="two at night in Sydney",
        ),
        pytest.param(contact(THIRD), rules(LAWFUL), None, id="Mexico has no row in the table"),
        pytest.param(contact(SYDNEY), OF_NO_CAMPAIGN, End(ContactStatus.ERROR, EndReason.NO_AGENT), id="at any hour"),
        pytest.param(
            contact(SYDNEY),
            replace(OF_NO_CAMPAIGN, ad_hoc_schedule=LAWFUL.organization.ad_hoc_schedule),
            Wait(WaitReason.LEGAL_HOURS, NINE_IN_SYDNEY, by_number=True),
            id="of no campaign, in legal hours",
        ),
        pytest.param(
            contact(),
            rules(configuration(closures=(TWO_YEARS,))),
            Wait(WaitReason.NEVER_OPEN),
            id="closed for two years",
        ),
        pytest.param(
            contact(SYDNEY),
            rules(configuration(default_windows=(), organization=LAWFUL.organization)),
            Wait(WaitReason.NO_WINDOWS),
            id="no windows, whatever the law of its number",
        ),
        pytest.param(
            contact(SYDNEY),
            rules(configuration(default_windows=(), timezone_from_number=True)),
            Wait(WaitReason.NO_WINDOWS),
            id="no windows, wherever its number may be",
        ),
        pytest.param(
            contact(SYDNEY),
            rules(AT_NIGHT),
            Wait(WaitReason.NEVER_OPEN, by_number=True),
            id="windows that the law closes",
        ),
    ],
)
def test_a_verdict_on_hours(waiting: DialedContact, around: Rules, expected: Wait | End | None) -> None:
    found = verdict(waiting, around, NOW)
    assert isinstance(found, Call) if expected is None else found == expected


def test_a_call_that_would_come_after_its_contact_has_expired_is_foreseen_never() -> None:
    midnight = datetime(2026, 11, 19, 5, tzinfo=UTC)
    assert next_call(contact(), rules(HOLIDAY), NOW) == midnight
    assert next_call(contact(expires_at=midnight), rules(HOLIDAY), NOW) is None
    assert next_call(contact(expires_at=midnight + timedelta(seconds=1)), rules(HOLIDAY), NOW) == midnight


def test_the_time_limits_of_a_call_are_those_of_its_configuration_and_frozen_in_its_lock() -> None:
    choice = choose_call(contact(), rules(configuration(ring_seconds=20, max_call_seconds=600)), NOW)
    assert (choice.ring_seconds, choice.max_call_seconds) == (20, 600)
    lock = {"phone": FIRST, "caller_number": "+14155550100", "ring_seconds": 20}
    assert (frozen_choice(lock).ring_seconds, frozen_choice(lock).max_call_seconds) == (20, None)
