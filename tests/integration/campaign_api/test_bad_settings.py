"""What bad input gets: contradictions are 422 with field, rule and value; what is in use is 409 with the campaigns that
use it; a move that the state does not allow is 400 with both; what calls nobody is legal, and said."""

import asyncio
from typing import Any

import pytest

from tests.integration.campaign_api.client import CALLABLE, Customer, lead

NINE_TO_NINE = {"days": ["mon"], "start": "09:00", "end": "09:00"}
SOME_ID = "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21"
BREAKER = {"threshold": 0.5, "window_seconds": 600, "min_calls": 20}
LATER = "2126-07-01T14:30:00Z"
ALL_YEAR = [{"first_day": "2026-01-01", "last_day": "2030-12-31"}]

CONFIGURATIONS: list[tuple[dict[str, Any], str, str]] = [
    (
        {"default_windows": [NINE_TO_NINE]},
        "default_windows.0.end",
        "must end at another time than it starts, and both are 09:00",
    ),
    ({"default_windows": [NINE_TO_NINE | {"days": []}]}, "default_windows.0.days", "at least 1 of these, not 0"),
    (
        {"default_windows": [NINE_TO_NINE | {"start": "24:00"}]},
        "default_windows.0.start",
        '"24:00" can only end a window',
    ),
    ({"default_windows": [NINE_TO_NINE | {"end": "25:00"}]}, "default_windows.0.end", '"HH:MM" on the 24-hour clock'),
    ({"overrides": [{"timezones": ["UTC"], "windows": [NINE_TO_NINE]}]}, "overrides.0.windows.0.end", "both are 09:00"),
    ({"default_timezone": "Mars/Olympus"}, "default_timezone", "not an IANA timezone"),
    (
        {"closures": [{"first_day": "2026-12-26", "last_day": "2026-12-24"}]},
        "closures.0",
        "last_day (2026-12-24) must not lie before first_day (2026-12-26)",
    ),
    (
        {"closures": [{"first_day": "2026-01-01", "last_day": "2027-01-01", "yearly": True}]},
        "closures.0",
        "shorter than a year, not from 2026-01-01 to 2027-01-01",
    ),
    ({"closures": [{"first_day": "2026-02-30"}]}, "closures.0.first_day", "a date that exists"),
    ({"holiday_calendars": ["DE-XX"]}, "holiday_calendars.0", "'DE-XX' is not a holiday calendar"),
    ({"max_attempts": 0}, "max_attempts", "at least 1, not 0"),
    ({"max_attempts_per_day": 0}, "max_attempts_per_day", "at least 1, not 0"),
    ({"retry_rules": {"busy": {"max_attempts": 0}}}, "retry_rules.busy.max_attempts", "at least 1, not 0"),
    ({"retry_rules": {"busy": {"mode": "list"}}}, "retry_rules.busy", '"list" needs delays_seconds'),
    (
        {"retry_rules": {"busy": {"mode": "exponential", "multiplier": 1.0}}},
        "retry_rules.busy.multiplier",
        "at least 1.01, not 1",
    ),
    ({"ring_seconds": 4}, "ring_seconds", "at least 5, not 4"),
    ({"max_call_seconds": 9}, "max_call_seconds", "at least 10, not 9"),
]
CAMPAIGNS: list[tuple[dict[str, Any], str, str]] = [
    ({"concurrency_limit": 0}, "concurrency_limit", "at least 1, not 0"),
    ({"calls_per_second": 0}, "calls_per_second", "above 0, not 0"),
    ({"max_calls": 0}, "max_calls", "at least 1, not 0"),
    ({"circuit_breaker": BREAKER | {"threshold": 0}}, "circuit_breaker.threshold", "above 0, not 0"),
    ({"circuit_breaker": BREAKER | {"threshold": 1.5}}, "circuit_breaker.threshold", "at most 1.0, not 1.5"),
    ({"circuit_breaker": BREAKER | {"min_calls": 0}}, "circuit_breaker.min_calls", "at least 1, not 0"),
    ({"circuit_breaker": BREAKER | {"window_seconds": 9}}, "circuit_breaker.window_seconds", "at least 10, not 9"),
    ({"priority": -1}, "priority", "at least 0, not -1"),
    ({"caller_number_pool": "nobody's"}, "caller_number_pool", 'No caller number is in the pool "nobody\'s"'),
    ({"caller_numbers": [{"id": SOME_ID}]}, "caller_numbers.0.id", f"There is no caller number '{SOME_ID}'"),
    ({"caller_numbers": [{"id": SOME_ID, "weight": 0}]}, "caller_numbers.0.weight", "at least 1, not 0"),
    ({"caller_numbers": []}, "caller_numbers", "at least 1 of these, not 0"),
    ({"caller_number_choice": "rotate"}, "caller_number_choice", "nothing for 'rotate' to choose from"),
    ({"agent_number": "+14155550100", "caller_number_pool": "west"}, "caller_number_pool", "has agent_number already"),
    ({"caller_number_choice": "loudest"}, "caller_number_choice", "Write 'fixed', 'rotate'"),
]
ON_CREATION: list[tuple[dict[str, Any], str, str]] = [
    ({"state": "running", "start_at": LATER}, "start_at", "left out where state is given, and state is 'running'"),
    ({"start_at": LATER, "end_at": LATER}, "end_at", "must end after it starts, and it starts at 2126-07-01T14:30:00"),
]
OF_THE_ORGANIZATION: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("PUT", "/concurrency-settings", {"concurrency_limit": 0}, "concurrency_limit", "at least 1, not 0"),
    *(
        ("PATCH", "/limits", {name: 0}, name, "not 0")
        for name in (
            "max_attempts_per_number_per_day",
            "max_attempts_per_number_per_week",
            "min_minutes_between_calls",
            "calls_per_second",
        )
    ),
    ("PATCH", "/calling-hours-settings", {"holiday_calendars": ["XX"]}, "holiday_calendars.0", "'XX' is not a"),
    ("POST", "/caller-numbers", {"number": "+14155550101", "weight": 0}, "weight", "at least 1, not 0"),
    ("POST", "/caller-numbers", {"number": "+14155550101", "max_calls": 0}, "max_calls", "at least 1, not 0"),
    ("POST", "/caller-numbers", {"number": "+14155550101", "daily_limit": 0}, "daily_limit", "at least 1, not 0"),
    (
        "POST",
        "/caller-numbers",
        {"number": "+14155550101", "calls_per_second": 0},
        "calls_per_second",
        "above 0, not 0",
    ),
]


async def refused(acme: Customer, method: str, path: str, body: dict[str, Any], field: str, said: str) -> None:
    answer = await acme.call(method, path, body)
    assert answer.status == 422, answer.raw
    errors = {".".join(map(str, error["loc"][1:])): error["msg"] for error in answer.body["errors"]}
    assert said in errors[field]
    assert answer.body["detail"].startswith("body.")


@pytest.mark.parametrize(("values", "field", "said"), CONFIGURATIONS)
async def test_a_configuration_that_contradicts_itself_is_422(
    acme: Customer, values: dict[str, Any], field: str, said: str
) -> None:
    campaign = await acme.new_campaign()
    before = (await acme.get(f"/configurations/{campaign['configuration_id']}")).body
    await refused(acme, "POST", "/configurations", {"name": "Hours", **values}, field, said)
    await refused(acme, "PATCH", f"/configurations/{campaign['configuration_id']}", values, field, said)
    await refused(acme, "PATCH", f"/campaigns/{campaign['id']}/configuration", values, field, said)
    assert (await acme.get(f"/campaigns/{campaign['id']}/configuration")).body == before, "nothing was changed"


@pytest.mark.parametrize(("values", "field", "said"), CAMPAIGNS + ON_CREATION)
async def test_a_campaign_that_contradicts_itself_is_422(
    acme: Customer, values: dict[str, Any], field: str, said: str
) -> None:
    campaign = await acme.new_campaign()
    await acme.post("/caller-numbers", {"number": "+14155550177", "pools": ["west"]})
    new = {"name": "Summer", "configuration_id": campaign["configuration_id"]}
    await refused(acme, "POST", "/campaigns", {**new, **values}, field, said)
    if (values, field, said) in CAMPAIGNS:
        await refused(acme, "PATCH", f"/campaigns/{campaign['id']}", values, field, said)
    assert (await acme.get("/campaigns")).body["campaigns"] == [campaign], "nothing was changed"


@pytest.mark.parametrize(("method", "path", "values", "field", "said"), OF_THE_ORGANIZATION)
async def test_a_setting_of_the_organization_that_is_no_limit_is_422(
    acme: Customer, method: str, path: str, values: dict[str, Any], field: str, said: str
) -> None:
    await refused(acme, method, path, values, field, said)


async def test_a_contact_that_expires_before_it_is_due_is_422(acme: Customer) -> None:
    path = f"/campaigns/{(await acme.new_campaign())['id']}/contacts"
    contacts = {"contacts": [lead(1, scheduled_at=LATER, expires_at=LATER)]}
    await refused(acme, "POST", path, contacts, "contacts.0.expires_at", f"later time than scheduled_at, {LATER}")


# In use.


async def test_what_a_campaign_uses_cannot_be_deleted_and_the_answer_names_the_campaign(acme: Customer) -> None:
    number = (await acme.post("/caller-numbers", {"number": "+14155550177", "pools": ["west"]})).body
    listed = (await acme.post("/caller-numbers", {"number": "+14155550178"})).body
    configuration = await acme.new_configuration(**CALLABLE)
    by_pool = await acme.new_campaign(name="By pool", configuration_id=configuration, caller_number_pool="west")
    by_list = await acme.new_campaign(
        name="By list", configuration_id=configuration, caller_numbers=[{"id": listed["id"]}]
    )
    for path, using in {
        "/caller-number-pools/west": [by_pool],
        f"/caller-numbers/{number['id']}": [by_pool],
        f"/caller-numbers/{listed['id']}": [by_list],
        f"/configurations/{configuration}": [by_pool, by_list],
    }.items():
        answer = await acme.delete(path)
        assert answer.status == 409, path
        for campaign in using:
            assert f"'{campaign['name']}' ({campaign['id']})" in answer.body["detail"]
    assert len((await acme.get("/caller-numbers")).body["caller_numbers"]) == 2


# Moves; which state allows which stands in test_campaign_states.py.

SAID = {"paused": "paused", "cancelled": "closed", "running": "running"}


async def campaign_in(acme: Customer, state: str) -> str:
    """The path of a campaign that shows this state."""
    campaign = await acme.new_campaign(**({"state": "draft"} if state == "draft" else {}))
    path = f"/campaigns/{campaign['id']}"
    if state == "cancelled":
        await acme.post(f"{path}/close")
    assert (await acme.get(path)).body["state"] == state
    return path


async def asked(acme: Customer, path: str, move: str) -> Any:
    if move == "delete":
        return await acme.delete(path)
    return await (acme.patch(path, {"start_at": LATER}) if move == "schedule" else acme.post(f"{path}/{move}"))


@pytest.mark.parametrize(("state", "one", "other", "ends"), [
    # Both may follow each other in one order at least; the state is that of the last one made, and a refusal names it.
    ("running", "pause", "pause", {"paused"}),
    ("running", "close", "close", {"cancelled"}),
    ("running", "pause", "close", {"cancelled"}),
    ("running", "start", "close", {"cancelled"}),
    ("draft", "schedule", "close", {"cancelled"}),
    ("draft", "start", "schedule", {"running"}),
    ("cancelled", "delete", "delete", {"cancelled"}),
])  # fmt: skip
async def test_of_two_moves_at_once_each_is_asked_of_the_state_that_the_other_has_left(
    acme: Customer, state: str, one: str, other: str, ends: set[str]
) -> None:
    for _ in range(4):
        path = await campaign_in(acme, state)
        answers = await asyncio.gather(asked(acme, path, one), asked(acme, path, other))
        statuses = sorted(answer.status for answer in answers)
        assert statuses[0] == 200
        assert statuses[1] in (200, 400) if (one, other) != ("delete", "delete") else statuses[1] == 404
        if one == other:
            assert statuses[1] != 200, "made once"
        after = (await acme.get(f"{path}?deleted=true")).body
        assert after["state"] in ends
        refusals = [answer.body["detail"] for answer in answers if answer.status == 400]
        # It names the state in which the first one has left the campaign.
        assert all(f" is {SAID[after['state']]}" in refusal for refusal in refusals)


# Legal, and calls nobody.

CALLS_NOBODY: list[tuple[dict[str, Any], dict[str, Any], str, str | None]] = [
    ({"default_windows": []}, {}, "no_windows", "no_windows"),
    ({"closures": ALL_YEAR}, {}, "never_open", "never_open"),
    ({"use_contact_timezone": False, "closures": ALL_YEAR}, {}, "never_open", "never_open"),
    ({"agent_number": None}, {}, "no_caller_number", "no_caller_number"),
    ({"agent_number": None}, {"caller_number_pool": "off"}, "no_caller_number", "no_caller_number"),
    ({"agent_number": None}, {"agent_number": "+14155550199"}, "no_caller_number", "no_caller_number"),
    # Its contacts do not wait: they end when their turn comes.
    ({"agent_id": None}, {}, "no_agent", None),
]


@pytest.mark.parametrize(("hours", "fields", "code", "reason"), CALLS_NOBODY)
async def test_what_calls_nobody_is_taken_with_a_warning_and_named_by_the_diagnosis(
    acme: Customer, hours: dict[str, Any], fields: dict[str, Any], code: str, reason: str | None
) -> None:
    await acme.api.admin("PATCH", f"/organizations/{acme.organization_id}", {"default_agent_number": None})
    for number, pools in (("+14155550177", ["off"]), ("+14155550199", [])):
        await acme.post("/caller-numbers", {"number": number, "active": False, "pools": pools})
    configuration = await acme.new_configuration(**{**CALLABLE, **hours})
    new = {"name": "Spring", "configuration_id": configuration, **fields}
    made = await acme.post("/campaigns", {**new, "contacts": [lead(1)]})
    assert made.status == 200, made.raw
    assert [warning["code"] for warning in made.body["warnings"]] == [code]
    path = f"/campaigns/{made.body['id']}"
    changed = await acme.patch(path, {"priority": 2})
    assert [warning["code"] for warning in changed.body["warnings"]] == [code]
    diagnosis = (await acme.get(f"{path}/diagnosis")).body
    assert [fault["code"] for fault in diagnosis["settings"]] == [code]
    if reason is not None:
        assert [found["reason"] for found in diagnosis["reasons"]] == [reason]
    mended = await acme.patch(path, {"configuration_id": await acme.new_configuration(**CALLABLE), **_without(fields)})
    assert "warnings" not in mended.body


def _without(fields: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(fields)


async def test_a_limit_above_what_there_is_is_taken_with_a_warning_and_named_by_the_diagnosis(acme: Customer) -> None:
    await acme.post("/caller-numbers", {"number": "+14155550177", "pools": ["west"], "max_calls": 2})
    await acme.post("/caller-numbers", {"number": "+14155550178", "pools": ["west"], "max_calls": 1})
    await acme.patch("/limits", {"calls_per_second": 1.5})
    campaign = await acme.new_campaign(caller_number_pool="west", concurrency_limit=3, calls_per_second=1.5)
    assert "warnings" not in campaign
    path = f"/campaigns/{campaign['id']}"
    changed = (await acme.patch(path, {"concurrency_limit": 11, "calls_per_second": 2.0})).body
    codes = ["limit_above_organization", "limit_above_caller_numbers", "calls_per_second_above_organization"]
    assert [warning["code"] for warning in changed["warnings"]] == codes
    assert "may have 11 calls at once and its caller numbers carry 3" in changed["warnings"][1]["message"]
    assert "may place 2.0 calls a second and its organization 1.5" in changed["warnings"][2]["message"]
    diagnosis = (await acme.get(f"{path}/diagnosis")).body
    assert [fault["code"] for fault in diagnosis["settings"]] == codes
