"""The console for a key that may not see numbers of contacts: none stands anywhere, in no text and in no file."""

import csv
import io
import re
from datetime import timedelta

from shared.clock import utc_now
from shared.domain.ids import organization_budget
from tests.integration.campaign_api.client import Api, Customer, lead
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.console_browser import Person
from tests.integration.campaign_api.test_callbacks_of_contacts import carried_out
from tests.integration.campaign_api.test_calls import called

# The number of lead(1), however it is written.
NUMBER = "+14155550001"
WRITTEN = re.compile(r"415\D{0,3}555\D{0,2}0001")
SAID = f"{NUMBER} (415-555-0001) is not a valid number"


async def campaign_full_of_numbers(acme: Customer, stack: Stack) -> tuple[str, str, str]:
    """A campaign, a contact of it and a webhook, with a contact's number in every text that others write."""
    contacts = [{**lead(1), "external_id": NUMBER, "data": {"phone": NUMBER}}]
    campaign = await acme.new_campaign(contacts=contacts)
    here = f"/campaigns/{campaign['id']}"
    contact = (await acme.get(f"{here}/contacts")).body["contacts"][0]["id"]
    at = (utc_now() + timedelta(days=3)).isoformat().replace("+00:00", "Z")
    asked = await acme.post(f"{here}/contacts/{contact}/callback", {"at": at, "notes": f"call {NUMBER} back"})
    assert asked.status == 200, asked.raw
    await carried_out(stack, acme)
    await acme.post("/do-not-call", {"phone_numbers": [NUMBER], "reason": SAID})
    [call] = await called(
        stack, acme, campaign, 1, contact_id=contact, phone_number=NUMBER, error=SAID, outcome="failed"
    )
    reported = await acme.post(
        f"/attempts/{call['_id']}/result", {"disposition": SAID, "notes": SAID, "tags": [NUMBER]}
    )
    assert reported.status == 200, reported.raw
    refusal = {"subject": "country", "code": 21215, "message": SAID}
    rest = {"until": utc_now() + timedelta(hours=9), "refusals": 3, "since": utc_now(), "refusal": refusal}
    await stack.store["budgets"].update_one(
        {"_id": organization_budget(acme.organization_id)}, {"$set": {"rests.country:+1": rest}}, upsert=True
    )
    webhook = (await acme.post("/webhooks", {"url": "https://203.0.114.5/hooks"})).body["id"]
    await acme.post(f"/webhooks/{webhook}/test")
    failed = {"state": "dead", "tries": 8, "last_at": utc_now(), "last_status": 500, "last_error": "status"}
    await stack.store["deliveries"].update_one({"webhook_id": webhook}, {"$set": {**failed, "last_text": SAID}})
    return here, contact, webhook


async def test_no_page_and_no_file_shows_a_number_to_a_key_that_may_not_see_it(
    person: Person, api: Api, acme: Customer, stack: Stack
) -> None:
    here, contact, webhook = await campaign_full_of_numbers(acme, stack)
    pages = [
        "/",
        here,
        f"{here}/contacts",
        f"{here}/contacts/{contact}",
        f"{here}/dry-run",
        f"{here}/calls.csv",
        "/calls",
        "/callbacks",
        "/do-not-call",
        f"/webhooks/{webhook}",
    ]
    await person.sign_in(acme.key)
    for path in pages[2:]:
        assert WRITTEN.search((await person.get(path)).text), f"{path} shows no number to anybody"
    for scopes in (["campaigns:read"], ["campaigns:manage"]):
        await person.sign_in((await api.customer_of(acme.organization_id, scopes)).key)
        for path in pages:
            page = await person.get(path)
            assert page.status == 200, path
            assert not WRITTEN.search(page.text), path
    [row] = csv.DictReader(io.StringIO((await person.get(f"{here}/calls.csv")).text))
    shown = {name: row[name] for name in ("phone_number", "contact_name", "caller_number", "outcome")}
    whole = {"caller_number": "+14155550100", "outcome": "failed"}
    assert shown == {"phone_number": "'+1…0001", "contact_name": "", **whole}


async def test_a_masked_contact_is_found_and_is_called_never_again(
    person: Person, api: Api, acme: Customer, stack: Stack
) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1)])
    await person.sign_in((await api.customer_of(acme.organization_id, ["campaigns:manage"])).key)
    here = f"/campaigns/{campaign['id']}/contacts"
    question = await person.post(f"{here}/lead-1/never", await person.get(f"{here}?find=lead-1"))
    assert "+1…0001" in question.text
    await person.post(f"{here}/lead-1/never", question, sure="yes")
    assert [one["phone_number"] for one in (await acme.get("/do-not-call")).body["do_not_call"]] == [NUMBER]
