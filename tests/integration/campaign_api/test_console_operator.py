"""The console for the operator, on a real campaign-api: organizations, keys, the installation, dead letters."""

import html
import re

import pytest

from shared.bus.producer import Record
from shared.topics import ORG_FACTS
from tests.integration.campaign_api.client import ADMIN_TOKEN, Api, Customer, unique
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.console_browser import Page, Person

PAGES = ("/system", "/organizations", "/keys", "/keys?kind=tokens", "/system/dead-letters/org.facts")


@pytest.fixture
async def operator(person: Person) -> Person:
    """The operator, signed in."""
    assert (await person.sign_in(ADMIN_TOKEN)).path == "/system"
    return person


def secret_of(page: Page) -> str:
    """What the page shows once."""
    found = re.search(r'<code class="secret">([^<]+)</code>', page.text)
    assert found, page.text
    return html.unescape(found[1])


async def test_the_operator_sees_pages_of_the_operator_and_no_others(operator: Person, acme: Customer) -> None:
    for path in PAGES:
        assert (await operator.get(path)).status == 200, path
    for path in ("/calls", "/webhooks", "/do-not-call", "/campaigns/x"):
        refused = await operator.get(path)
        assert (refused.status, "for an organization" in refused.text) == (403, True)
    await operator.sign_in(acme.key)
    for path in ("/system", "/organizations", "/system/now", "/system/dead-letters/jobs"):
        refused = await operator.get(path)
        assert (refused.status, "for the operator" in refused.text) == (403, True)


@pytest.mark.parametrize("path", PAGES)
async def test_pages_of_the_operator_lead_to_the_sign_in(person: Person, path: str) -> None:
    assert (await person.get(path)).path.startswith("/sign-in")


async def test_an_organization_is_made_and_a_key_for_it_that_signs_in(operator: Person, person: Person) -> None:
    name = unique("Umbrella & Söhne")
    made = await operator.post("/organizations/make", await operator.get("/organizations"), name=name)
    assert made.notice == "The organization is made. Now make a key for it."
    found = re.search(r'href="/keys\?organization=([^"]+)"', made.text)
    assert found
    page = await operator.get(f"/keys?organization={found[1]}")
    assert html.escape(name) in page.text
    assert "There is no key here yet." in page.text
    fields = {"organization": found[1], "name": "production", "scope": "campaigns:read"}
    shown = await operator.post("/keys/keys/make", page, **fields)
    key = secret_of(shown)
    assert key.startswith("ak_")
    listed = await operator.get(f"/keys?organization={found[1]}")
    assert "production" in listed.text
    assert key not in listed.text
    assert (await person.sign_in(key)).path == "/"


async def test_a_key_is_deleted_after_a_question_and_signs_its_person_out(operator: Person, acme: Customer) -> None:
    page = await operator.get(f"/keys?organization={acme.organization_id}")
    found = re.search(r'action="(/keys/keys/[^"]+/delete)"', page.text)
    assert found
    question = await operator.post(found[1], page, name="test")
    assert "Delete the key test?" in question.text
    assert (await acme.get("/campaigns")).status == 200
    done = await operator.post(found[1], question, sure="yes")
    assert done.notice.startswith("The key is deleted")
    assert (await acme.get("/campaigns")).status == 401


async def test_a_token_of_a_person_is_made_with_an_end(operator: Person, acme: Customer, other: Customer) -> None:
    page = await operator.get("/keys?kind=tokens")
    ids = f"{acme.organization_id}, {other.organization_id}"
    fields = {"organization": ids, "person": "ada@example.com", "name": "laptop", "scope": "campaigns:read"}
    shown = await operator.post("/keys/tokens/make", page, expires_at="2100-01-01T00:00", **fields)
    assert secret_of(shown).startswith("pat_")
    listed = await operator.get(f"/keys?kind=tokens&organization={other.organization_id}")
    assert "2100-01-01 00:00 UTC" in listed.text
    assert "ada@example.com" in listed.text


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"scope": "campaigns:read", "organization": "none"}, "There is no organization"),
        ({"scope": "campaigns:destroy"}, "#new-scope"),
        ({}, "Tick one at least."),
        ({"scope": "campaigns:read", "expires_at": "soon"}, "Choose the day and the time"),
        ({"scope": "campaigns:read", "expires_at": "1999-01-01T00:00"}, "Must lie in the future"),
    ],
)
async def test_a_key_that_cannot_be_is_refused_with_the_reason(
    operator: Person, acme: Customer, fields: dict[str, str], why: str
) -> None:
    usual = {"organization": acme.organization_id, "name": "k"}
    refused = await operator.post("/keys/keys/make", await operator.get("/keys"), **usual | fields)
    assert refused.notice == "Nothing is changed yet: look at 1 field."
    assert why in refused.text
    assert f'value="{(usual | fields)["organization"]}" id="new-organization"' in refused.text


async def test_a_key_of_an_organization_is_told_what_it_may_do_and_no_more(person: Person, api: Api) -> None:
    reader = await api.new_customer(["campaigns:read"])
    await person.sign_in(reader.key)
    page = await person.get("/keys")
    assert reader.organization_id in page.text
    assert re.findall(r'method="post" action="([^"]+)"', page.text) == ["/sign-out"]
    rows = dict(re.findall(r'<th scope="row">([a-z:_]+)</th><td>[^<]*</td><td>([^<]*)</td>', page.text))
    assert {scope for scope, said in rows.items() if said == "may"} == {"campaigns:read"}


async def test_without_a_scheduler_and_an_executor_the_system_page_says_what_to_start(operator: Person) -> None:
    for path in ("/system", "/system?every=0", "/system/now"):
        page = await operator.get(path)
        assert "Nobody reads org.events, so nobody is called: start a scheduler." in page.text
    assert 'hx-get="/system/now"' in (await operator.get("/system?every=15")).text
    assert "hx-get" not in (await operator.get("/system?every=0")).text


async def test_dead_letters_are_shown_with_their_reason_and_put_back(operator: Person, stack: Stack) -> None:
    here = "/system/dead-letters/org.facts"
    assert "No dead letter waits." in (await operator.get(here)).text
    headers = (
        ("dialstream-origin-partition", b"4"),
        ("dialstream-error-class", b"UnreadableFact"),
        ("dialstream-error-message", b"<script>alert(1)</script>"),
    )
    letter = Record(0, b"key", b"value", headers)
    await stack.producer.publish_to(stack.producer.prefix + ORG_FACTS.dead_letter, [letter])
    page = await operator.get(here)
    assert "UnreadableFact" in page.text
    assert "<script>alert" not in page.text
    assert "1 dead letter of org.facts" in (await operator.get("/system")).text.replace("&#39;", "'")
    for typed in ("", "0", "many", "1001"):
        assert "1 to 1,000" in (await operator.post(f"{here}/replay", page, limit=typed)).notice
    done = await operator.post(f"{here}/replay", page, limit="10")
    assert done.notice.startswith("1 dead letter put back")
    assert "No dead letter waits." in done.text


async def test_nothing_of_the_operator_is_done_by_a_form_of_elsewhere(operator: Person, acme: Customer) -> None:
    for path in ("/organizations/make", "/keys/keys/make", "/keys/keys/x/delete", "/system/dead-letters/jobs/replay"):
        assert (await operator.post(path, None, csrf="guessed", name="x", limit="1")).status == 403


async def test_a_live_page_whose_person_is_signed_out_leads_to_the_sign_in(person: Person) -> None:
    async with person.session.get(f"{person.url}/system/now", headers={"HX-Request": "true"}) as answer:
        assert (answer.status, answer.headers["HX-Redirect"]) == (200, "/sign-in")
