"""Verdicts on contacts that are to be called back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.campaign import Course, Intent
from shared.domain.configuration import Configuration
from shared.domain.contact import ContactStatus, Tier
from shared.domain.dialing import verdict
from shared.domain.dialing_values import Call, CampaignRules, DialedContact, End, Rules, Wait
from shared.domain.reasons import EndReason, WaitReason

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)  # a Wednesday, 10:00 in New York
HOUR = timedelta(hours=1)
FIRST = "+14155550101"
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def rules(start: str = "00:00", end: str = "24:00", **more: Any) -> Rules:
    fields = {"default_windows": [{"days": DAYS, "start": start, "end": end}], "agent_id": "ada"}
    configuration = Configuration.model_validate({**fields, "agent_number": "+14155550100", **more})
    return Rules(CampaignRules(Course(Intent.RUNNING), configuration))


def contact(**more: Any) -> DialedContact:
    usual: dict[str, Any] = {"phone_numbers": (FIRST,), "due_at": NOW - HOUR, "tier": Tier.REQUESTED}
    return DialedContact(**usual | more)


AFTERNOON = {"start": "13:00", "end": "17:00"}


@pytest.mark.parametrize(
    ("waiting", "around"),
    [
        pytest.param(contact(), rules(), id="nothing in the way"),
        pytest.param(contact(for_good=EndReason.ANSWERED), rules(), id="answered before it was asked for"),
        pytest.param(contact(scheduled_at=NOW + HOUR), rules(), id="it has a time of its own"),
        pytest.param(
            contact(scheduled_at=NOW - HOUR),
            rules(scheduled_windows=[{"days": DAYS, "start": "13:00", "end": "17:00"}]),
            id="windows for scheduled contacts are for their first call",
        ),
    ],
)
def test_a_contact_is_called_back(waiting: DialedContact, around: Rules) -> None:
    assert isinstance(verdict(waiting, around, NOW), Call)


@pytest.mark.parametrize(
    ("waiting", "around", "expected"),
    [
        pytest.param(
            contact(for_good=EndReason.OPTED_OUT),
            rules(),
            End(ContactStatus.EXHAUSTED, EndReason.OPTED_OUT),
            id="opted out, whatever was asked for",
        ),
        pytest.param(
            contact(for_good=EndReason.ANSWERED, tier=Tier.RETRY),
            rules(),
            End(ContactStatus.COMPLETED, EndReason.ANSWERED),
            id="answered, and not to be called back",
        ),
        pytest.param(
            contact(listed={FIRST}), rules(), End(ContactStatus.SKIPPED, EndReason.DO_NOT_CALL), id="do-not-call"
        ),
        pytest.param(
            contact(expires_at=NOW), rules(), End(ContactStatus.SKIPPED, EndReason.EXPIRED), id="expired meanwhile"
        ),
        pytest.param(contact(due_at=NOW + HOUR), rules(), Wait(WaitReason.CALLBACK, NOW + HOUR), id="its time"),
        pytest.param(
            contact(due_at=NOW + HOUR, put_off=WaitReason.NUMBER_BUSY),
            rules(),
            Wait(WaitReason.NUMBER_BUSY, NOW + HOUR),
            id="what has put it off",
        ),
        pytest.param(contact(), rules(**AFTERNOON), Wait(WaitReason.OUTSIDE_HOURS, NOW + 3 * HOUR), id="hours"),
    ],
)
def test_a_contact_is_not_called_back(waiting: DialedContact, around: Rules, expected: End | Wait) -> None:
    assert verdict(waiting, around, NOW) == expected
