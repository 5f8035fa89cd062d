"""Making and changing configurations at the console, and what its forms say when they are refused."""

import html
import re
from typing import Any

from tests.integration.campaign_api.client import CALLABLE, Customer
from tests.integration.campaign_api.console_browser import Person
from tests.integration.campaign_api.console_fields import HOSTILE, NEW_CONFIGURATION, faults, ticked, value_of, was_of


async def test_a_configuration_is_made_by_its_form(operator: Person, acme: Customer) -> None:
    page = await operator.get("/configurations/new")
    made = await operator.post("/configurations/new", page, **NEW_CONFIGURATION)
    assert made.notice.startswith("The configuration is made.")
    stored = (await acme.get(made.path)).body
    expected = {
        "name": "Office",
        "default_timezone": "Europe/Paris",
        "use_contact_timezone": False,
        "timezone_from_number": False,
        "default_windows": [{"days": ["mon", "fri"], "start": "09:00", "end": "24:00"}],
        "max_attempts": 5,
        "max_attempts_per_day": 2,
        "holiday_calendars": ["FR", "DE-BY"],
        "agent_id": "outreach",
        "agent_number": "+14155550100",
        "default_country_code": "+33",
        "ring_seconds": 20,
        "max_call_seconds": 600,
    }
    assert {name: stored[name] for name in expected} == expected


async def test_the_least_that_a_configuration_needs_is_what_its_form_begins_with(
    operator: Person, acme: Customer
) -> None:
    page = await operator.get("/configurations/new")
    shown = {name: value_of(page, name) for name in ("default_timezone", "start", "end", "max_attempts")}
    fields = {**shown, "days": ticked(page), "clock": "contact", "name": HOSTILE}
    made = await operator.post("/configurations/new", page, **fields)
    stored = (await acme.get(made.path)).body
    office = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "17:00"}
    assert (stored["name"], stored["default_windows"], stored["max_attempts"]) == (HOSTILE, [office], 3)
    assert "<script>alert" not in made.text


async def test_a_bad_value_is_said_at_its_field_and_all_that_was_typed_is_kept(
    operator: Person, acme: Customer
) -> None:
    page = await operator.get("/configurations/new")
    for field, typed in (
        ("name", ""),
        ("name", "x" * 256),
        ("name", "a\x00b"),
        ("default_timezone", "Mars/Olympus"),
        ("default_timezone", ""),
        ("clock", "mine"),
        ("days", "someday"),
        ("start", "soon"),
        ("end", "09:00"),
        ("max_attempts", "many"),
        ("max_attempts", "51"),
        ("max_attempts", ""),
        ("max_attempts_per_day", "0"),
        ("holiday_calendars", "FR, Narnia"),
        ("agent_id", "x" * 256),
        ("agent_number", "12"),
        ("default_country_code", "33"),
        ("ring_seconds", "4"),
        ("max_call_seconds", "9" * 400),
    ):
        refused = await operator.post("/configurations/new", page, **NEW_CONFIGURATION | {field: typed})
        assert (refused.status, refused.path) == (422, "/configurations/new"), (field, typed)
        assert refused.notice == "Nothing is changed yet: look at 1 field."
        assert list(faults(refused)) == [f"new-{field.replace('_', '-')}"], (field, typed)
        for name in ("name", "default_timezone", "start", "end", "max_attempts", "holiday_calendars", "agent_number"):
            assert value_of(refused, name) == (typed if name == field else NEW_CONFIGURATION[name])
        assert ticked(refused) == ([] if field == "days" else ["mon", "fri"])
    assert (await acme.get("/configurations")).body["configurations"] == []


async def test_all_bad_values_are_said_at_once(operator: Person) -> None:
    page = await operator.get("/configurations/new")
    wrong = {"default_timezone": HOSTILE, "agent_number": "12", "end": "09:00"}
    refused = await operator.post("/configurations/new", page, **NEW_CONFIGURATION | wrong)
    assert refused.notice == "Nothing is changed yet: look at 3 fields."
    assert list(faults(refused)) == ["new-default-timezone", "new-end", "new-agent-number"]
    assert "<script>alert" not in refused.text


async def test_settings_of_a_configuration_are_changed_and_those_of_others_stay(
    operator: Person, acme: Customer
) -> None:
    here = f"/configurations/{await acme.new_configuration(**CALLABLE)}"
    page = await operator.get(here)
    # Meanwhile somebody else changes another field.
    await acme.patch(here, {"agent_id": "another"})
    stored = (await acme.get(here)).body
    fields = {"name": "Evenings", "default_timezone": stored["default_timezone"], "clock": "number"}
    typed = {"agent_id": "outreach", "agent_number": "", "was": was_of(page, "settings")}
    changed = await operator.post(f"{here}/settings", page, **fields, **typed)
    assert changed.notice.startswith("Changed;")
    stored = (await acme.get(here)).body
    assert (stored["name"], stored["timezone_from_number"], stored["agent_id"]) == ("Evenings", True, "another")
    assert stored["agent_number"] is None
    refused = await operator.post(f"{here}/settings", page, **fields | {"default_timezone": "Nowhere"}, **typed)
    assert refused.status == 422
    assert list(faults(refused)) == ["settings-default-timezone"]
    assert "<details open><summary>Change name" in refused.text


async def test_single_zones_have_windows_of_their_own_until_these_are_removed(operator: Person, acme: Customer) -> None:
    here = f"/configurations/{await acme.new_configuration(**CALLABLE)}"
    page = await operator.get(here)
    paris = {"days": "mon", "start": "10:00", "end": "12:00", "timezones": "Europe/Paris, Europe/Berlin"}
    await operator.post(f"{here}/windows/add", page, **paris)
    other_order = {"start": "14:00", "end": "16:00", "timezones": "Europe/Berlin,Europe/Paris"}
    shown = await operator.post(f"{here}/windows/add", page, **paris | other_order)
    [override] = (await acme.get(here)).body["overrides"]
    assert sorted(override["timezones"]) == ["Europe/Berlin", "Europe/Paris"]
    assert [window["start"] for window in override["windows"]] == ["10:00", "14:00"]
    for field, typed in {"timezones": "Europe/Paris", "start": "late", "end": "10:00"}.items():
        refused = await operator.post(f"{here}/windows/add", page, **paris | {field: typed})
        assert list(faults(refused)) == [f"window-{field}"]
    [named] = re.findall(r'name="override" value="([^"]+)"', shown.text)
    done = await operator.post(f"{here}/windows/zones/remove", page, override=html.unescape(named))
    assert done.notice == "These zones have the common windows again."
    assert (await acme.get(here)).body["overrides"] == []
    again = await operator.post(f"{here}/windows/zones/remove", page, override=html.unescape(named))
    assert again.notice == "Those windows are not there any more."


async def test_days_are_closed_and_opened_again(operator: Person, acme: Customer) -> None:
    here = f"/configurations/{await acme.new_configuration(**CALLABLE)}"

    async def stored() -> Any:
        return (await acme.get(here)).body["closures"]

    page = await operator.get(here)
    zones = {"timezones": "Europe/Paris, Europe/Berlin", "yearly": "yes"}
    holidays = {"first_day": "2026-12-24", "last_day": "2026-12-26", "name": HOSTILE}
    shown = await operator.post(f"{here}/closures/add", page, **holidays, **zones)
    assert shown.notice == "Nobody is called on these days."
    await operator.post(f"{here}/closures/add", page, first_day="2027-01-01")
    christmas, new_year = await stored()
    expected = {**holidays, "yearly": True, "timezones": ["Europe/Paris", "Europe/Berlin"]}
    assert christmas == expected
    assert (new_year["first_day"], new_year["last_day"], new_year["name"]) == ("2027-01-01", None, None)
    assert "2026-12-24 to 2026-12-26, every year" in shown.text
    assert "<script>alert" not in shown.text
    [named] = re.findall(r'name="closure" value="([^"]+)"', shown.text)
    done = await operator.post(f"{here}/closures/remove", page, closure=html.unescape(named))
    assert done.notice.startswith("These days are open again")
    assert await stored() == [new_year]
    again = await operator.post(f"{here}/closures/remove", page, closure=html.unescape(named))
    assert again.notice == "That closed day is not there any more."
    for field, typed in {
        "first_day": "2026-02-30",
        "last_day": "2026-12-23",
        "timezones": "Europe/Paris, Nowhere",
        "name": "x" * 101,
    }.items():
        refused = await operator.post(f"{here}/closures/add", page, **{"first_day": "2026-12-24", field: typed})
        said = faults(refused)
        # That an end lies before its beginning is said at the beginning.
        assert list(said) == ["closure-first-day" if field == "last_day" else f"closure-{field.replace('_', '-')}"]
        assert value_of(refused, field, "closure") == typed
    assert await stored() == [new_year]


async def test_holiday_calendars_are_set_and_taken_away(operator: Person, acme: Customer) -> None:
    here = f"/configurations/{await acme.new_configuration(**CALLABLE)}"
    page = await operator.get(here)
    for typed, calendars in (("US, DE-BY", ["US", "DE-BY"]), ("", [])):
        page = await operator.post(f"{here}/calendars", page, holiday_calendars=typed, was=was_of(page, "calendars"))
        assert page.notice == "The holiday calendars are set."
        assert (await acme.get(here)).body["holiday_calendars"] == calendars
    refused = await operator.post(f"{here}/calendars", page, holiday_calendars="US, Narnia")
    assert "Narnia" in faults(refused)["calendars-holiday-calendars"]
    assert value_of(refused, "holiday_calendars", "calendars") == "US, Narnia"


async def test_hours_of_all_calls_are_set_for_the_organization(operator: Person, acme: Customer) -> None:
    here = "/calling-hours"
    page = await operator.get(here)
    await operator.post(f"{here}/legal", page, legal_hours="on", was=was_of(page, "legal"))
    await operator.post(f"{here}/calendars", page, holiday_calendars="US")
    shown = await operator.post(f"{here}/closures/add", page, first_day="2026-12-31", name="Stocktaking")
    hours = (await acme.get("/calling-hours-settings")).body
    assert (hours["legal_hours"], hours["holiday_calendars"]) == ("on", ["US"])
    assert [closure["name"] for closure in hours["closures"]] == ["Stocktaking"]
    configuration = await operator.get(f"/configurations/{await acme.new_configuration()}")
    assert "Stocktaking" in configuration.text
    # It is the organization's, so that page does not offer to open it.
    assert 'name="closure"' not in configuration.text
    [named] = re.findall(r'name="closure" value="([^"]+)"', shown.text)
    await operator.post(f"{here}/closures/remove", page, closure=html.unescape(named))
    assert (await acme.get("/calling-hours-settings")).body["closures"] == []
    for form, field, typed in (
        ("legal", "legal_hours", "perhaps"),
        ("calendars", "holiday_calendars", "Narnia"),
        ("closures/add", "first_day", "soon"),
    ):
        refused = await operator.post(f"{here}/{form}", page, **{field: typed})
        assert (refused.status, len(faults(refused))) == (422, 1)
    unchanged = await operator.post(f"{here}/legal", page, legal_hours="on", was='{"legal_hours": "on"}')
    assert unchanged.notice == "Nothing was changed."


async def test_limits_of_all_calls_are_set_for_the_organization(operator: Person, acme: Customer) -> None:
    page = await operator.get("/limits")
    assert "0 calls of 10 at once." in page.text
    await operator.post("/limits/concurrency", page, concurrency_limit="25", was=was_of(page, "concurrency"))
    typed = {"calls_per_second": "0.5", "max_attempts_per_number_per_day": "2", "min_minutes_between_calls": "60"}
    await operator.post("/limits/calls", page, **typed, was=was_of(page, "calls"))
    assert (await acme.get("/concurrency-settings")).body["concurrency_limit"] == 25
    limits = {
        "calls_per_second": 0.5,
        "max_attempts_per_number_per_day": 2,
        "max_attempts_per_number_per_week": None,
        "min_minutes_between_calls": 60,
    }
    assert (await acme.get("/limits")).body == limits
    for form, field, wrong in (
        ("concurrency", "concurrency_limit", ""),
        ("concurrency", "concurrency_limit", "10001"),
        ("calls", "calls_per_second", "0"),
        ("calls", "max_attempts_per_number_per_day", "51"),
        ("calls", "max_attempts_per_number_per_week", "351"),
        ("calls", "min_minutes_between_calls", "soon"),
    ):
        refused = await operator.post(f"/limits/{form}", page, **typed | {field: wrong})
        assert list(faults(refused)) == [f"{form}-{field.replace('_', '-')}"]
        assert value_of(refused, field, form) == wrong
    assert (await acme.get("/limits")).body == limits
    emptied = await operator.post("/limits/calls", page, **typed | {"calls_per_second": ""})
    assert emptied.notice.startswith("Changed;")
    assert (await acme.get("/limits")).body["calls_per_second"] is None


async def test_a_retry_grows_and_has_a_limit_of_its_own(operator: Person, acme: Customer) -> None:
    here = f"/configurations/{await acme.new_configuration()}"
    page = await operator.get(here)
    rule = {"outcome": "busy", "rule": "again", "minutes": "15", "growth": "2", "attempts": "4"}
    await operator.post(f"{here}/retry", page, **rule)
    stored = (await acme.get(here)).body["retry_rules"]
    expected = {"retry": True, "delay_seconds": 900, "mode": "exponential", "multiplier": 2, "max_attempts": 4}
    assert stored == {"busy": expected}
    for field, typed in {"minutes": "43201", "growth": "1.001", "attempts": "51", "outcome": "answered"}.items():
        refused = await operator.post(f"{here}/retry", page, **rule | {field: typed})
        assert list(faults(refused)) == [f"retry-{field}"]
    assert (await acme.get(here)).body["retry_rules"] == stored


async def test_a_configuration_is_removed_after_a_question_unless_a_campaign_names_it(
    operator: Person, acme: Customer
) -> None:
    used, unused = await acme.new_configuration(**CALLABLE), await acme.new_configuration(name="Old one")
    await acme.new_campaign(configuration_id=used)
    page = await operator.get(f"/configurations/{unused}")
    assert "Remove Old one?" in (await operator.post(f"/configurations/{unused}/remove", page)).text
    done = await operator.post(f"/configurations/{unused}/remove", page, sure="yes")
    assert (done.path, done.notice) == ("/configurations", "The configuration is removed.")
    refused = await operator.post(f"/configurations/{used}/remove", page, sure="yes")
    assert refused.path == f"/configurations/{used}"
    assert refused.notice
    assert (await acme.get(f"/configurations/{used}")).status == 200
