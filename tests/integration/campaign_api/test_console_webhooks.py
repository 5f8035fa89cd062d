"""Webhooks at the console, on a real campaign-api: made, tried, read, sent again, changed and deleted."""

import html
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.facts import FactType
from tests.integration.campaign_api.client import Api, Customer
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.console_browser import Page, Person, person_at

URL = "https://203.0.114.5/hooks"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
async def person(api: Api, acme: Customer) -> AsyncIterator[Person]:
    """Somebody who has signed in with the customer's key."""
    async with person_at(api.url) as somebody:
        await somebody.sign_in(acme.key)
        yield somebody


async def made(acme: Customer, **fields: Any) -> str:
    """The path of a webhook's page."""
    return f"/webhooks/{(await acme.post('/webhooks', {'url': URL, **fields})).body['id']}"


async def stored(acme: Customer, here: str) -> dict[str, Any]:
    body: dict[str, Any] = (await acme.get(here)).body
    return body


def secret_of(page: Page) -> str:
    """What the page shows once."""
    found = re.search(r'<code class="secret">([^<]+)</code>', page.text)
    assert found, page.text
    return html.unescape(found[1])


async def test_a_webhook_is_made_and_its_secret_shown_once(person: Person, acme: Customer) -> None:
    page = await person.get("/webhooks")
    assert "There is no webhook yet." in page.text
    shown = await person.post("/webhooks/make", page, url=URL, description="CRM", event="call.ended")
    secret = secret_of(shown)
    assert len(secret) == 64
    [webhook] = (await acme.get("/webhooks")).body["webhooks"]
    assert (webhook["description"], webhook["events"]) == ("CRM", ["call.ended"])
    listed = await person.get("/webhooks")
    assert "CRM" in listed.text
    for path in ("/webhooks", f"/webhooks/{webhook['id']}"):
        assert secret not in (await person.get(path)).text


async def test_all_events_are_sent_where_none_is_ticked(person: Person, acme: Customer) -> None:
    await person.post("/webhooks/make", await person.get("/webhooks"), url=URL, secret="of my own choice")
    [webhook] = (await acme.get("/webhooks")).body["webhooks"]
    assert webhook["events"] == list(FactType)


@pytest.mark.parametrize("url", ["http://example.com/", "https://127.0.0.1/", ""])
async def test_an_address_that_cannot_be_is_refused_with_the_reason(person: Person, acme: Customer, url: str) -> None:
    refused = await person.post("/webhooks/make", await person.get("/webhooks"), url=url)
    assert (refused.status, bool(refused.notice)) == (422, True)
    # What was typed is kept beside what is said.
    assert f'value="{url}" id="new-url" aria-invalid="true"' in refused.text
    assert (await acme.get("/webhooks")).body["webhooks"] == []


async def test_a_test_event_is_shown_among_the_deliveries_and_sent_again(
    person: Person, acme: Customer, stack: Stack
) -> None:
    here = await made(acme)
    page = await person.get(here)
    assert "Nothing was sent in the last day." in page.text
    sent = await person.post(f"{here}/test", page)
    assert "webhook.test" in sent.text
    assert "not tried yet" in sent.text
    assert f'action="{here}/deliveries/' not in sent.text, "it waits"
    dead = {
        "state": "dead",
        "tries": 8,
        "last_at": utc_now(),
        "last_status": 500,
        "last_error": "status",
        "last_text": HOSTILE,
        "last_milliseconds": 1234,
    }
    webhook_id = here.rpartition("/")[2]
    await stack.store["deliveries"].update_one({"webhook_id": webhook_id}, {"$set": dead})
    page = await person.get(f"{here}?state=dead")
    assert "The answer was no 2xx." in page.text
    assert "1,234 ms" in page.text
    assert html.escape(HOSTILE) in page.text
    assert HOSTILE not in page.text
    again = re.search(rf'action="({here}/deliveries/[^"]+/replay)"', page.text)
    assert again
    assert (await person.post(again[1], page)).notice == "The event is sent again."
    assert "No delivery is a dead letter." in (await person.get(f"{here}?state=dead")).text
    await stack.store["deliveries"].update_one({"webhook_id": webhook_id}, {"$set": dead})
    assert (await person.post(f"{here}/replay", page)).notice == "1 dead letter sent again."


async def test_a_webhook_is_changed_switched_off_and_on(person: Person, acme: Customer) -> None:
    here = await made(acme, events=["call.ended"], description="CRM")
    page = await person.get(here)
    fields = {"url": URL + "/2", "description": "", "with_events": "yes", "event": "call.placed"}
    await person.post(f"{here}/change", page, **fields)
    changed = await stored(acme, here)
    assert (changed["url"], changed["description"], changed["events"]) == (URL + "/2", None, ["call.placed"])
    refused = await person.post(f"{here}/change", page, url=URL, with_events="yes")
    assert refused.notice
    assert (await stored(acme, here))["events"] == ["call.placed"]
    assert (await person.post(f"{here}/switch/off", page)).notice == "The webhook is off."
    assert (await stored(acme, here))["active"] is False
    assert "switched off" in (await person.get(here)).text
    assert (await person.post(f"{here}/switch/on", page)).notice == "The webhook is on."
    assert (await stored(acme, here))["active"] is True
    assert "either on or off" in (await person.post(f"{here}/switch/sideways", page)).notice


async def test_events_of_another_apis_webhook_are_left_alone(person: Person, acme: Customer, stack: Stack) -> None:
    here = await made(acme)
    known = {"dialect": "smartalex", "events": ["call_completed"]}
    await stack.store["webhooks"].update_one({"_id": here.rpartition("/")[2]}, {"$set": known})
    page = await person.get(here)
    assert "in the words of the API smartalex" in page.text
    assert 'name="event"' not in page.text
    await person.post(f"{here}/change", page, url=URL + "/2")
    assert (await stored(acme, here))["events"] == ["call_completed"]


async def test_the_secret_is_replaced_and_the_new_one_shown_once(person: Person, acme: Customer) -> None:
    here = await made(acme)
    page = await person.get(here)
    for typed in ("", "-1", "169", "soon"):
        assert "0 to 168" in (await person.post(f"{here}/secret", page, overlap_hours=typed)).notice
    shown = await person.post(f"{here}/secret", page, overlap_hours="48")
    assert len(secret_of(shown)) == 64
    assert "signs too, until" in shown.text
    assert (await stored(acme, here))["old_secret_until"]


async def test_a_webhook_is_deleted_after_a_question(person: Person, acme: Customer) -> None:
    here = await made(acme, description="CRM")
    question = await person.post(f"{here}/delete", await person.get(here))
    assert "Delete this webhook?" in question.text
    assert (await acme.get(here)).status == 200
    done = await person.post(f"{here}/delete", question, sure="yes")
    assert (done.path, done.notice) == ("/webhooks", "The webhook is deleted.")
    assert (await acme.get(here)).status == 404
    assert (await person.get(here)).status == 404


async def test_who_may_only_read_is_offered_nothing_and_a_webhook_of_others_is_no_page(
    person: Person, api: Api, acme: Customer, other: Customer
) -> None:
    here = await made(acme)
    await acme.post(f"{here}/test")
    assert (await person.get(await made(other))).status == 404
    reader = await api.customer_of(acme.organization_id, ["campaigns:read"])
    await person.sign_in(reader.key)
    for path in ("/webhooks", here):
        page = await person.get(path)
        assert page.status == 200
        assert re.findall(r'method="post" action="([^"]+)"', page.text) == ["/sign-out"]
    refused = await person.post(f"{here}/switch/off", page)
    assert "scope" in refused.notice
    assert (await stored(acme, here))["active"] is True


async def test_what_others_wrote_is_shown_and_not_run(person: Person, acme: Customer) -> None:
    here = await made(acme, description=HOSTILE)
    for path in ("/webhooks", here, f"{here}?state={HOSTILE}"):
        page = await person.get(path)
        assert HOSTILE not in page.text
        assert html.escape(HOSTILE) in page.text
    for path in ("/webhooks?cursor=x", f"{here}?cursor=x", "/webhooks/none"):
        assert (await person.get(path)).status in (400, 404)
