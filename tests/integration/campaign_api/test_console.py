"""The console's pages on a real campaign-api: what they show, what they have done, and for whom."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from deploy.local.home import free_port
from services.console.guard import CONTENT_SECURITY_POLICY
from shared.clock import utc_now
from tests.integration.campaign_api.client import ADMIN_TOKEN, Api, Customer, lead
from tests.integration.campaign_api.console_browser import Person, person_at

PAGES = ("/", "/calls", "/callbacks", "/do-not-call", "/webhooks", "/keys")
HOSTILE = "<script>alert(1)</script>\"'>"


async def campaign_with_contacts(acme: Customer, **fields: Any) -> dict[str, Any]:
    contacts = [lead(number, timezone="America/Chicago") for number in range(3)]
    return await acme.new_campaign(state="draft", contacts=contacts, **fields)


@pytest.mark.parametrize("path", PAGES)
async def test_pages_lead_to_the_sign_in_and_back(person: Person, acme: Customer, path: str) -> None:
    asked = await person.get(path)
    assert asked.path.startswith("/sign-in")
    to = re.search(r'name="to" value="([^"]*)"', asked.text)
    assert to
    assert (await person.sign_in(acme.key, to[1])).path == path


@pytest.mark.parametrize("key", ["", "ak_unknown.secret", ADMIN_TOKEN[:-1], "ak_ümlaut", "ak\r\nX-Evil: 1", "x" * 600])
async def test_what_is_no_key_signs_nobody_in(person: Person, key: str) -> None:
    refused = await person.sign_in(key)
    assert (refused.status, "no key of Dialstream" in refused.text) == (401, True)
    assert (await person.get("/")).path.startswith("/sign-in")


async def test_a_personal_token_needs_the_organization_beside_it(person: Person, api: Api, acme: Customer) -> None:
    wish = {"person": "ada@example.com", "name": "Ada", "organization_ids": [acme.organization_id]}
    token = (await api.admin("POST", "/personal-tokens", wish)).body["key"]
    assert "needs the id of an organization" in (await person.sign_in(token)).text
    assert (await person.sign_in(token, organization_id=acme.organization_id)).path == "/"


async def test_a_key_that_is_deleted_signs_its_person_out(person: Person, api: Api, acme: Customer) -> None:
    made = await api.admin("POST", "/organization-pats", {"organization_id": acme.organization_id, "name": "x"})
    await person.sign_in(made.body["key"])
    await api.admin("DELETE", f"/organization-pats/{made.body['id']}")
    assert (await person.get("/")).path.startswith("/sign-in")


async def test_every_answer_keeps_the_browser_to_our_own_files(operator: Person) -> None:
    for path in (*PAGES, "/sign-in", "/no-such-page", "/static/htmx.js", "/health/live"):
        headers = (await operator.get(path)).headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert (await operator.get("/")).headers["Cache-Control"] == "no-store"


async def test_nothing_is_done_by_a_form_of_elsewhere(operator: Person, acme: Customer) -> None:
    campaign = await campaign_with_contacts(acme)
    for token in ({}, {"csrf": "guessed"}, {"csrf": ""}):
        refused = await operator.post(f"/campaigns/{campaign['id']}/move/start", None, **token)
        assert refused.status == 403
    assert (await acme.get(f"/campaigns/{campaign['id']}")).body["state"] == "draft"


async def test_the_live_page_says_why_contacts_wait_and_what_to_change(operator: Person, acme: Customer) -> None:
    campaign = await campaign_with_contacts(acme)
    page = await operator.get(f"/campaigns/{campaign['id']}")
    assert "The campaign is a draft and has not been started. 3 of 3 contacts waiting." in page.text
    [reason] = (await acme.get(f"/campaigns/{campaign['id']}/diagnosis")).body["reasons"]
    assert reason["what_to_do"] in page.text


async def test_a_campaign_is_started_paused_and_cancelled_after_a_question(operator: Person, acme: Customer) -> None:
    campaign = await campaign_with_contacts(acme)
    here = f"/campaigns/{campaign['id']}"

    async def state() -> str:
        return str((await acme.get(here)).body["state"])

    page = await operator.post(f"{here}/move/start", await operator.get(here))
    assert (page.path, page.notice, await state()) == (here, "The campaign runs.", "running")
    assert (await operator.get(here)).notice == ""
    await operator.post(f"{here}/move/pause", page)
    assert await state() == "paused"
    question = await operator.post(f"{here}/move/close", page)
    assert ("cannot be started again" in question.text, await state()) == (True, "paused")
    await operator.post(f"{here}/move/close", question, sure="yes")
    assert await state() == "cancelled"
    refused = await operator.post(f"{here}/move/start", page)
    assert refused.path == here
    assert refused.notice


async def test_max_calls_are_set_and_taken_away(operator: Person, acme: Customer) -> None:
    here = f"/campaigns/{(await campaign_with_contacts(acme))['id']}"
    page = await operator.get(here)
    for typed, stored in (("25", 25), ("many", 25), ("-1", 25), ("", None)):
        await operator.post(f"{here}/max-calls", page, max_calls=typed)
        assert (await acme.get(here)).body["max_calls"] == stored


async def test_many_are_paused_after_a_question_that_counts_them(operator: Person, acme: Customer) -> None:
    campaigns = [await acme.new_campaign(name=f"Wave {number}") for number in (1, 2)]
    fields = {"campaign": campaigns[0]["id"], "move": "pause"}
    question = await operator.post("/campaigns/move", await operator.get("/"), **fields)
    assert "Pause 1 campaign?" in question.text
    done = await operator.post("/campaigns/move", question, sure="yes", **fields)
    assert done.notice == "1 campaign paused."
    states = [(await acme.get(f"/campaigns/{one['id']}")).body["state"] for one in campaigns]
    assert states == ["paused", "running"]


async def test_a_dry_run_says_why_nobody_would_be_called(operator: Person, acme: Customer) -> None:
    campaign = await campaign_with_contacts(acme)
    page = await operator.get(f"/campaigns/{campaign['id']}/dry-run")
    assert "Nobody would be called now" in page.text
    assert "lead-0" in page.text
    assert "No executor runs that could place calls." in page.text


async def test_contacts_are_shown_by_status(operator: Person, acme: Customer) -> None:
    here = f"/campaigns/{(await campaign_with_contacts(acme))['id']}/contacts"
    assert "lead-2" in (await operator.get(f"{here}?status=pending")).text
    assert "No contact is completed." in (await operator.get(f"{here}?status=completed")).text


async def test_a_contact_is_called_later_now_and_never_again(operator: Person, acme: Customer) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1)])
    here = f"/campaigns/{campaign['id']}/contacts"
    page = await operator.get(f"{here}?find=lead-1")
    assert page.path == f"{here}/lead-1"
    assert "Timeline" in page.text

    soon = utc_now() + timedelta(days=3)
    later = await operator.post(f"{here}/lead-1/call-later", page, at=f"{soon:%Y-%m-%dT%H:%M}", notes="the lease")
    assert later.notice == f"To be called at {soon:%Y-%m-%d %H:%M} UTC."
    await operator.post(f"{here}/lead-1/call-now", page)
    contact = (await acme.get(f"{here}/lead-1")).body
    assert contact["callback"]["type"] == "requested"

    question = await operator.post(f"{here}/lead-1/never", page)
    assert (await acme.get("/do-not-call")).body["do_not_call"] == []
    await operator.post(f"{here}/lead-1/never", question, sure="yes")
    [entry] = (await acme.get("/do-not-call")).body["do_not_call"]
    assert entry["phone_number"] == "+14155550001"


async def test_numbers_are_listed_by_file_and_taken_off(operator: Person, acme: Customer) -> None:
    page = await operator.get("/do-not-call")
    assert "The list is empty." in page.text
    rows = "\n".join(f"+1415555{number:04d},asked" for number in range(1500))
    done = await operator.post("/do-not-call/add", page, numbers=rows, reason="asked")
    assert done.notice == "1,500 numbers listed."
    refused = await operator.post("/do-not-call/add", page, numbers="+14155550001\n4155550123")
    assert "Nothing is listed: 1 row without a number" in refused.notice
    await operator.post("/do-not-call/remove", page, number="+14155550001")
    assert (await acme.delete("/do-not-call/+14155550001")).status == 404


async def test_numbers_of_a_file_are_listed(operator: Person, acme: Customer) -> None:
    form = aiohttp.FormData()
    form.add_field("csrf", (await operator.get("/do-not-call")).csrf)
    form.add_field("file", b"\xef\xbb\xbfphone\n+14155550001\n", filename="list.csv", content_type="text/csv")
    async with operator.session.post(f"{operator.url}/do-not-call/add", data=form) as answer:
        assert "1 number listed." in await answer.text()
    [entry] = (await acme.get("/do-not-call")).body["do_not_call"]
    assert entry["phone_number"] == "+14155550001"


async def test_a_key_that_may_only_read_is_offered_nothing_and_sees_masked_numbers(
    person: Person, api: Api, acme: Customer
) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1)])
    reader = await api.customer_of(acme.organization_id, ["campaigns:read"])
    await person.sign_in(reader.key)
    for path in ("/", f"/campaigns/{campaign['id']}", f"/campaigns/{campaign['id']}/contacts/lead-1", "/do-not-call"):
        page = await person.get(path)
        assert page.status == 200
        # The one form is that of signing out.
        assert re.findall(r'method="post" action="([^"]+)"', page.text).count("/sign-out") == 1
        assert {*re.findall(r'method="post" action="([^"]+)"', page.text)} <= {"/sign-out", "/campaigns/move"}
        assert "+14155550001" not in page.text
    page = await person.get("/")
    await person.post(f"/campaigns/{campaign['id']}/move/pause", page)
    assert (await acme.get(f"/campaigns/{campaign['id']}")).body["state"] == "running"


async def test_a_campaign_of_others_is_no_page(operator: Person, other: Customer) -> None:
    campaign = await other.new_campaign(contacts=[lead(1)])
    for path in ("", "/live", "/contacts", "/contacts/lead-1", "/dry-run", "/calls.csv"):
        assert (await operator.get(f"/campaigns/{campaign['id']}{path}")).status == 404


async def test_texts_of_customers_are_shown_and_not_run(operator: Person, acme: Customer) -> None:
    contact = lead(1, data={HOSTILE: HOSTILE})
    campaign = await acme.new_campaign(name=HOSTILE, objective=HOSTILE, contacts=[contact])
    await acme.post("/do-not-call", {"phone_numbers": ["+14155559999"], "reason": HOSTILE})
    here = f"/campaigns/{campaign['id']}"
    for path in ("/", here, f"{here}/contacts", f"{here}/contacts/lead-1", f"{here}/dry-run", "/do-not-call"):
        page = await operator.get(path)
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text
    for path in (f"/?name={HOSTILE}", f"/calls?search={HOSTILE}&outcome={HOSTILE}", f"/sign-in?to={HOSTILE}"):
        assert "<script>alert" not in (await operator.get(path)).text


@pytest.mark.parametrize(
    "path", ["/calls?outcome=x&since=x&until=%00", "/callbacks?span=x&type=x", "/?status=x", "/campaigns/none?every=1"]
)
async def test_a_strange_address_is_never_a_fault_of_ours(operator: Person, path: str) -> None:
    assert (await operator.get(path)).status < 500


async def test_numbers_come_live_as_a_piece_of_the_page(operator: Person, acme: Customer) -> None:
    campaign = await campaign_with_contacts(acme)
    url = f"{operator.url}/campaigns/{campaign['id']}/live"
    async with asyncio.timeout(20), operator.session.get(url) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        lines = []
        async for line in answer.content:
            if line == b"\n":
                break
            lines.append(line.decode())
    assert all(line.startswith("data: ") for line in lines)
    assert 'data-limit="10"' in "".join(lines)
    assert "has not been started" in "".join(lines)


async def test_calls_are_downloaded_as_a_file(operator: Person, acme: Customer) -> None:
    campaign = await campaign_with_contacts(acme)
    page = await operator.get(f"/campaigns/{campaign['id']}/calls.csv")
    assert page.headers["Content-Disposition"] == 'attachment; filename="calls.csv"'
    assert page.text.startswith("id,number,contact_id")


async def test_while_the_api_is_away_pages_say_so_and_the_console_is_not_ready() -> None:
    async with person_at(f"http://127.0.0.1:{free_port()}") as person:
        assert (await person.get("/health/live")).status == 200
        assert (await person.get("/health/ready")).status == 503
        away = await person.sign_in("ak_1.secret")
    assert (away.status, away.headers["Retry-After"], "does not answer" in away.text) == (503, "1", True)


async def test_it_is_ready_and_measured_with_the_api(operator: Person) -> None:
    assert (await operator.get("/health/ready")).status == 200
    assert "dialstream_http_requests_total" in (await operator.get("/metrics")).text


async def test_an_upload_that_does_not_say_its_length_is_refused_unread(operator: Person) -> None:
    async def without_end() -> AsyncIterator[bytes]:
        yield b"numbers=%2B14155550123"

    async with operator.session.post(f"{operator.url}/do-not-call/add", data=without_end()) as answer:
        assert answer.status == 413


async def test_signing_out_forgets_the_key(operator: Person) -> None:
    page = await operator.get("/")
    assert (await operator.post("/sign-out", page)).path == "/sign-in"
    assert (await operator.get("/")).path.startswith("/sign-in")
