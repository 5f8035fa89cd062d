"""A campaign's end date: from then on it ends whoever waits, whatever else the campaign's state."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.calling_window import TimeWindow, Weekday
from shared.domain.campaign import Course, Intent
from shared.domain.configuration import Configuration
from shared.domain.contact import ContactStatus, Tier
from shared.domain.dialing import campaign_wait, next_call, verdict
from shared.domain.dialing_values import Call, CampaignRules, DialedContact, End, Rules, Wait
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.setting_faults import (
    EndedByFault,
    SettingFault,
    setting_faults,
    warnings_on,
    warnings_on_configuration,
)

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOMENT = timedelta(milliseconds=1)
ALWAYS = Configuration(
    default_windows=(TimeWindow(days=tuple(Weekday), start="00:00", end="24:00"),),
    agent_id="ada",
    agent_number="+14155550100",
)
CAMPAIGN_ENDED = End(ContactStatus.SKIPPED, EndReason.CAMPAIGN_ENDED)


def rules(intent: Intent, end_at: datetime | None) -> Rules:
    return Rules(CampaignRules(Course(intent, end_at=end_at), ALWAYS))


def contact(**fields: Any) -> DialedContact:
    return DialedContact(phone_numbers=("+14155550101",), **{"due_at": NOW - HOUR, **fields})


@pytest.mark.parametrize("intent", [Intent.RUNNING, Intent.PAUSED, Intent.DRAFT, Intent.SCHEDULED])
def test_it_ends_who_waits_in_every_state(intent: Intent) -> None:
    assert verdict(contact(), rules(intent, NOW), NOW) == CAMPAIGN_ENDED
    assert verdict(contact(due_at=NOW + HOUR, tier=Tier.RETRY), rules(intent, NOW), NOW) == CAMPAIGN_ENDED
    assert verdict(contact(), rules(intent, NOW), NOW - MOMENT) != CAMPAIGN_ENDED


def test_who_was_answered_or_is_in_a_closed_campaign_ends_for_that() -> None:
    answered = verdict(contact(for_good=EndReason.ANSWERED), rules(Intent.RUNNING, NOW), NOW)
    assert answered == End(ContactStatus.COMPLETED, EndReason.ANSWERED)
    closed = verdict(contact(), rules(Intent.CANCELLED, NOW), NOW)
    assert closed == End(ContactStatus.SKIPPED, EndReason.CANCELLED)


def test_a_call_that_was_claimed_before_it_is_refused_after_it() -> None:
    before = verdict(contact(), rules(Intent.RUNNING, NOW), NOW - MOMENT)
    assert isinstance(before, Call)
    assert verdict(contact(), rules(Intent.RUNNING, NOW), NOW, frozen=before.choice) == CAMPAIGN_ENDED


def test_no_call_is_foreseen_from_it_on() -> None:
    retry = contact(due_at=NOW + HOUR, tier=Tier.RETRY)
    assert next_call(retry, rules(Intent.RUNNING, NOW + 2 * HOUR), NOW) == NOW + HOUR
    assert next_call(retry, rules(Intent.RUNNING, NOW + HOUR), NOW) is None


def test_from_it_on_contacts_are_looked_at_to_end_them_also_where_nobody_is_called() -> None:
    draft = rules(Intent.DRAFT, NOW)
    assert campaign_wait(draft, NOW) is None
    assert campaign_wait(draft, NOW - MOMENT) == Wait(WaitReason.CAMPAIGN_DRAFT, None, whole_campaign=True)


def test_settings_say_that_it_has_come_and_a_later_one_counts_who_ended_for_it() -> None:
    past, later = rules(Intent.RUNNING, NOW), rules(Intent.RUNNING, NOW + HOUR)
    assert setting_faults(past, NOW) == [SettingFault.CAMPAIGN_ENDED]
    assert setting_faults(later, NOW) == []
    ended = {"campaign_ended": 3, "answered": 2}
    assert warnings_on(past, ended, NOW) == [SettingFault.CAMPAIGN_ENDED]
    assert warnings_on(later, ended, NOW) == [EndedByFault(ContactStatus.SKIPPED, EndReason.CAMPAIGN_ENDED, 3)]
    assert warnings_on_configuration(ALWAYS, ended, NOW, changed=["name"]) == [], "no configuration ended them"
