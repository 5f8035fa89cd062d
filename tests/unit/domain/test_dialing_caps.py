"""Where caps stand among what stands in the way of a call."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.caps import CLOCKS, Called, NumberCaps
from shared.domain.contact import ContactStatus
from shared.domain.dialing import NUMBER_BUSY_PAUSE, next_call, timezone_of, verdict
from shared.domain.dialing_values import Call, DialedContact, End, Rules, Wait
from shared.domain.reasons import EndReason, WaitReason
from tests.unit.domain.test_dialing import (
    AFTERNOON,
    FIRST,
    HOUR,
    NO_AGENT,
    NOW,
    SOON,
    THIRD,
    configuration,
    contact,
    resting,
    rules,
)

MIDNIGHT = datetime(2026, 11, 19, 5, tzinfo=UTC)  # in the configuration's zone
CALLED = Called([NOW - HOUR], NOW - HOUR / 2)


@pytest.mark.parametrize(
    ("waiting", "around", "expected"),
    [
        pytest.param(
            contact("+5215512345678"),
            rules(number_caps=NumberCaps(gap_minutes=60), called={THIRD: CALLED}),
            Wait(WaitReason.NUMBER_GAP, NOW + HOUR / 2 + CLOCKS),
            id="a cap on the phone, under another spelling",
        ),
        pytest.param(
            contact(called=Called([NOW - HOUR])),
            rules(configuration(max_attempts_per_day=1)),
            Wait(WaitReason.CONTACT_DAY_CAP, MIDNIGHT + CLOCKS),
            id="a cap on the contact, until its configuration's midnight",
        ),
        pytest.param(
            contact(called=Called([NOW - 2 * HOUR]), timezone="Asia/Vladivostok"),
            rules(configuration(max_attempts_per_day=1), live={FIRST}, full=WaitReason.CAMPAIGN_LIMIT),
            Wait(WaitReason.NUMBER_BUSY, NOW + NUMBER_BUSY_PAUSE),
            id="yesterday where the contact is",
        ),
        pytest.param(
            contact(called=Called([NOW - HOUR])),
            rules(configuration(max_attempts_per_day=1), live={FIRST}),
            Wait(WaitReason.CONTACT_DAY_CAP, MIDNIGHT + CLOCKS),
            id="a cap before a number on a call",
        ),
        pytest.param(
            contact(called=Called([NOW - HOUR])),
            rules(configuration(max_attempts_per_day=1), rests=resting("account", SOON)),
            Wait(WaitReason.ACCOUNT_REFUSED, SOON, whole_campaign=True),
            id="what rests before a cap",
        ),
        pytest.param(contact(), rules(number_caps=NumberCaps(day=1)), None, id="the gate, which reads no attempts"),
    ],
)
def test_the_verdict_names_the_first_thing_in_the_way(
    waiting: DialedContact, around: Rules, expected: Wait | None
) -> None:
    found = verdict(waiting, around, NOW)
    assert (None if isinstance(found, Call) else found) == expected


def test_a_contact_without_an_agent_ends_only_when_no_cap_holds_it_back() -> None:
    capped = rules(NO_AGENT, number_caps=NumberCaps(day=1), called={FIRST: CALLED})
    assert isinstance(verdict(contact(), capped, NOW), Wait)
    tomorrow = MIDNIGHT + timedelta(minutes=1)
    assert verdict(contact(), capped, tomorrow) == End(ContactStatus.ERROR, EndReason.NO_AGENT)


def test_the_next_call_is_foreseen_beyond_caps_and_hours() -> None:
    tomorrow = datetime(2026, 11, 19, 18, tzinfo=UTC)  # 13:00 in New York
    capped = rules(AFTERNOON, number_caps=NumberCaps(day=1), called={FIRST: Called([NOW - HOUR])})
    assert next_call(contact(), capped, NOW) == tomorrow


@pytest.mark.parametrize(
    ("own", "around", "zone"),
    [
        ("Asia/Tokyo", rules(), "Asia/Tokyo"),
        (None, rules(), "America/New_York"),
        (None, Rules(of_no_campaign=True), "UTC"),
        pytest.param("Atlantis/Poseidonis", rules(), "UTC", id="stored by another version: it must not stop a shard"),
    ],
)
def test_whose_days_count(own: str | None, around: Rules, zone: str) -> None:
    assert timezone_of(own, around) == zone
