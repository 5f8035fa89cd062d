import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.campaign_api.http.faults import ValuesInvalid
from services.campaign_api.talkturo.bodies import Given, read
from services.campaign_api.talkturo.errors import place
from services.campaign_api.talkturo.schemas.campaigns import EditCampaign
from services.campaign_api.talkturo.translate import (
    campaign_changes,
    changed_dialing,
    core_fields,
    is_for_people,
    merged_settings,
    wanted_of,
)
from shared.rendering.talkturo.settings import Dialing

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
LATER = "2026-12-01T09:00:00Z"
NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)


def given(**fields: Any) -> Given[EditCampaign]:
    """The body of a change."""
    return read(json.dumps(fields).encode(), EditCampaign, nulls=True)


def refused(**fields: Any) -> list[str]:
    """The places of what contradicts itself in the body of a change."""
    with pytest.raises(ValuesInvalid) as error:
        changed_dialing(Dialing(), wanted_of(given(**fields), NOW), given(**fields))
    return sorted(place(value) for value in error.value.fault.values)


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        ({"scheduledStartAt": "2026-11-29T11:54:59Z"}, ["scheduledStartAt"]),
        ({"schedule": {"start_at": "2026-11-29T11:54:59Z"}}, ["schedule.start_at"]),
        ({"scheduledStartAt": LATER, "schedule": {"startAt": None}}, ["schedule.startAt"]),
        (
            {
                "scheduledStartAt": "2020-01-01T00:00:00Z",
                "callWindowTimezone": "UTC",
                "schedule": {"timezone": "Asia/Tokyo"},
            },
            ["schedule.timezone", "scheduledStartAt"],
        ),
        ({"callWindowStart": "17:00"}, ["callWindowStart"]),
        ({"callWindowEnd": "09:00:00"}, ["callWindowEnd"]),
    ],
)
def test_what_contradicts_itself_or_the_clock_is_named(fields: dict[str, Any], places: list[str]) -> None:
    assert refused(**fields) == places


@pytest.mark.parametrize(
    ("fields", "starts", "start_at"),
    [
        ({}, False, None),
        ({"scheduledStartAt": None}, True, None),
        ({"schedule": {"timezone": "UTC"}}, False, None),
        ({"schedule": {"start_at": LATER}}, True, NINE),
        ({"scheduledStartAt": "2026-12-01T10:00:00+01:00", "schedule": {"start_at": LATER}}, True, NINE),
        ({"scheduledStartAt": "2026-11-29T11:55:00Z"}, True, NOW - timedelta(minutes=5)),
    ],
)
def test_when_a_campaign_starts_is_said_in_two_ways(
    fields: dict[str, Any], starts: bool, start_at: datetime | None
) -> None:
    wanted = wanted_of(given(**fields), NOW)
    assert (wanted.starts, wanted.start_at) == (starts, start_at)


@pytest.mark.parametrize(
    ("fields", "dialing", "auto_complete"),
    [
        ({"settings": {"retryDelayMinutes": 5}, "retryDelayMinutes": 6}, {"retry_delay_minutes": 6}, None),
        ({"settings": {"retryDelayMinutes": 5, "mine": 1}}, {"retry_delay_minutes": 5}, None),
        ({"settings": {"noAutoComplete": True}}, {}, False),
        ({"settings": {"noAutoComplete": True}, "noAutoComplete": False}, {}, True),
        ({"noAutoComplete": None}, {}, True),
        ({"schedule": {"timezone": "UTC"}}, {"call_window_timezone": "UTC"}, None),
        ({"max_attempts_busy": 3}, {}, None),
    ],
)
def test_a_field_of_the_body_wins_over_its_namesake_in_settings(
    fields: dict[str, Any], dialing: dict[str, Any], auto_complete: bool | None
) -> None:
    wanted = wanted_of(given(**fields), NOW)
    assert (wanted.dialing, wanted.auto_complete) == (dialing, auto_complete)


def test_null_on_a_change_brings_the_default_back() -> None:
    before = Dialing(call_window_start="08:00", retry_delay_minutes=5, retry_on_error=True, max_attempts_busy=4)
    cleared = given(
        callWindowStart=None, retryDelayMinutes=None, settings={"max_attempts_busy": None}, maxConcurrentCalls=None
    )
    after = changed_dialing(before, wanted_of(cleared, NOW), cleared)
    assert after == Dialing(retry_on_error=True)
    assert campaign_changes(cleared, wanted_of(cleared, NOW)) == {"concurrency_limit": 3}


@pytest.mark.parametrize(
    ("fields", "core", "for_people"),
    [
        ({"name": "a", "description": None}, set(), True),
        ({"name": "a", "noAutoComplete": True, "webhookUrl": None, "webhookEvents": []}, set(), False),
        ({"settings": {"mine": 1}}, set(), False),
        ({"settings": {"mine": 1, "retryOnError": True}}, {"retry_on_error"}, False),
        ({"status": "running", "teamId": "acme"}, set(), False),
        ({"scheduledStartAt": LATER, "schedule": {"start_at": LATER}}, set(), False),
        ({"schedule": {"timezone": "UTC"}}, {"schedule", "call_window_timezone"}, False),
        ({"fromNumberIds": ["a"], "maxConcurrentCalls": 1}, {"from_number_ids", "max_concurrent_calls"}, False),
        ({"assistantId": "a", "companyId": "b"}, {"assistant_id", "company_id"}, False),
        ({"callWindowStart": "08:00"}, {"call_window_start"}, False),
    ],
)
def test_core_fields_are_those_that_decide_who_is_called_when(
    fields: dict[str, Any], core: set[str], for_people: bool
) -> None:
    body = given(**fields)
    assert core_fields(body, wanted_of(body, NOW)) == core
    assert is_for_people(body) is for_people


def test_settings_are_merged_at_the_top_level_within_their_bound() -> None:
    before = {"a": {"b": 1}, "c": 2}
    assert merged_settings(given(settings={"a": {"d": 1}, "c": None}), before) == {"a": {"d": 1}, "c": None}
    assert merged_settings(given(name="x"), before) == before
    assert merged_settings(given(settings=None), before) == {}
    with pytest.raises(ValuesInvalid) as error:
        merged_settings(given(settings={"more": "x" * 40_000}), {"much": "x" * 40_000})
    assert [place(value) for value in error.value.fault.values] == ["settings"]
