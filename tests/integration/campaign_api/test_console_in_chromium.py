"""The console in the machine's Chromium, where something is amiss: what a person sees of it, and how wide it gets."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from services.console import desk
from services.console.api import Api as ConsoleApi
from services.console.api import Credential
from tests.chromium import DESK, PATIENCE_MS, PHONE, chromium_browser, chromium_or_skip
from tests.integration.campaign_api.client import Api, Customer, lead

# One word, as long as a name may be.
LONG = "W" * 255
HOSTILE = "<img src=x onerror=alert(1)>"
LOST = re.compile(r"○ not connected: as of \d\d:\d\d:\d\d UTC, trying again")


@pytest.fixture(autouse=True)
def chromium(request: pytest.FixtureRequest) -> str:
    """The machine's Chromium."""
    return chromium_or_skip(request, "the console in a browser, where something is amiss")


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Debian's own Chromium, without a window."""
    expect.set_options(timeout=PATIENCE_MS)
    async with chromium_browser(chromium) as started:
        yield started


async def page_of(browser: Browser, console: str, customer: Customer, **options: object) -> Page:
    """A page of somebody who has signed in."""
    context = await browser.new_context(**{"viewport": DESK, **options})  # type: ignore[arg-type]
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(console)
    await page.get_by_label("API key").fill(customer.key)
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Sign out").wait_for()
    return page


async def test_a_live_page_says_when_it_is_not_and_becomes_live_again(
    browser: Browser, console: str, acme: Customer
) -> None:
    campaign = await acme.new_campaign(state="draft", contacts=[lead(1)])
    here = f"{console}/campaigns/{campaign['id']}"
    page = await page_of(browser, console, acme)

    is_away = True

    async def gate(route: Route) -> None:
        if is_away:
            await route.fulfill(status=503, body="<h1>away</h1>", content_type="text/html")
        else:
            await route.continue_()

    # Not even its first connection comes about: the page stays, and says so.
    await page.route("**/live?*", gate)
    await page.goto(here)
    state = page.locator("#switch")
    await expect(state).to_have_text(LOST)
    await expect(page.get_by_role("heading", name="away")).to_have_count(0)
    await expect(page.get_by_text("has not been started").first).to_be_visible()
    is_away = False
    await expect(state).to_have_text("● live")
    # The keyboard's focus, and how far a table was scrolled, outlast what comes.
    await page.evaluate("document.querySelector('#live .wide').focus()")
    for another in (2, 3):
        async with page.expect_event("console", lambda said: said.text == "heard"):
            await page.evaluate(
                "document.getElementById('live').addEventListener('htmx:sse:after:message',"
                " () => console.log('heard'), {once: true})"
            )
            await acme.post(f"/campaigns/{campaign['id']}/contacts", {"contacts": [lead(another)]})
    assert await page.evaluate("document.activeElement.classList.contains('wide')")
    # Somebody else starts it: what can be done with it changes, too.
    await expect(page.get_by_role("button", name="Start")).to_be_visible()
    await acme.post(f"/campaigns/{campaign['id']}/start")
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    await expect(page.get_by_role("button", name="Start")).to_have_count(0)
    await page.context.close()


async def test_a_page_is_live_whichever_of_its_scripts_comes_last(
    browser: Browser, console: str, acme: Customer
) -> None:
    campaign = await acme.new_campaign(state="draft", contacts=[lead(1)])

    async def late(route: Route) -> None:
        # The slow link itself, which nothing can be waited for in its place.
        await asyncio.sleep(1)
        await route.continue_()

    for script in ("htmx", "hx-sse", "console"):
        page = await page_of(browser, console, acme)
        await page.route(f"**/static/{script}.js?*", late)
        await page.goto(f"{console}/campaigns/{campaign['id']}")
        await expect(page.locator("#switch")).to_have_text("● live")
        await page.context.close()


async def test_a_live_page_on_whose_connection_nothing_comes_any_more_connects_again(
    browser: Browser, console: str, acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a router has forgotten the connection: it never ends."""
    campaign = await acme.new_campaign(state="draft", contacts=[lead(1)])
    mended = asyncio.Event()
    numbers = ConsoleApi.numbers

    async def stuck(api: ConsoleApi, credential: Credential, campaign: str, *, silence: float) -> AsyncIterator[Any]:
        async for told in numbers(api, credential, campaign, silence=silence):
            yield told
            if not mended.is_set():
                await asyncio.Event().wait()

    monkeypatch.setattr(ConsoleApi, "numbers", stuck)
    page = await page_of(browser, console, acme)
    await page.goto(f"{console}/campaigns/{campaign['id']}")
    state = page.locator("#switch")
    await expect(state).to_have_text("● live")
    await expect(state).to_have_text(LOST)
    mended.set()
    await expect(state).to_have_text("● live")
    await page.context.close()


async def test_a_list_that_looks_again_says_that_it_is_not_answered_and_goes_on(
    browser: Browser, console: str, acme: Customer
) -> None:
    await acme.new_campaign(name="Autumn")
    page = await page_of(browser, console, acme)
    answered = asyncio.Event()

    async def never(route: Route) -> None:
        if "hx-request" in route.request.headers:
            await answered.wait()
        await route.continue_()

    await page.route("**/*every=5*", never)
    await page.goto(f"{console}/?every=5")
    await expect(page.get_by_text("Autumn").first).to_be_visible()
    away = page.locator("#away")
    await expect(away).to_be_hidden()
    await expect(away).to_be_visible()
    answered.set()
    await expect(away).to_be_hidden()
    await page.context.close()


async def test_a_live_page_ends_where_its_person_is_signed_out_or_its_campaign_deleted(
    browser: Browser, console: str, acme: Customer
) -> None:
    campaign = await acme.new_campaign(state="draft", contacts=[lead(1)])
    here = f"{console}/campaigns/{campaign['id']}"
    page = await page_of(browser, console, acme)
    await page.goto(here)
    await expect(page.locator("#switch")).to_have_text("● live")
    elsewhere = await page.context.new_page()
    await elsewhere.goto(console)
    await elsewhere.get_by_role("button", name="Sign out").click()
    await expect(elsewhere.get_by_label("API key")).to_be_visible()
    # Back leads to nothing that was seen before.
    await elsewhere.go_back()
    await expect(elsewhere.get_by_label("API key")).to_be_visible()
    await page.reload()
    await page.get_by_label("API key").fill(acme.key)
    await page.keyboard.press("Enter")
    await expect(page.locator("#switch")).to_have_text("● live")
    assert page.url == here
    assert (await acme.delete(f"/campaigns/{campaign['id']}")).status == 200
    await expect(page.get_by_role("heading", name="That is not possible")).to_be_visible()
    await page.context.close()


async def test_a_live_page_of_a_key_that_is_deleted_asks_for_another(
    browser: Browser, console: str, api: Api, acme: Customer
) -> None:
    made = await api.admin("POST", "/organization-pats", {"organization_id": acme.organization_id, "name": "x"})
    campaign = await acme.new_campaign(contacts=[lead(1)])
    page = await page_of(browser, console, Customer(api, acme.organization_id, made.body["key"]))
    await page.goto(f"{console}/campaigns/{campaign['id']}?every=5")
    await expect(page.locator("#switch")).to_have_text("● live")
    await api.admin("DELETE", f"/organization-pats/{made.body['id']}")
    await expect(page.get_by_label("API key")).to_be_visible()
    await expect(page.locator("[name=to]")).to_have_value(f"/campaigns/{campaign['id']}?every=5")
    await page.context.close()


async def test_after_a_campaign_is_cancelled_the_way_back_asks_nothing_again(
    browser: Browser, console: str, acme: Customer
) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1)])
    page = await page_of(browser, console, acme)
    await page.goto(f"{console}/campaigns/{campaign['id']}")
    await page.get_by_role("button", name="Cancel …").press("Enter")
    await page.get_by_role("button", name="Yes, cancel it").press("Enter")
    await expect(page.get_by_text("The campaign is cancelled.")).to_be_visible()
    await expect(page.get_by_role("button", name="Cancel …")).to_have_count(0)
    await page.go_back()
    assert page.url.endswith(f"/campaigns/{campaign['id']}")
    await expect(page.get_by_text("cancelled", exact=True).first).to_be_visible()
    await expect(page.get_by_role("button", name="Cancel …")).to_have_count(0)
    await page.context.close()


async def test_a_tick_stays_with_its_campaign_while_the_list_is_looked_at_again(
    browser: Browser, console: str, acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "REFRESHES", (1, 0))
    await acme.new_campaign(name="First", state="draft")
    page = await page_of(browser, console, acme)
    await page.goto(f"{console}/?every=1")
    await page.get_by_label("Choose First").check()
    await acme.new_campaign(name="Second", state="draft")
    await expect(page.get_by_label("Choose Second")).to_be_visible()
    await expect(page.get_by_label("Choose First")).to_be_checked()
    await expect(page.get_by_label("Choose Second")).not_to_be_checked()
    is_away = True

    async def gate(route: Route) -> None:
        await (route.abort() if is_away else route.continue_())

    await page.route("**/?every=1", gate)
    await expect(page.get_by_role("alert")).to_contain_text("what is shown may be old")
    is_away = False
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("heading", name="Start 1 campaign?")).to_be_visible()
    await page.context.close()


async def test_no_name_of_others_is_wider_than_a_phone_or_run(browser: Browser, console: str, acme: Customer) -> None:
    configuration = await acme.new_configuration(agent_id="a", agent_number="+14155550100")
    await acme.patch(f"/configurations/{configuration}", {"name": LONG})
    contacts = [{**lead(1), "external_id": LONG, "data": {LONG: LONG + HOSTILE}}]
    campaign = await acme.new_campaign(
        name=LONG[:200] + HOSTILE, objective=LONG, configuration_id=configuration, contacts=contacts
    )
    here = f"/campaigns/{campaign['id']}"
    contact = (await acme.get(f"{here}/contacts")).body["contacts"][0]["id"]
    at = {"at": "2027-01-15T16:00:00Z", "notes": LONG}
    assert (await acme.post(f"{here}/contacts/{contact}/callback", at)).status == 200
    await acme.post("/do-not-call", {"phone_numbers": ["+14155550009"], "reason": LONG})
    number = {"number": "+14155550199", "label": LONG[:100], "pools": [LONG[:50]]}
    assert (await acme.post("/caller-numbers", number)).status == 200
    url = f"https://203.0.114.5/{LONG}"
    webhook = (await acme.post("/webhooks", {"url": url, "description": LONG})).body["id"]
    page = await page_of(browser, console, acme, viewport=PHONE, color_scheme="dark")
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    wide = {}
    for path in (
        "/",
        f"/?name={LONG}",
        here,
        f"{here}/contacts",
        f"{here}/contacts/{contact}",
        f"{here}/dry-run",
        f"/calls?campaign={campaign['id']}&search={LONG}",
        "/callbacks",
        "/do-not-call",
        "/imports",
        f"/imports?campaign={campaign['id']}",
        "/caller-numbers",
        f"/caller-numbers?pool={LONG[:50]}",
        f"/configurations/{configuration}",
        "/configurations",
        "/webhooks",
        f"/webhooks/{webhook}",
        "/keys",
    ):
        answer = await page.goto(console + path)
        assert answer is not None
        assert answer.status == 200, path
        # A table is scrolled, but none of its cells is wider than the screen.
        cells = "[...document.querySelectorAll('th, td')].map(cell => cell.scrollWidth)"
        width = await page.evaluate(f"Math.max(document.documentElement.scrollWidth, ...{cells})")
        if width > PHONE["width"]:
            wide[path] = width
    await page.goto(console + here)
    await page.get_by_role("button", name="Cancel …").click()
    await expect(page.get_by_role("button", name="Yes, cancel it")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert (wide, dialogs) == ({}, [])
    await page.context.close()
