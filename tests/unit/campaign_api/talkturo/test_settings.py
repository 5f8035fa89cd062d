from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.calling_window import is_open
from shared.domain.configuration import Configuration
from shared.domain.outcome import Outcome
from shared.domain.retry import CallAgain, after_attempt
from shared.domain.voicemail import VoicemailAction
from shared.rendering.talkturo.settings import (
    Dialing,
    Machines,
    configuration_values,
    dialing_of,
    says_nothing_to_machines,
)

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
USUAL = Machines()


def configuration(dialing: Dialing, machines: Machines = USUAL) -> Configuration:
    return Configuration.from_document(configuration_values("Spring", dialing, machines))


def wait(dialing: Dialing, outcome: Outcome, times: int = 1, made: int | None = None) -> int | None:
    """Minutes until the next call; None: there is none."""
    after = after_attempt(
        configuration(dialing).retry_policy,
        outcome,
        proven=True,
        attempts_made=times if made is None else made,
        outcome_count=times,
        now=NOW,
    )
    return (after.at - NOW) // timedelta(minutes=1) if isinstance(after, CallAgain) else None


@pytest.mark.parametrize(
    ("fields", "outcome", "minutes"),
    [
        ({}, Outcome.NO_ANSWER, 60),
        ({}, Outcome.BUSY, 60),
        ({}, Outcome.VOICEMAIL, 60),
        ({}, Outcome.FAILED, None),
        ({}, Outcome.INTERRUPTED, None),
        ({}, Outcome.UNKNOWN, None),
        ({}, Outcome.DECLINED, None),
        ({"retry_delay_minutes": 5}, Outcome.BUSY, 5),
        ({"retry_delay_minutes_busy": 0}, Outcome.BUSY, 0),
        ({"retry_delay_minutes_no_answer": 7}, Outcome.VOICEMAIL, 7),
        ({"retry_on_error": True, "retry_delay_minutes_error": 9}, Outcome.FAILED, 9),
        ({"retry_on_error": True, "unavailable_action": "fail"}, Outcome.FAILED, None),
        ({"unavailable_action": "retry"}, Outcome.FAILED, 60),
        ({"retry_backoff_max_minutes": 10}, Outcome.BUSY, 10),
        ({"voicemail_drop_message": "Call us."}, Outcome.VOICEMAIL, None),
        ({"voicemail_drop_message": "Call us.", "voicemail_action": "hangup"}, Outcome.VOICEMAIL, 60),
    ],
)
def test_what_follows_an_outcome(fields: dict[str, Any], outcome: Outcome, minutes: int | None) -> None:
    assert wait(Dialing(**fields), outcome) == minutes


NIGHT = {"call_window_start": "21:00", "call_window_end": "06:00", "call_window_timezone": "UTC"}
ANY_TIME = {"call_window_start": "00:00", "call_window_end": "23:59", "call_window_timezone": "UTC"}
ONE_CLOCK = {"call_window_timezone": "UTC", "use_contact_timezone_for_call_window": False}


@pytest.mark.parametrize(
    ("fields", "zone", "now", "may_call"),
    [
        ({}, None, "2026-11-29T13:59:59", False),
        ({}, None, "2026-11-29T14:00:00", True),
        ({}, None, "2026-11-29T21:59:59", True),
        ({}, None, "2026-11-29T22:00:00", False),
        ({}, "Asia/Tokyo", "2026-11-29T00:00:00", True),
        ({}, "Asia/Tokyo", "2026-11-29T14:00:00", False),
        (ONE_CLOCK, "Asia/Tokyo", "2026-11-29T09:00:00", True),
        (ONE_CLOCK, "Asia/Tokyo", "2026-11-29T00:00:00", False),
        (NIGHT, None, "2026-11-29T23:00:00", True),
        (NIGHT, None, "2026-11-30T05:59:59", True),
        (NIGHT, None, "2026-11-30T06:00:00", False),
        (ANY_TIME, None, "2026-11-29T23:59:59", True),
    ],
)
def test_calls_are_made_on_every_day_from_the_windows_start_up_to_the_second_before_its_end(
    fields: dict[str, Any], zone: str | None, now: str, may_call: bool
) -> None:
    schedule = configuration(Dialing(**fields)).schedule(scheduled=False)
    for later in range(7):
        at = datetime.fromisoformat(now).replace(tzinfo=UTC) + timedelta(days=later)
        assert is_open(schedule, zone, at) is may_call


def test_exponential_delays_grow_to_their_maximum() -> None:
    growing = Dialing(
        retry_backoff_mode="exponential", retry_delay_minutes=10, max_attempts_per_contact=50,
        retry_backoff_max_minutes=35,
    )  # fmt: skip
    assert [wait(growing, Outcome.BUSY, times) for times in (1, 2, 3, 4)] == [10, 20, 35, 35]


def test_an_outcomes_own_limit_wins_also_when_it_is_higher() -> None:
    dialing = Dialing(max_attempts_per_contact=2, max_attempts_busy=4)
    assert [wait(dialing, Outcome.BUSY, times) is None for times in (1, 2, 3, 4)] == [False, False, False, True]
    assert [wait(dialing, Outcome.NO_ANSWER, times) is None for times in (1, 2)] == [False, True]
    assert wait(dialing, Outcome.BUSY, 1, made=4) is None


@pytest.mark.parametrize(
    ("machines", "fields", "detects", "action"),
    [
        (USUAL, {}, True, VoicemailAction.HANG_UP),
        (USUAL, {"voicemail_drop_message": "Hi."}, True, VoicemailAction.LEAVE_MESSAGE),
        (Machines(detect=False), {"voicemail_drop_message": "Hi."}, False, VoicemailAction.HANG_UP),
        (Machines(detect=False), {"voicemail_detection_enabled": True}, True, VoicemailAction.HANG_UP),
        (
            Machines(action=VoicemailAction.HANG_UP),
            {"voicemail_drop_message": "Hi.", "voicemail_action": "leave_message"},
            True,
            VoicemailAction.LEAVE_MESSAGE,
        ),
        (Machines(action=VoicemailAction.HANG_UP), {"voicemail_drop_message": "Hi."}, True, VoicemailAction.HANG_UP),
    ],
)
def test_machines_are_handled_as_campaign_or_assistant_say(
    machines: Machines, fields: dict[str, Any], detects: bool, action: VoicemailAction
) -> None:
    voicemail = configuration(Dialing(**fields), machines).voicemail
    assert voicemail is not None
    assert (voicemail.detect, voicemail.action) == (detects, action)


def test_a_message_that_is_not_there_is_told() -> None:
    assert says_nothing_to_machines(Dialing(), USUAL)
    assert not says_nothing_to_machines(Dialing(voicemail_drop_message="Hi."), USUAL)
    assert not says_nothing_to_machines(Dialing(voicemail_detection_enabled=False), USUAL)


SETTINGS = [
    Dialing(),
    Dialing(call_window_start="00:00", call_window_end="23:59", call_window_timezone="Europe/Berlin"),
    Dialing(call_window_start="21:00", call_window_end="06:00", use_contact_timezone_for_call_window=False),
    Dialing(retry_delay_minutes=5, retry_delay_minutes_busy=5, retry_on_error=True, max_attempts_error=9),
    Dialing(retry_backoff_mode="exponential", retry_backoff_multiplier=1.5, retry_backoff_max_minutes=1),
    Dialing(voicemail_detection_enabled=False, voicemail_action="hangup", unavailable_action="fail"),
]


@pytest.mark.parametrize("dialing", SETTINGS)
def test_settings_come_back_as_they_were_set(dialing: Dialing) -> None:
    values = configuration_values("Spring", dialing, USUAL)
    assert dialing_of(values, dialing.kept, USUAL) == dialing


def test_settings_of_another_apis_making_are_read_from_the_configuration() -> None:
    values = configuration_values("Spring", Dialing(), USUAL)
    rules = {**values["retry_rules"], "busy": {"retry": True, "delay_seconds": 120}}
    read = dialing_of({**values, "retry_rules": rules}, Dialing(retry_delay_minutes=1).kept, USUAL)
    assert (read.retry_delay_minutes, read.retry_delay_minutes_busy) == (60, 2)
    two = {**values, "default_windows": values["default_windows"] * 2}
    expected: dict[str, Any] = dict.fromkeys(("call_window_start", "call_window_end", "call_window_timezone"))
    assert dialing_of(two, None, USUAL) == replace(
        dialing_of(values, None, USUAL), **expected, use_contact_timezone_for_call_window=None
    )
