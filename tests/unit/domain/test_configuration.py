from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.calling_window import is_open
from shared.domain.configuration import Configuration
from shared.domain.outcome import Outcome

MORNING = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "12:00"}
EVENING = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "18:00", "end": "21:00"}
PARIS_NEVER = {"timezones": ["Europe/Paris"], "windows": []}
PARIS_EVENING = {"timezones": ["Europe/Paris"], "windows": [EVENING]}
STORED: dict[str, Any] = {
    "_id": "7a0a6ff6-8f0a-4c0e-9d2b-0d9f3f1c2b11",
    "organization_id": "0d9f3f1c-9d2b-4c0e-8f0a-7a0a6ff62b11",
    "name": "Weekday mornings",
    "default_timezone": "UTC",
    "default_windows": [MORNING],
    "overrides": [PARIS_NEVER],
    "scheduled_windows": None,
    "scheduled_overrides": None,
    "default_country_code": "+44",
    "max_attempts": 4,
    "retry_rules": {"busy": {"retry": True, "delay_seconds": 60}},
    "agent_id": "agent",
    "agent_version": None,
    "agent_number": "+14155550123",
    "campaign_count": 2,
    "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    "updated_at": datetime(2026, 1, 1, tzinfo=UTC),
}
FRIDAY_10, FRIDAY_19 = datetime(2026, 11, 20, 10, tzinfo=UTC), datetime(2026, 11, 20, 19, tzinfo=UTC)


def configuration(**changes: object) -> Configuration:
    return Configuration.from_document(STORED | changes)


def test_a_stored_document_is_read_and_its_other_fields_are_left_aside() -> None:
    read = configuration()
    assert (read.default_country_code, read.agent_id, read.agent_version) == ("+44", "agent", None)
    assert read.retry_policy.max_attempts == 4
    assert read.retry_policy.rule_for(Outcome.BUSY).delay_seconds == 60


def test_a_document_without_optional_fields_has_the_defaults_and_no_windows() -> None:
    read = Configuration.from_document({"_id": "x", "name": "Bare"})
    assert (read.default_timezone, read.max_attempts) == ("America/New_York", 3)
    assert not is_open(read.schedule(scheduled=False), None, FRIDAY_10)


def test_without_windows_of_their_own_scheduled_calls_use_the_default_ones() -> None:
    read = configuration()
    for scheduled in (True, False):
        assert is_open(read.schedule(scheduled), None, FRIDAY_10)
        assert not is_open(read.schedule(scheduled), "Europe/Paris", FRIDAY_10)


def test_scheduled_windows_hold_for_scheduled_first_calls_only() -> None:
    read = configuration(scheduled_windows=[EVENING])
    assert is_open(read.schedule(scheduled=True), None, FRIDAY_19)
    assert not is_open(read.schedule(scheduled=True), None, FRIDAY_10)
    assert not is_open(read.schedule(scheduled=False), None, FRIDAY_19)
    assert not is_open(read.schedule(scheduled=True), "Europe/Paris", FRIDAY_19)  # the override still replaces


def test_no_scheduled_windows_at_all_is_not_the_same_as_none_set() -> None:
    assert not is_open(configuration(scheduled_windows=[]).schedule(scheduled=True), None, FRIDAY_10)


def test_scheduled_overrides_replace_the_overrides_for_scheduled_first_calls_only() -> None:
    read = configuration(scheduled_overrides=[PARIS_EVENING])
    assert is_open(read.schedule(scheduled=True), "Europe/Paris", datetime(2026, 11, 20, 18, tzinfo=UTC))
    assert not is_open(read.schedule(scheduled=False), "Europe/Paris", datetime(2026, 11, 20, 18, tzinfo=UTC))
    without = configuration(scheduled_overrides=[])
    assert is_open(without.schedule(scheduled=True), "Europe/Paris", FRIDAY_10)


def test_a_stored_document_that_names_a_zone_twice_in_two_spellings_is_read_and_takes_the_first() -> None:
    never = {"timezones": ["US/Eastern"], "windows": []}
    always = {"timezones": ["America/New_York", "EST5EDT"], "windows": [MORNING | {"start": "00:00", "end": "24:00"}]}
    read = configuration(overrides=[never, always], scheduled_overrides=[always, never])
    assert read.overrides[0].timezones == ("US/Eastern",)
    for zone in ("US/Eastern", "America/New_York"):
        assert not is_open(read.schedule(scheduled=False), zone, FRIDAY_19)
        assert is_open(read.schedule(scheduled=True), zone, FRIDAY_19)


def test_the_same_schedule_is_given_each_time() -> None:
    read = configuration()
    assert read.schedule(scheduled=False) is read.schedule(scheduled=False)
    assert read.schedule(scheduled=True) == read.schedule(scheduled=False)


def test_a_document_that_the_api_cannot_have_written_is_refused() -> None:
    with pytest.raises(ValidationError, match="HH:MM"):
        configuration(default_windows=[MORNING | {"start": "nine"}])
