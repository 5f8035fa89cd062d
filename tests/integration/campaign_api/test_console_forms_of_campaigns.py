"""Making and changing campaigns and contacts at the console, and what its forms say when they are refused."""

import json
import re
from datetime import timedelta

from services.console.forms import utc_z
from shared.clock import utc_now
from tests.integration.campaign_api.client import CALLABLE, Api, Customer, lead
from tests.integration.campaign_api.console_browser import Person
from tests.integration.campaign_api.console_fields import HOSTILE, NEW_CONFIGURATION, faults, value_of, was_of


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
