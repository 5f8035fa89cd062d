"""When a phone may be called next under a configuration, whatever campaign, caller number and agent."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.asked_phone import AskedPhone, next_call_to
from shared.domain.calling_window import TimeWindow, Weekday
from shared.domain.caps import Called, NumberCaps
from shared.domain.configuration import Configuration
from shared.domain.contact import ContactStatus
from shared.domain.dialing_values import End, Wait
from shared.domain.organization_hours import LegalHoursUse, OrganizationHours
from shared.domain.reasons import EndReason, WaitReason

NOW = datetime(2026, 11, 18, 22, tzinfo=UTC)  # a Wednesday, 17:00 in New York, 22:00 in London
LONDON = "+442071838750"
OFFICE = (TimeWindow(days=tuple(Weekday)[:5], start="09:00", end="18:00"),)
ANY_HOUR = (TimeWindow(days=tuple(Weekday), start="00:00", end="24:00"),)


def asked(timezone: str | None = None, windows: tuple[TimeWindow, ...] = OFFICE, **more: object) -> AskedPhone:
    settings = {name: more.pop(name) for name in ("timezone_from_number", "organization") if name in more}
    configuration = Configuration.model_validate({"default_windows": windows, **settings})
    return AskedPhone(LONDON, timezone, configuration, **more)  # type: ignore[arg-type]


def test_without_a_campaign_caller_number_or_agent_the_hours_decide() -> None:
    answer = next_call_to(asked(), NOW)
    assert (answer.at, answer.instead, answer.timezones) == (NOW, None, ("America/New_York",))


def test_the_contacts_own_zone_is_looked_at_where_it_has_one() -> None:
    answer = next_call_to(asked("Europe/London"), NOW)
    nine = datetime(2026, 11, 19, 9, tzinfo=UTC)
    assert (answer.at, answer.timezones) == (nine, ("Europe/London",))
    assert isinstance(answer.instead, Wait)
    assert (answer.instead.reason, answer.instead.until) == (WaitReason.OUTSIDE_HOURS, nine)


def test_a_zone_may_be_that_of_the_number() -> None:
    answer = next_call_to(asked(timezone_from_number=True), NOW)
    assert (answer.at, answer.timezones) == (datetime(2026, 11, 19, 9, tzinfo=UTC), ("Europe/London",))


def test_legal_hours_of_the_numbers_country_are_kept_where_they_are_on() -> None:
    lawful = OrganizationHours(legal_hours=LegalHoursUse.ON)
    answer = next_call_to(asked("Europe/London", ANY_HOUR, organization=lawful), NOW)
    assert isinstance(answer.instead, Wait)
    assert answer.instead.reason is WaitReason.LEGAL_HOURS
    assert answer.at == answer.instead.until
    assert answer.at is not None
    assert NOW < answer.at < NOW + timedelta(hours=12)


def test_a_listed_phone_is_never_called() -> None:
    answer = next_call_to(asked(listed=True), NOW)
    assert (answer.at, answer.instead) == (None, End(ContactStatus.SKIPPED, EndReason.DO_NOT_CALL))


def test_caps_on_a_phone_and_hours_are_followed_one_after_the_other() -> None:
    yesterday = NOW - timedelta(hours=20)
    called = Called([yesterday], yesterday + timedelta(minutes=1))
    answer = next_call_to(asked("Europe/London", ANY_HOUR, caps=NumberCaps(week=1), called=called), NOW)
    assert isinstance(answer.instead, Wait)
    assert answer.instead.reason is WaitReason.NUMBER_WEEK_CAP
    assert answer.at is not None
    assert timedelta() <= answer.at - (yesterday + timedelta(days=7)) < timedelta(minutes=1)
    # The same cap ends at night in London, so that the next morning is meant.
    late = next_call_to(asked("Europe/London", caps=NumberCaps(week=1), called=Called([NOW])), NOW)
    assert late.at == datetime(2026, 11, 26, 9, tzinfo=UTC)


def test_a_phone_on_a_call_waits_and_the_end_of_the_call_is_not_foreseen() -> None:
    answer = next_call_to(asked(live=True), NOW)
    assert isinstance(answer.instead, Wait)
    assert (answer.instead.reason, answer.at) == (WaitReason.NUMBER_BUSY, NOW)


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        (asked(windows=()), WaitReason.NO_WINDOWS),
        (asked("Nowhere/Land"), WaitReason.NO_WINDOWS),
        (AskedPhone(LONDON, None, None), WaitReason.CONFIGURATION_UNUSABLE),
    ],
)
def test_where_no_time_ends_it_there_is_none(phone: AskedPhone, reason: WaitReason) -> None:
    answer = next_call_to(phone, NOW)
    assert isinstance(answer.instead, Wait)
    assert (answer.instead.reason, answer.at) == (reason, None)
