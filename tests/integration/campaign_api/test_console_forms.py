"""Making configurations, campaigns and contacts at the console, and what its forms say when they are refused."""

import html
import json
import re
from datetime import timedelta
from typing import Any

from services.console.forms import utc_z
from shared.clock import utc_now
from tests.integration.campaign_api.client import CALLABLE, Api, Customer, lead
from tests.integration.campaign_api.console_browser import Page, Person

HOSTILE = "<script>alert(1)</script>\"'>"
NEW_CONFIGURATION: dict[str, Any] = {
    "name": "Office",
    "default_timezone": "Europe/Paris",
    "clock": "zone",
    "days": ["mon", "fri"],
    "start": "09:00",
    "end": "00:00",
    "max_attempts": "5",
    "max_attempts_per_day": "2",
    "holiday_calendars": "FR, DE-BY",
    "agent_id": "outreach",
    "agent_number": "+1 415 5550100",
    "default_country_code": "+33",
    "ring_seconds": "20",
    "max_call_seconds": "600",
}


def faults(page: Page) -> dict[str, str]:
    """What a refused form says, by the id of the field that its sentence leads to."""
    found = re.findall(r'<li><a href="#([\w-]+)">[^<]+</a>: ([^<]+)</li>', page.text)
    marked = re.findall(r'id="([\w-]+)" aria-invalid="true" aria-describedby="\1-said"', page.text)
    assert sorted(marked) == sorted(name for name, _ in found)
    # The browser goes to the first one, and to no other.
    assert page.text.count(" autofocus") == min(1, len(found))
    return {name: html.unescape(said) for name, said in found}


def value_of(page: Page, field: str, form: str = "new") -> str:
    """What a field of one of the page's forms holds."""
    found = re.search(rf'value="([^"]*)" id="{form}-{field.replace("_", "-")}"', page.text)
    assert found, field
    return html.unescape(found[1])


def ticked(page: Page) -> list[str]:
    """The days that are ticked."""
    return re.findall(r'name="days" value="(\w+)" checked', page.text)


def was_of(page: Page, form: str) -> str:
    """What the fields of a form held when its page was made."""
    found = re.search(
        rf'action="[^"]*/{form}">\s*<input[^>]*>\s*<input type="hidden" name="was" value="([^"]*)"', page.text
    )
    assert found, form
    return html.unescape(found[1])


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


async def test_a_campaign_is_made_by_its_form(operator: Person, acme: Customer) -> None:
    configuration = await acme.new_configuration(name="Office", **CALLABLE)
    await acme.post("/caller-numbers", {"number": "+14155550199", "pools": ["west"]})
    page = await operator.get("/new-campaign")
    # The only one there is.
    assert f'<option value="{configuration}" selected>Office</option>' in page.text
    fields = {
        "name": HOSTILE,
        "configuration_id": configuration,
        "agent_id": "closer",
        "caller_number_pool": "west",
        "begin": "later",
        "start_at": "2099-12-01T09:00",
        "end_at": "2099-12-31T17:30",
        "auto_complete": "yes",
        "max_calls": "500",
        "concurrency_limit": "5",
        "calls_per_second": "0.5",
        "priority": "7",
        "objective": "Renewals\r\nof leases",
        "external_id": "crm-1",
    }
    made = await operator.post("/new-campaign", page, **fields)
    assert made.notice.startswith("The campaign is made.")
    stored = (await acme.get("/campaigns/crm-1")).body
    expected = {
        "name": HOSTILE,
        "configuration_id": configuration,
        "agent_id": "closer",
        "caller_number_pool": "west",
        "state": "scheduled",
        "start_at": "2099-12-01T09:00:00Z",
        "end_at": "2099-12-31T17:30:00Z",
        "auto_complete": True,
        "max_calls": 500,
        "concurrency_limit": 5,
        "calls_per_second": 0.5,
        "priority": 7,
        "objective": "Renewals\nof leases",
    }
    assert {name: stored[name] for name in expected} == expected
    assert made.path == f"/campaigns/{stored['id']}"
    assert "<script>alert" not in made.text


async def test_a_bad_value_of_a_campaign_is_said_at_its_field(operator: Person, acme: Customer) -> None:
    configuration = (await acme.new_campaign(external_id="taken"))["configuration_id"]
    page = await operator.get("/new-campaign")
    usual = {"name": "Spring", "configuration_id": configuration, "begin": "draft", "priority": "1"}
    for field, typed in (
        ("name", ""),
        ("configuration_id", "another"),
        ("agent_number", "12"),
        ("caller_number_pool", "east"),
        ("begin", "never"),
        ("end_at", "soon"),
        ("max_calls", "0"),
        ("concurrency_limit", "10001"),
        ("calls_per_second", "fast"),
        ("calls_per_second", "0"),
        ("priority", "-1"),
        ("objective", "x" * 10_001),
        ("external_id", "taken"),
        ("external_id", "default"),
    ):
        refused = await operator.post("/new-campaign", page, **usual | {field: typed})
        assert refused.status == (409 if typed == "taken" else 422), (field, typed)
        assert list(faults(refused)) == [f"new-{field.replace('_', '-')}"], (field, typed)
        if field not in ("configuration_id", "caller_number_pool", "begin", "objective"):
            assert value_of(refused, field) == typed
    # A beginning and an end have to fit to each other.
    times = {"start_at": "2099-02-01T00:00", "end_at": "2099-01-01T00:00"}
    beside = await operator.post("/new-campaign", page, **usual | times)
    before = await operator.post("/new-campaign", page, **usual | times | {"begin": "later"})
    assert [list(faults(one)) for one in (beside, before)] == [["new-begin"], ["new-end-at"]]
    assert len((await acme.get("/campaigns")).body["campaigns"]) == 1


async def test_settings_of_a_campaign_are_changed(operator: Person, acme: Customer) -> None:
    campaign = await acme.new_campaign(state="draft", max_calls=5)
    here = f"/campaigns/{campaign['id']}"
    page = await operator.get(f"{here}/settings")
    was = json.loads(was_of(page, "settings"))
    assert (was["name"], was["max_calls"], was["start_at"]) == ("Spring", "5", "")
    changed = await operator.post(
        f"{here}/settings", page, **was | {"name": "Autumn", "max_calls": ""}, was=json.dumps(was)
    )
    assert changed.path == here
    stored = (await acme.get(here)).body
    assert (stored["name"], stored["max_calls"], stored["state"]) == ("Autumn", None, "draft")
    refused = await operator.post(f"{here}/max-calls", page, max_calls="many")
    assert (list(faults(refused)), value_of(refused, "max_calls", "settings")) == (["settings-max-calls"], "many")
    assert value_of(refused, "name", "settings") == "Autumn"
    question = await operator.post(f"{here}/delete", page)
    assert "Delete Autumn?" in question.text
    await operator.post(f"{here}/delete", question, sure="yes")
    assert (await acme.get("/campaigns")).body["campaigns"] == []


async def test_a_contact_is_added_by_hand_and_changed_by_its_own_id(operator: Person, acme: Customer) -> None:
    here = f"/campaigns/{(await acme.new_campaign(state='draft'))['id']}"
    page = await operator.get(f"{here}/add-contact")
    fields = {
        "phone_numbers": "(415) 555-0123, +442071838750",
        "external_id": "new",
        "timezone": "Europe/London",
        "scheduled_at": "2026-12-01T09:00",
        "data": "Name: Ada\r\nLease: 2027: renewed",
    }
    added = await operator.post(f"{here}/add-contact", page, **fields)
    assert added.notice.startswith("The contact is added.")
    [contact] = (await acme.get(f"{here}/contacts")).body["contacts"]
    assert added.path == f"{here}/contacts/{contact['id']}"
    expected = {
        "phone_numbers": ["+14155550123", "+442071838750"],
        "external_id": "new",
        "timezone": "Europe/London",
        "scheduled_at": "2026-12-01T09:00:00Z",
        "data": {"Name": "Ada", "Lease": "2027: renewed"},
    }
    assert {name: contact[name] for name in expected} == expected
    again = await operator.post(f"{here}/add-contact", page, phone_numbers="+14155550124", external_id="new")
    assert again.notice.startswith("The contact was here already; it is changed.")
    # Remarks of the API are passed on.
    await acme.post("/do-not-call", {"phone_numbers": ["+14155550125"]})
    remarked = await operator.post(f"{here}/add-contact", page, phone_numbers="+14155550125")
    assert "do-not-call list" in remarked.notice
    for field, typed in {
        "phone_numbers": "+14155550123, nobody",
        "external_id": "x" * 256,
        "timezone": "Nowhere",
        "scheduled_at": "soon",
        "expires_at": "never",
    }.items():
        refused = await operator.post(f"{here}/add-contact", page, **fields | {field: typed})
        assert (refused.status, list(faults(refused))) == (422, [f"contact-{field.replace('_', '-')}"])
        assert value_of(refused, field, "contact") == typed
        assert "Lease: 2027: renewed</textarea>" in refused.text
    refused = await operator.post(f"{here}/add-contact", page, **fields | {"data": HOSTILE})
    assert (list(faults(refused)), "<script>alert" in refused.text) == (["contact-data"], False)
    assert (await acme.get(f"{here}/contacts")).body["total"] == 2


async def test_a_time_to_call_is_kept_beside_its_notes_when_it_is_refused(operator: Person, acme: Customer) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1)])
    here = f"/campaigns/{campaign['id']}/contacts/lead-1"
    page = await operator.get(here)
    for at in ("", "soon", "2099-01-01T00:00"):
        refused = await operator.post(f"{here}/call-later", page, at=at, notes="the lease")
        assert (refused.status, list(faults(refused))) == (422, ["later-at"])
        assert (value_of(refused, "at", "later"), value_of(refused, "notes", "later")) == (at, "the lease")
    assert (await acme.get(here)).body["callback"] is None


async def test_a_time_to_call_back_that_cannot_be_is_asked_for_again(operator: Person, acme: Customer) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1)])
    contact = f"/campaigns/{campaign['id']}/contacts/lead-1"
    soon = utc_z(utc_now().replace(microsecond=0) + timedelta(days=3))
    callback = (await acme.post(f"{contact}/callback", {"at": soon})).body["callback"]
    here, page = f"/callbacks/{callback['id']}/reschedule", await operator.get("/callbacks")
    for at in ("", "soon", "2099-01-01T00:00"):
        refused = await operator.post(here, page, at=at)
        assert (refused.status, list(faults(refused)), value_of(refused, "at", "later")) == (422, ["later-at"], at)
    assert (await acme.get(contact)).body["callback"] == callback


async def test_numbers_that_are_refused_are_kept_to_be_mended(operator: Person, acme: Customer) -> None:
    page = await operator.get("/do-not-call")
    refused = await operator.post("/do-not-call/add", page, numbers="+14155550001\nnobody 1", reason=HOSTILE)
    assert list(faults(refused)) == ["add-numbers"]
    assert "+14155550001\nnobody 1</textarea>" in refused.text
    assert (value_of(refused, "reason", "add"), "<script>alert" in refused.text) == (HOSTILE, False)
    for number in ("", "+14155550001", "12"):
        refused = await operator.post("/do-not-call/remove", page, number=number)
        assert (list(faults(refused)), value_of(refused, "number", "remove")) == (["remove-number"], number)
    assert (await acme.get("/do-not-call")).body["do_not_call"] == []


async def test_a_key_that_may_only_read_is_offered_no_form(person: Person, api: Api, acme: Customer) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1)])
    configuration = campaign["configuration_id"]
    await acme.patch("/calling-hours-settings", {"closures": [{"first_day": "2026-12-31"}]})
    await person.sign_in((await api.customer_of(acme.organization_id, ["campaigns:read"])).key)
    here = f"/campaigns/{campaign['id']}"
    for path in (
        "/calling-hours",
        "/limits",
        "/configurations",
        f"/configurations/{configuration}",
        here,
        f"{here}/contacts",
    ):
        page = await person.get(path)
        assert (page.status, set(re.findall(r'method="post" action="([^"]+)"', page.text))) == (200, {"/sign-out"})
        assert not re.search(r'href="[^"]*(/new|/settings|new-campaign|add-contact)"', page.text)
    for path in ("/configurations/new", "/new-campaign", f"{here}/settings", f"{here}/add-contact"):
        page = await person.get(path)
        assert (page.path == path, page.notice) == (False, "This key may only read.")
    page = await person.get("/configurations")
    for path, fields in (
        ("/configurations/new", NEW_CONFIGURATION),
        (f"/configurations/{configuration}/closures/add", {"first_day": "2026-12-24"}),
        (f"/configurations/{configuration}/remove", {"sure": "yes"}),
        ("/calling-hours/legal", {"legal_hours": "on"}),
        ("/limits/concurrency", {"concurrency_limit": "1"}),
        ("/new-campaign", {"name": "x", "configuration_id": configuration, "begin": "now", "priority": "1"}),
        (f"{here}/settings", {"name": "x", "configuration_id": configuration, "priority": "1"}),
        (f"{here}/add-contact", {"phone_numbers": "+14155550123"}),
        (f"{here}/delete", {"sure": "yes"}),
    ):
        refused = await person.post(path, page, **fields)
        # Forms of one button are answered on the page that they are on.
        assert (refused.status, bool(refused.notice)) in ((403, False), (200, True)), path
    assert (await acme.get(here)).body["name"] == "Spring"
    assert (await acme.get("/calling-hours-settings")).body["legal_hours"] == "off"
    assert (await acme.get(f"/configurations/{configuration}")).body["closures"] == []
    assert (await acme.get(f"{here}/contacts")).body["total"] == 1


async def test_nothing_is_made_by_a_form_of_elsewhere_or_for_others(
    operator: Person, acme: Customer, other: Customer
) -> None:
    configuration, campaign = await acme.new_configuration(), await acme.new_campaign()
    here = f"/campaigns/{campaign['id']}"
    changes: tuple[tuple[str, dict[str, str]], ...] = (
        ("/configurations/new", NEW_CONFIGURATION),
        (f"/configurations/{configuration}/settings", {"name": "x"}),
        (f"/configurations/{configuration}/closures/add", {"first_day": "2026-12-24"}),
        (f"/configurations/{configuration}/calendars", {"holiday_calendars": "US"}),
        (f"/configurations/{configuration}/remove", {"sure": "yes"}),
        ("/calling-hours/legal", {"legal_hours": "on"}),
        ("/calling-hours/closures/add", {"first_day": "2026-12-24"}),
        ("/limits/calls", {"calls_per_second": "1"}),
        ("/new-campaign", {"name": "x", "configuration_id": configuration, "begin": "now", "priority": "1"}),
        (f"{here}/settings", {"name": "x"}),
        (f"{here}/delete", {"sure": "yes"}),
        (f"{here}/add-contact", {"phone_numbers": "+14155550123"}),
    )
    for path, fields in changes:
        assert (await operator.post(path, None, csrf="guessed", **fields)).status == 403
    theirs = await other.new_campaign(name="Theirs")
    page = await operator.get("/configurations")
    for path in (
        f"/configurations/{theirs['configuration_id']}/settings",
        f"/configurations/{theirs['configuration_id']}/closures/add",
        f"/campaigns/{theirs['id']}/settings",
        f"/campaigns/{theirs['id']}/add-contact",
    ):
        valid = {"name": "x", "first_day": "2026-12-24", "phone_numbers": "+14155550123", "default_timezone": "UTC"}
        choices = {"clock": "zone", "configuration_id": configuration, "priority": "1"}
        assert (await operator.post(path, page, **valid, **choices)).status == 404
    assert (await operator.get(f"/campaigns/{theirs['id']}/settings")).status == 404
    assert (await other.get(f"/campaigns/{theirs['id']}")).body["name"] == "Theirs"
    assert (await acme.get(here)).body["name"] == "Spring"


async def test_with_one_configuration_of_many_a_campaign_is_made_of_the_one_that_is_named(
    operator: Person, acme: Customer
) -> None:
    first, _ = await acme.new_configuration(name="First"), await acme.new_configuration(name="Second")
    assert "First</option>" in (await operator.get("/new-campaign")).text
    assert f'value="{first}" selected' in (await operator.get(f"/new-campaign?configuration={first}")).text
    assert " selected>First" not in (await operator.get(f"/new-campaign?configuration={HOSTILE}")).text
