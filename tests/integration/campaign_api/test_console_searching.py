"""Looking up a contact and a listed number at the console, and moving many campaigns at once."""

import re
from collections.abc import Mapping, Sequence

import pytest

from tests.integration.campaign_api.client import Customer, lead
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.console_browser import Person
from tests.integration.campaign_api.test_callbacks_of_contacts import carried_out


@pytest.mark.parametrize("typed", ["%2B14155550001", "%2B1%20(415)%20555-0001"])
async def test_a_contact_is_found_by_its_number_however_it_is_typed(
    operator: Person, acme: Customer, typed: str
) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1), lead(2), {**lead(3), "phone_numbers": ["+14155550001"]}])
    here = f"/campaigns/{campaign['id']}/contacts"
    page = await operator.get(f"{here}?find={typed}")
    assert re.findall(r">(lead-\d)</a>", page.text) == ["lead-1", "lead-3"]
    assert "2 contacts with this number" in page.text
    assert "lead-1" not in (await operator.get(f"{here}?find={typed}&status=completed")).text


@pytest.mark.parametrize("typed", ["nobody", "%2B14155550009", "%2B0", "..", "%00"])
async def test_who_is_not_there_is_said_on_the_list(operator: Person, acme: Customer, typed: str) -> None:
    here = f"/campaigns/{(await acme.new_campaign(contacts=[lead(1)]))['id']}/contacts"
    page = await operator.get(f"{here}?find={typed}")
    assert (page.status, page.path) == (200, here)
    assert page.notice.startswith("No contact of this campaign has")
    assert (await operator.get(f"/campaigns/none/contacts?find={typed}")).status == 404


@pytest.mark.parametrize(("external_id", "typed"), [("+14155550999", "%2B14155550999"), ("a/b", "a/b"), ("..", "..")])
async def test_a_contact_is_found_by_an_external_id_that_is_none_for_an_address(
    operator: Person, acme: Customer, external_id: str, typed: str
) -> None:
    campaign = await acme.new_campaign(contacts=[{**lead(1), "external_id": external_id}])
    here = f"/campaigns/{campaign['id']}/contacts"
    [contact] = (await acme.get(here)).body["contacts"]
    page = await operator.get(f"{here}?find={typed}")
    assert (page.status, page.path) == (200, f"{here}/{contact['id']}")


async def test_calls_of_a_campaign_with_any_external_id_are_downloaded(operator: Person, acme: Customer) -> None:
    campaign = await acme.new_campaign(external_id="spring/2027", name="Spring")
    page = await operator.get("/calls?campaign=spring/2027&since=2027-01-01T00:00&until=")
    assert f'href="/campaigns/{campaign["id"]}/calls.csv?since=2027-01-01T00%3A00&amp;until="' in page.text
    assert (await operator.get(f"/campaigns/{campaign['id']}/calls.csv?since=2027-01-01T00:00")).status == 200
    assert "of no campaign" in (await operator.get("/calls?campaign=default")).text
    assert (await operator.get("/calls?campaign=none")).status == 404


async def test_contacts_of_no_campaign_are_listed(operator: Person, acme: Customer) -> None:
    await acme.post("/campaigns/default/contacts", {"contacts": [lead(1, timezone="Asia/Tokyo"), lead(2)]})
    here = "/campaigns/default/contacts"
    page = await operator.get(here)
    assert (page.status, "of no campaign" in page.text, "lead-1" in page.text) == (200, True, True)
    assert "Asia/Tokyo" in (await operator.get(f"{here}?find=lead-1")).text
    assert (await operator.get(f"{here}?find=nobody")).notice.startswith("No contact of this campaign has")


async def test_a_listed_number_is_found_in_whatever_spelling_and_taken_off(operator: Person, acme: Customer) -> None:
    # From abroad Argentina's mobile numbers are dialed with a 9 after the country code.
    listed = await acme.post("/do-not-call", {"phone_numbers": ["+5491123456789", "+14155550001"], "reason": "asked"})
    assert listed.status == 200, listed.raw
    page = await operator.get("/do-not-call?number=%2B54+11+2345+6789")
    assert ("+5491123456789" in page.text, "+14155550001" in page.text) == (True, False)
    gone = await operator.post("/do-not-call/remove", page, number="+54 9 11 2345 6789")
    assert gone.notice == "The number may be called again."
    assert "is not on the list." in (await operator.get("/do-not-call?number=%2B541123456789")).text
    assert "is no number in E.164" in (await operator.get("/do-not-call?number=4155550001")).text


async def test_numbers_of_others_are_not_found(acme: Customer, other: Customer) -> None:
    campaign = await other.new_campaign(contacts=[lead(1)])
    await other.post("/do-not-call", {"phone_numbers": ["+14155550001"]})
    assert (await acme.get("/do-not-call?phone_number=%2B14155550001")).body["do_not_call"] == []
    assert (await acme.get(f"/campaigns/{campaign['id']}/contacts?phone_number=%2B14155550001")).status == 404
    own = await acme.new_campaign(contacts=[lead(2)])
    found = await acme.get(f"/campaigns/{own['id']}/contacts?phone_number=%2B14155550001")
    assert (found.body["contacts"], found.body["total"]) == ([], 0)


async def test_many_are_moved_on_the_list_that_was_shown_and_a_refusal_says_whose(
    operator: Person, acme: Customer
) -> None:
    first, second, gone = [await acme.new_campaign(name=f"Wave {number}", state="draft") for number in range(3)]
    ids = [one["id"] for one in (first, second, gone)]
    page = await operator.get("/?name=Wave")
    fields = {"move": "start", "name": "Wave"}
    form: dict[str, str | Sequence[str]] = {"csrf": page.csrf, "campaign": ids, **fields}
    async with operator.session.post(f"{operator.url}/campaigns/move", data=pairs(form)) as answer:
        assert "Start 3 campaigns?" in await answer.text()
    assert (await acme.delete(f"/campaigns/{gone['id']}")).status == 200
    assert (await acme.post(f"/campaigns/{second['id']}/close")).status == 200
    async with operator.session.post(f"{operator.url}/campaigns/move", data=pairs({**form, "sure": "yes"})) as answer:
        text, path = await answer.text(), answer.url.path_qs
    assert path == "/?name=Wave"
    assert re.search(r"1 campaign started\. Refused: Wave 1: \w", text)
    assert (await acme.get(f"/campaigns/{first['id']}")).body["state"] == "running"


async def test_a_callback_is_shown_by_the_contacts_clock(operator: Person, acme: Customer, stack: Stack) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1, timezone="America/Chicago")])
    at = "2027-01-15T16:00:00Z"
    asked = await acme.post(f"/campaigns/{campaign['id']}/contacts/lead-1/callback", {"at": at})
    assert asked.status == 200, asked.raw
    await carried_out(stack, acme)
    page = await operator.get("/callbacks")
    assert "2027-01-15 10:00 America/Chicago" in page.text
    assert "2027-01-15 16:00 UTC" in page.text
    # What is done with it leads back to the list that was shown.
    found = re.search(r'action="(/callbacks/[^"]+)/reschedule"', page.text)
    assert found
    shown = {"span": "all", "type": "requested"}
    moved = await operator.post(f"{found[1]}/reschedule", page, at="2027-01-16T16:00", **shown)
    assert (moved.path, moved.notice) == (
        "/callbacks?span=all&type=requested",
        "To be called back at 2027-01-16 16:00 UTC.",
    )


async def test_a_contact_without_a_zone_is_shown_by_its_configurations_clock(operator: Person, acme: Customer) -> None:
    configuration = await acme.new_configuration(default_timezone="Asia/Tokyo")
    campaign = await acme.new_campaign(contacts=[lead(1)], configuration_id=configuration)
    page = await operator.get(f"/campaigns/{campaign['id']}/contacts/lead-1")
    assert "Asia/Tokyo, the configuration&#39;s" in page.text
    assert re.search(r"Added</strong> <time [^>]+>\d{4}-\d\d-\d\d \d\d:\d\d Asia/Tokyo<br>", page.text)


def pairs(form: Mapping[str, str | Sequence[str]]) -> list[tuple[str, str]]:
    """The fields of a form, one pair for each value."""
    return [(name, one) for name, value in form.items() for one in ([value] if isinstance(value, str) else value)]
