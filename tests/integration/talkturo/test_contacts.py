"""The contact book, who is enrolled, companies, assistants and numbers, imports."""

import json
from typing import Any
from urllib.parse import quote

from tests.integration.talkturo.team import NUMBERS, Team


async def test_a_contact_is_made_read_changed_and_deleted(team: Team) -> None:
    sent = {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "phone": "+14155550123",
        "email": "ada@example.com",
        "companyId": team.company,
        "leadSource": "fair",
        "tags": ["vip", "fair"],
        "customFields": {"size": 3},
        "shoeColour": "red",
    }
    made = (await team.done("POST", "/crm/contacts", sent))["contact"]
    shown = {
        "first_name": "Ada",
        "lead_status": "new",
        "source": "fair",
        "lead_source": "fair",
        "company_id": team.company,
        "do_not_call": False,
        "tags": ["vip", "fair"],
        "custom_fields": {"size": 3, "shoeColour": "red"},
        "team_id": team.team,
    }
    assert made.items() >= shown.items()
    path = f"/crm/contacts/{made['id']}"
    found = (await team.done("GET", path))["contact"]
    assert (found["campaign_history"], found["activities"], found["opportunities"]) == ([], [], [])
    change = {"jobTitle": "Countess", "tags": ["vip"], "customFields": {"size": None, "hat": 1}, "email": None}
    changed = (await team.done("PUT", path, change))["contact"]
    assert (changed["job_title"], changed["tags"], changed["email"]) == ("Countess", ["vip"], None)
    assert changed["custom_fields"] == {"hat": 1, "shoeColour": "red"}
    assert (await team.patch(path, {"firstName": None})).status == 400
    assert (await team.done("DELETE", path))["message"] == "Contact deleted"
    assert (await team.get(path)).status == 404


async def test_bad_contacts_are_refused_by_field(team: Team) -> None:
    sent = {"firstName": "", "phone": "4155550123", "email": "nobody", "timezone": "Mars", "doNotCall": "yes"}
    refused = await team.post("/crm/contacts", sent)
    assert refused.status == 400
    assert sorted(refused.body["details"]) == ["doNotCall", "email", "firstName", "lastName", "phone", "timezone"]


async def test_contacts_are_found_by_what_is_known_of_them(team: Team) -> None:
    tag = f"t{next(NUMBERS)}"
    ada = await team.contact(tags=[tag, "a"], leadStatus="hot", email="ada.b@example.com")
    bob = await team.contact(firstName="Bob", phone=None, tags=[tag], doNotCall=True, companyId=team.company)

    async def found(query: str) -> list[str]:
        return [one["id"] for one in (await team.done("GET", f"/crm/contacts?{query}"))["contacts"]]

    assert await found(f"tag={tag}") == [bob["id"], ada["id"]]
    assert await found(f"tag={tag}&tag=a") == [ada["id"]]
    assert await found("hasPhone=false") == await found("doNotCall=true") == [bob["id"]]
    assert await found("leadStatus=hot") == await found("search=ADA.B%40") == [ada["id"]]
    assert await found(f"companyId={team.company}") == [bob["id"]]
    assert await found("companyId=nothing") == []
    refused = await team.get("/crm/contacts?hasPhone=yes")
    assert (refused.status, list(refused.body["details"])) == (400, ["hasPhone"])
    of_company = await team.done("GET", f"/crm/companies/{team.company}/contacts")
    assert [one["id"] for one in of_company["contacts"]] == [bob["id"]]


async def test_enrolling_counts_each_once_and_says_who_is_skipped(team: Team) -> None:
    campaign = await team.campaign()
    path = f"/crm/campaigns/{campaign['id']}/contacts"
    ada, mute, never = (
        await team.contact(),
        await team.contact(phone=None),
        await team.contact(doNotCall=True),
    )
    ids = [ada["id"], mute["id"], never["id"], ada["id"]]
    done = await team.done("POST", path, {"contactIds": ids, "priority": 7})
    assert (done["added"], done["skipped"], done["already_enrolled"]) == (1, 2, 0)
    seen = [(one["contact_id"], one["status"], one["skip_reason"], one["outcome"]) for one in done["contacts"]]
    assert seen == [
        (ada["id"], "pending", None, None),
        (mute["id"], "skipped", "no_phone", "invalid_number"),
        (never["id"], "skipped", "do_not_call", None),
    ]
    assert done["contacts"][0]["priority"] == 7
    again = await team.done("POST", path, {"contactIds": ids[:1]})
    assert (again["added"], again["already_enrolled"]) == (0, 1)
    for status, wanted in (("pending", 1), ("skipped", 2), ("calling", 0), ("completed", 0)):
        assert (await team.done("GET", f"{path}?status={status}"))["total"] == wanted
    both = await team.done("GET", f"{path}?status=pending&status=skipped&limit=2")
    assert (len(both["contacts"]), both["total"]) == (2, 3)
    shown = (await team.done("GET", f"/crm/campaigns/{campaign['id']}"))["campaign"]
    assert (len(shown["contacts"]), shown["total_contacts"]) == (3, 3)


async def test_unknown_contacts_are_named_and_nothing_is_stored(team: Team, other: Team) -> None:
    campaign, ada, foreign = await team.campaign(), await team.contact(), await other.contact()
    path = f"/crm/campaigns/{campaign['id']}/contacts"
    refused = await team.post(path, {"contactIds": [ada["id"], foreign["id"], "nobody"]})
    assert (refused.status, list(refused.body["details"])) == (404, ["contactIds[1]", "contactIds[2]"])
    mixed = await team.post(path, {"contacts": [{"firstName": "B", "lastName": "C"}, {"id": foreign["id"]}]})
    assert (mixed.status, list(mixed.body["details"])) == (404, ["contacts[1]"])
    assert (await team.done("GET", path))["total"] == 0
    bodies: list[dict[str, Any]] = [
        {},
        {"contactIds": []},
        {"contactIds": [ada["id"]], "audience": "all"},
        {"contacts": [{"phone": "1"}]},
    ]
    for body in bodies:
        assert (await team.post(path, body)).status == 400
    nameless = await team.post(path, {"contacts": [{"phone": "+14155550123"}]})
    assert sorted(nameless.body["details"]) == ["contacts[0].firstName", "contacts[0].lastName"]


async def test_new_contacts_and_known_ones_are_enrolled_in_their_order(team: Team) -> None:
    campaign, ada = await team.campaign(), await team.contact()
    new = {"firstName": "Bob", "last_name": "Babbage", "phone": "+14155550177", "priority": 3, "hat": "top"}
    done = await team.done("POST", f"/crm/campaigns/{campaign['id']}/contacts", {"contacts": [new, {"id": ada["id"]}]})
    assert [one["first_name"] for one in done["contacts"]] == ["Bob", "Ada"]
    assert [one["priority"] for one in done["contacts"]] == [3, 0]
    bob = (await team.done("GET", f"/crm/contacts/{done['contacts'][0]['contact_id']}"))["contact"]
    assert bob["custom_fields"] == {"hat": "top"}
    [history] = bob["campaign_history"]
    assert (history["campaign_id"], history["status"], history["attempts"]) == (campaign["id"], "pending", 0)


async def test_an_audience_is_everybody_with_a_number_of_the_company(team: Team) -> None:
    campaign = await team.campaign()
    path = f"/crm/campaigns/{campaign['id']}/contacts"
    mine = {"companyId": team.company}
    ada = await team.contact(**mine, tags=["x"])
    await team.contact(**mine)
    await team.contact(tags=["x"])
    await team.contact(**mine, phone=None)
    await team.contact(**mine, doNotCall=True)
    tagged = await team.done("POST", path, {"audience": {"mode": "all", "tags": ["x"]}})
    assert [one["contact_id"] for one in tagged["contacts"]] == [ada["id"]]
    whole = await team.done("POST", path, {"audience": "all"})
    assert (whole["added"], whole["skipped"], whole["already_enrolled"]) == (1, 0, 1)
    flagged = await team.done("POST", path, {"audience": {"mode": "all", "excludeDnc": False}})
    assert (flagged["added"], flagged["skipped"], flagged["already_enrolled"]) == (0, 1, 2)


async def test_a_contact_can_be_enrolled_when_it_is_made_unless_that_is_refused(team: Team) -> None:
    campaign = await team.campaign()
    made = await team.contact(campaignId=campaign["id"], campaignPriority=4)
    assert made["campaignEnrollment"] == {"campaignId": campaign["id"], "status": "pending", "priority": 4}
    await team.done("PATCH", f"/crm/campaigns/{campaign['id']}", {"status": "cancelled"})
    sent = {"firstName": "Not", "lastName": "Made", "campaignId": campaign["id"]}
    assert (await team.post("/crm/contacts", sent)).status == 409
    assert (await team.done("GET", "/crm/contacts?search=Not%20Made"))["total"] == 0


async def test_contacts_follow_the_book_and_leave_a_campaign(team: Team) -> None:
    campaign = await team.campaign()
    [ada] = await team.enrolled(campaign)
    path = f"/crm/campaigns/{campaign['id']}/contacts"
    await team.done("PATCH", f"/crm/contacts/{ada['id']}", {"phone": "+14155550188", "timezone": "Europe/Berlin"})
    [there] = (await team.done("GET", path))["contacts"]
    assert (there["phone"], there["timezone"]) == ("+14155550188", "Europe/Berlin")
    assert there["id"].startswith("cc_")
    await team.done("PATCH", f"/crm/campaigns/{campaign['id']}", {"status": "running"})
    refused = await team.delete(f"/crm/contacts/{ada['id']}")
    assert (refused.status, refused.body["error"]) == (409, "Contact is enrolled in an active campaign")
    await team.done("DELETE", f"{path}/{ada['id']}")
    assert (await team.delete(f"{path}/{ada['id']}")).status == 404


async def test_json_rows_are_imported_each_by_itself(team: Team) -> None:
    campaign = await team.campaign()
    known = await team.contact(email="known@example.com")
    number = f"+1415557{next(NUMBERS):04}"
    rows: list[Any] = [
        {"firstName": "A", "lastName": "B", "phone": number},
        {"firstName": "A", "lastName": "B", "phone": number},
        {"firstName": "A", "lastName": "B", "phone": known["phone"]},
        {"firstName": "A", "lastName": "B", "email": "KNOWN@example.com"},
        {"firstName": "A", "phone": "12"},
        "nobody",
    ]
    done = await team.done("POST", "/crm/contacts/import", {"contacts": rows, "campaignId": campaign["id"]})
    assert (done["imported"], done["failed"], done["duplicates"]) == (1, 5, 3)
    assert sorted((error["row"], error["field"]) for error in done["errors"]) == [
        (2, "phone"),
        (3, "phone"),
        (4, "email"),
        (5, "lastName"),
        (5, "phone"),
        (6, "body"),
    ]
    assert [one is not None for one in done["contact_ids"]] == [True, False, False, False, False, False]
    assert (await team.done("GET", f"/crm/campaigns/{campaign['id']}/contacts"))["total"] == 1
    assert (await team.post("/crm/contacts/import", {"contacts": []})).status == 400


async def test_a_csv_is_imported_by_its_header(team: Team) -> None:
    number = f"+1415558{next(NUMBERS):04}"
    table = "First Name;x\n"  # not the separator
    headers = {"Content-Type": "text/csv"}
    unusable = await team.call("POST", "/crm/contacts/import", raw=table.encode(), headers=headers)
    assert unusable.status == 400
    table = (
        "\ufeffFirst Name,LAST_NAME,Mobile,company name,tags,do not call,Hat\r\n"
        f'Ada,Lovelace,{number},New Works,"a; b",no,top\r\n'
        "\r\n"
        "Bob,,,,,,\r\n"
    )
    mapping = quote(json.dumps({"Mobile": "phone"}))
    answer = await team.call("POST", f"/crm/contacts/import?mapping={mapping}", raw=table.encode(), headers=headers)
    assert answer.status == 200, answer.raw
    assert (answer.body["imported"], answer.body["failed"]) == (1, 1)
    assert answer.body["errors"][0]["row"] == 2
    found = (await team.done("GET", f"/crm/contacts/{answer.body['contact_ids'][0]}"))["contact"]
    assert (found["phone"], found["tags"], found["custom_fields"]) == (number, ["a", "b"], {"Hat": "top"})
    company = (await team.done("GET", f"/crm/companies/{found['company_id']}"))["company"]
    assert (company["name"], company["contact_count"]) == ("New Works", 1)
    bad = await team.call("POST", "/crm/contacts/import?mapping=x", raw=table.encode(), headers=headers)
    assert (bad.status, list(bad.body["details"])) == (400, ["mapping"])


async def test_companies_assistants_and_numbers_are_kept_while_campaigns_name_them(team: Team) -> None:
    campaign = await team.campaign()
    for path in (f"/crm/companies/{team.company}", f"/assistants/{team.assistant}", f"/phone-numbers/{team.number}"):
        assert (await team.delete(path)).status == 409, path
    await team.done("PATCH", f"/crm/campaigns/{campaign['id']}", {"status": "cancelled"})
    await team.done("DELETE", f"/crm/campaigns/{campaign['id']}")
    for path in (f"/crm/companies/{team.company}", f"/assistants/{team.assistant}", f"/phone-numbers/{team.number}"):
        await team.done("DELETE", path)
        assert (await team.get(path)).status == 404


async def test_companies_are_made_found_and_changed(team: Team) -> None:
    made = (await team.done("POST", "/crm/companies", {"name": "Analytical Engines", "industry": "Looms"}))["company"]
    found = await team.done("GET", "/crm/companies?search=analytical&industry=Looms")
    assert [one["id"] for one in found["companies"]] == [made["id"]]
    changed = (await team.done("PUT", f"/crm/companies/{made['id']}", {"city": "London", "industry": None}))["company"]
    assert (changed["city"], changed["industry"], changed["name"]) == ("London", None, "Analytical Engines")
    assert (await team.patch(f"/crm/companies/{made['id']}", {"name": None})).status == 400


async def test_assistants_are_made_and_changed(team: Team) -> None:
    own = f"asst_own{next(NUMBERS)}"
    sent = {"name": "Closer", "externalId": own, "voicemailAction": "hangup", "accountSlug": "acme"}
    made = (await team.done("POST", "/assistants", sent))["assistant"]
    assert (made["id"], made["type"], made["outbound_enabled"], made["voicemail_action"]) == (
        own,
        "custom",
        True,
        "hangup",
    )
    assert made["account_id"] == made["team_id"] == team.team
    changed = (await team.done("PATCH", f"/assistants/{own}", {"voicemailDetectionEnabled": False}))["assistant"]
    assert (changed["voicemail_detection_enabled"], changed["name"]) == (False, "Closer")
    assert own in {one["id"] for one in (await team.done("GET", "/assistants"))["assistants"]}
    assert (await team.post("/assistants", sent)).status == 409


async def test_numbers_are_registered_once(team: Team) -> None:
    twice = await team.post("/phone-numbers", {"phoneNumber": "+14155550100"})
    assert (twice.status, twice.body["error"]) == (409, "Phone number is registered already")
    listed = await team.done("GET", "/phone-numbers")
    assert [(one["phoneNumber"], one["status"]) for one in listed["phoneNumbers"]] == [("+14155550100", "active")]
    assert (await team.done("GET", "/phone-numbers/%2B14155550100"))["phoneNumber"]["id"] == team.number
    assert (await team.post("/phone-numbers", {"phoneNumber": "0100"})).status == 400
