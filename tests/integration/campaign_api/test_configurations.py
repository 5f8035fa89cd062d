from typing import Any

import pytest

from shared.events import LimitsChanged
from tests.integration.campaign_api.client import Customer
from tests.integration.campaign_api.conftest import EventsOf, Stack

SOME_ID = "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21"
WINDOW = {"days": ["mon", "sun"], "start": "22:00", "end": "06:00"}
WHOLE: dict[str, Any] = {
    "name": "Night shift",
    "default_timezone": "Europe/Berlin",
    "default_windows": [WINDOW],
    "overrides": [{"timezones": ["Asia/Tokyo"], "windows": [{"days": ["tue"], "start": "00:00", "end": "24:00"}]}],
    "scheduled_windows": [],
    "scheduled_overrides": [{"timezones": ["Asia/Tokyo"], "windows": []}],
    "default_country_code": "+49",
    "max_attempts": 7,
    "max_attempts_per_day": 2,
    "retry_rules": {
        "busy": {"retry": True, "delay_seconds": 60},
        "no_answer": {"mode": "list", "delays_seconds": [60, 120], "max_attempts": None},
        "failed": {"retry": False},
        "voicemail": {"mode": "exponential", "multiplier": 1.5, "max_delay_seconds": 86400, "after_message": True},
    },
    "agent_id": "a",
    "agent_version": "1",
    "agent_number": "+14155550100",
    "use_contact_timezone": False,
    "timezone_from_number": True,
    "closures": [
        {
            "first_day": "2026-12-24",
            "last_day": "2027-01-01",
            "yearly": True,
            "timezones": ["US/Eastern"],
            "name": "Christmas",
        }
    ],
    "holiday_calendars": ["US", "DE-BY"],
    "ring_seconds": 20,
    "max_call_seconds": 600,
    "voicemail": {"detect": True, "action": "leave_message", "message": "Bitte rufen Sie zurück.", "language": "de-DE"},
}


async def test_a_configuration_has_the_documented_defaults(acme: Customer) -> None:
    made = (await acme.post("/configurations", {"name": "Plain"})).body
    assert [warning["code"] for warning in made.pop("warnings")] == ["no_windows"]
    assert made == {
        "id": made["id"],
        "campaign_id": None,
        "name": "Plain",
        "default_timezone": "America/New_York",
        "default_windows": [],
        "overrides": [],
        "scheduled_windows": None,
        "scheduled_overrides": None,
        "default_country_code": None,
        "max_attempts": 3,
        "max_attempts_per_day": None,
        "retry_rules": {},
        "agent_id": None,
        "agent_version": None,
        "agent_number": None,
        "use_contact_timezone": True,
        "timezone_from_number": False,
        "closures": [],
        "holiday_calendars": [],
        "ring_seconds": None,
        "max_call_seconds": None,
        "voicemail": None,
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
    }


async def test_a_configuration_comes_back_as_it_was_set(acme: Customer) -> None:
    made = (await acme.post("/configurations", WHOLE)).body
    assert {name: made[name] for name in WHOLE} == WHOLE
    assert (await acme.get(f"/configurations/{made['id']}")).body == made
    assert (await acme.get("/configurations")).body == {"configurations": [made], "next_cursor": None}


async def test_an_edit_changes_what_is_given_and_null_clears(acme: Customer, events: EventsOf) -> None:
    made = (await acme.post("/configurations", WHOLE)).body
    changes = {"scheduled_windows": None, "retry_rules": {"busy": {"retry": False}}, "agent_id": None}
    edited = (await acme.patch(f"/configurations/{made['id']}", changes)).body
    assert edited == {**made, **changes, "updated_at": edited["updated_at"]}
    assert await events(acme.organization_id, LimitsChanged)


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"name": ""}, ["name"]),
        ({"name": None}, ["name"]),
        ({"default_timezone": "Mars/Olympus"}, ["default_timezone"]),
        ({"default_timezone": "localtime"}, ["default_timezone"]),
        ({"default_timezone": None}, ["default_timezone"]),
        ({"default_windows": [{**WINDOW, "days": []}]}, ["default_windows", 0, "days"]),
        ({"default_windows": [{**WINDOW, "days": ["monday"]}]}, ["default_windows", 0, "days", 0]),
        ({"default_windows": [{**WINDOW, "end": "22:00"}]}, ["default_windows", 0, "end"]),
        ({"default_windows": [{**WINDOW, "start": "24:00"}]}, ["default_windows", 0, "start"]),
        ({"default_windows": [{**WINDOW, "start": "9:00"}]}, ["default_windows", 0, "start"]),
        ({"default_windows": [WINDOW] * 701}, ["default_windows"]),
        ({"default_windows": None}, ["default_windows"]),
        ({"overrides": [{"timezones": [], "windows": []}]}, ["overrides", 0, "timezones"]),
        ({"overrides": [{"timezones": ["Mars"], "windows": []}]}, ["overrides", 0, "timezones", 0]),
        ({"default_country_code": "1"}, ["default_country_code"]),
        ({"default_country_code": "+999"}, ["default_country_code"]),
        ({"max_attempts": 0}, ["max_attempts"]),
        ({"max_attempts": 51}, ["max_attempts"]),
        ({"max_attempts_per_day": 0}, ["max_attempts_per_day"]),
        ({"max_attempts_per_day": 51}, ["max_attempts_per_day"]),
        ({"max_attempts": 2.0}, ["max_attempts"]),
        ({"max_attempts": 10**30}, ["max_attempts"]),
        ({"retry_rules": {"busy": {"delay_seconds": -1}}}, ["retry_rules", "busy", "delay_seconds"]),
        ({"retry_rules": {"busy": {"delay_seconds": 2_592_001}}}, ["retry_rules", "busy", "delay_seconds"]),
        ({"retry_rules": {"busy": {"multiplier": 1.0}}}, ["retry_rules", "busy", "multiplier"]),
        ({"retry_rules": {"sneezed": {}}}, ["retry_rules", "sneezed"]),
        ({"retry_rules": {"busy": {"$set": 1}}}, ["retry_rules", "busy", "$set"]),
        ({"agent_number": "x"}, ["agent_number"]),
        ({"use_contact_timezone": None}, ["use_contact_timezone"]),
        ({"timezone_from_number": "yes"}, ["timezone_from_number"]),
        ({"closures": [{"first_day": "2026-12-24", "last_day": "2026-12-23"}]}, ["closures", 0]),
        ({"closures": [{"first_day": "2026-02-30"}]}, ["closures", 0, "first_day"]),
        ({"closures": [{"first_day": "2026-12-24", "timezones": ["Mars/Olympus"]}]}, ["closures", 0, "timezones", 0]),
        ({"closures": [{"first_day": "2026-12-24"}] * 101}, ["closures"]),
        ({"closures": None}, ["closures"]),
        ({"holiday_calendars": ["US", "XX"]}, ["holiday_calendars", 1]),
        ({"holiday_calendars": ["us"]}, ["holiday_calendars", 0]),
        ({"holiday_calendars": ["DE-XX"]}, ["holiday_calendars", 0]),
        ({"ring_seconds": 4}, ["ring_seconds"]),
        ({"ring_seconds": 121}, ["ring_seconds"]),
        ({"max_call_seconds": 9}, ["max_call_seconds"]),
        ({"max_call_seconds": 14401}, ["max_call_seconds"]),
        ({"voicemail": {"action": "leave_message"}}, ["voicemail"]),
        ({"voicemail": {"action": "leave_message", "message": "Call us\x00"}}, ["voicemail", "message"]),
        ({"voicemail": {"action": "sing"}}, ["voicemail", "action"]),
        ({"retry_rules": {"busy": {"after_message": True}}}, ["retry_rules"]),
    ],
)
async def test_a_bad_value_is_named_on_create_and_on_edit(
    acme: Customer, fields: dict[str, Any], loc: list[str | int]
) -> None:
    made = (await acme.post("/configurations", WHOLE)).body
    for answer in (
        await acme.post("/configurations", WHOLE | fields),
        await acme.patch(f"/configurations/{made['id']}", fields),
    ):
        assert answer.status == 422
        assert ["body", *loc] in [error["loc"][: len(loc) + 1] for error in answer.body["errors"]], answer.body


@pytest.mark.parametrize("field", ["overrides", "scheduled_overrides"])
async def test_a_zone_in_two_overrides_in_two_spellings_is_refused_and_both_are_named(
    acme: Customer, field: str
) -> None:
    made = (await acme.post("/configurations", WHOLE)).body
    twice = {field: [{"timezones": [zone], "windows": []} for zone in ("US/Eastern", "America/New_York")]}
    for answer in (
        await acme.post("/configurations", WHOLE | twice),
        await acme.patch(f"/configurations/{made['id']}", twice),
    ):
        assert answer.status == 422
        [error] = answer.body["errors"]
        assert error["loc"] == ["body", field]
        assert "US/Eastern and America/New_York are one and the same" in error["msg"]
    assert (await acme.get(f"/configurations/{made['id']}")).body == made


async def test_a_zone_comes_back_in_the_spelling_it_was_given(acme: Customer) -> None:
    overrides = [{"timezones": ["US/Eastern", "Europe/Berlin"], "windows": []}]
    overrides += [{"timezones": ["Europe/Stockholm", "Asia/Calcutta"], "windows": []}]  # not Berlin
    fields = WHOLE | {"default_timezone": "US/Eastern", "overrides": overrides, "use_contact_timezone": True}
    made = (await acme.post("/configurations", fields)).body
    assert (made["default_timezone"], made["overrides"]) == ("US/Eastern", overrides)
    assert (await acme.get(f"/configurations/{made['id']}")).body == made


async def test_a_stored_configuration_with_a_zone_in_two_spellings_is_answered_and_can_be_edited(
    acme: Customer, stack: Stack
) -> None:
    made = (await acme.post("/configurations", WHOLE)).body
    stored = [{"timezones": [zone], "windows": []} for zone in ("US/Eastern", "America/New_York")]
    await stack.store["configurations"].update_one({"_id": made["id"]}, {"$set": {"overrides": stored}})
    assert (await acme.get(f"/configurations/{made['id']}")).body == made | {"overrides": stored}
    edited = await acme.patch(f"/configurations/{made['id']}", {"name": "Day shift"})
    assert (edited.status, edited.body["overrides"]) == (200, stored)


async def test_a_configuration_in_use_cannot_be_deleted_not_even_by_a_closed_campaign(acme: Customer) -> None:
    campaign = await acme.new_campaign()
    path = f"/configurations/{campaign['configuration_id']}"
    assert (await acme.delete(path)).status == 409
    await acme.post(f"/campaigns/{campaign['id']}/close")
    assert (await acme.delete(path)).status == 409
    unused = await acme.new_configuration()
    assert (await acme.delete(f"/configurations/{unused}")).body == {"id": unused, "deleted": True}
    assert (await acme.get(f"/configurations/{unused}")).status == 404


async def test_a_configurations_id_may_be_written_in_upper_case(acme: Customer) -> None:
    configuration_id = await acme.new_configuration(default_country_code="+49")
    shouted = configuration_id.upper()
    assert (await acme.get(f"/configurations/{shouted}")).body["id"] == configuration_id
    assert (await acme.patch(f"/configurations/{shouted}", {"name": "Loud"})).status == 200
    campaign = await acme.new_campaign(configuration_id=shouted, contacts=[{"phone_numbers": ["030 901820"]}])
    assert campaign["configuration_id"] == configuration_id
    bad = {"name": "", "configuration_id": shouted, "contacts": [{"phone_numbers": ["12"]}]}
    assert len((await acme.post("/campaigns", bad)).body["errors"]) == 2
    assert (await acme.delete(f"/configurations/{shouted}")).status == 409
    unused = await acme.new_configuration()
    assert (await acme.delete(f"/configurations/{unused.upper()}")).body == {"id": unused, "deleted": True}


async def test_a_configuration_of_another_organization_is_404(acme: Customer, other: Customer) -> None:
    for configuration_id in (await other.new_configuration(), SOME_ID):
        path = f"/configurations/{configuration_id}"
        assert (await acme.get(path)).status == 404
        assert (await acme.patch(path, {"name": "Mine"})).status == 404
        assert (await acme.delete(path)).status == 404
    assert (await acme.get("/configurations")).body["configurations"] == []


async def test_configurations_are_paged_like_campaigns(acme: Customer) -> None:
    made = [await acme.new_configuration() for _ in range(3)]
    first = (await acme.get("/configurations?limit=2")).body
    rest = (await acme.get(f"/configurations?limit=2&cursor={first['next_cursor']}")).body
    listed = [row["id"] for row in [*first["configurations"], *rest["configurations"]]]
    assert listed == made[::-1]
    assert rest["next_cursor"] is None


async def test_timezones_are_sorted_iana_names(acme: Customer) -> None:
    timezones = (await acme.get("/timezones")).body["timezones"]
    assert timezones == sorted(timezones)
    assert {"America/New_York", "Europe/Berlin", "Asia/Kolkata", "US/Eastern"} <= set(timezones)
    assert not {"localtime", "posixrules", "Factory"} & set(timezones)
