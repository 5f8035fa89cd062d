"""The first day at the console, by clicks, in a real browser; and its pages at 375 px, by keyboard, light and dark."""

import os
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload, Page, expect

from deploy.local.lineup import Counts
from deploy.local.servers import Addresses
from shared.clock import utc_now
from tests.chromium import DESK, PATIENCE_MS, PHONE, PICTURES, chromium_browser, chromium_or_skip
from tests.e2e.system import System, system_on
from tests.eventually import eventually


@pytest.fixture(scope="module", autouse=True)
def chromium(request: pytest.FixtureRequest) -> str:
    """The machine's Chromium."""
    return chromium_or_skip(request, "the console in a browser")


@pytest.fixture
async def system(chromium: str, servers: Addresses, tmp_path: Path) -> AsyncIterator[System]:
    """A whole Dialstream with a console."""
    async with system_on(servers, tmp_path, Counts(consoles=1)) as whole:
        await whole.start()
        yield whole


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Debian's own Chromium, without a window."""
    async with chromium_browser(chromium) as started:
        yield started


async def test_the_first_day_by_clicks(system: System, browser: Browser, tmp_path: Path) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    api = (await system.new_customer()).api
    pictures = Path(os.environ.get(PICTURES, tmp_path))
    console = system.lineup.consoles[0].url
    page = await browser.new_page(viewport=DESK)
    page.set_default_timeout(PATIENCE_MS)
    faults = listening_for_faults(page, console)

    await page.goto(console)
    await page.get_by_label("API key").fill(api.key)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("There is no campaign yet.")).to_be_visible()

    await page.get_by_role("link", name="Make a configuration").click()
    await page.get_by_label("Name").fill("Any hour")
    await page.get_by_label("Zone").fill("Mars/Olympus")
    for day in ("Sat", "Sun"):
        await page.get_by_label(day).check()
    await page.get_by_label("From").fill("00:00")
    await page.get_by_label("To", exact=True).fill("00:00")
    await page.get_by_label("Agent").fill("demo-agent")
    await page.get_by_label("Caller number").fill("+1 415 555 0100")
    await page.get_by_role("button", name="Make the configuration").click()
    # Refused by the API: what was typed stays, and the browser is at the field that is to be mended.
    await expect(page.get_by_label("Zone")).to_be_focused()
    await expect(page.get_by_label("Name")).to_have_value("Any hour")
    assert ["422" in fault for fault in faults] == [True]
    faults.clear()
    await page.get_by_label("Zone").fill("Europe/London")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The configuration is made.")).to_be_visible()
    configuration = page.url.rpartition("/")[2]
    await page.get_by_text("Change closed days").click()
    await page.get_by_label("First day").fill("2099-12-24")
    await page.get_by_label("Why").fill("Christmas")
    await page.get_by_role("button", name="Close these days").click()
    await expect(page.get_by_role("rowheader", name="2099-12-24")).to_be_visible()

    await page.get_by_role("link", name="Campaigns").click()
    await page.get_by_role("link", name="New campaign").click()
    await page.get_by_label("Name").fill("Spring outreach")
    await page.get_by_role("button", name="Make the campaign").click()
    await expect(page.get_by_text("The campaign is made.")).to_be_visible()
    await page.get_by_role("link", name="add one by hand").click()
    await page.get_by_label("Phone numbers").fill("+14155550399")
    await page.get_by_label("External id").fill("by-hand")
    await page.get_by_role("button", name="Add the contact").click()
    await expect(page.get_by_text("The contact is added.")).to_be_visible()
    await page.get_by_role("link", name="Spring outreach").click()
    await expect(page.get_by_text("has not been started").first).to_be_visible()
    await expect(page.locator("#why").get_by_text("Start the campaign")).to_be_visible()
    await page.get_by_role("link", name="Imports").nth(1).click()
    await expect(page.get_by_label("Campaign")).to_have_value(re.compile("."))
    rows = [f"+1415555{number:04d},lead-{number},Ann" for number in range(200)]
    content = "\r\n".join(("Handset,Lead,Name", *rows, "none,lead-none,Bob", "")).encode()
    file: FilePayload = {"name": "leads.csv", "mimeType": "text/csv", "buffer": content}
    await page.get_by_label("CSV file").set_input_files(file)
    await page.get_by_role("button", name="Look at its columns").click()
    await page.get_by_label("What Handset holds").select_option("phone number")
    await page.get_by_label("What Lead holds").select_option("external id")
    await page.screenshot(path=pictures / "import.png", full_page=True)
    await page.get_by_role("button", name="Import").click()
    # Live: the page is not loaded again.
    await expect(page.get_by_text("All rows are done.")).to_be_visible()
    await expect(page.get_by_role("link", name="Download all as CSV")).to_be_visible()
    await page.get_by_role("link", name="Spring outreach").click()
    await page.get_by_role("link", name="Configuration", exact=True).click()
    await page.get_by_label("Number", exact=True).fill("+44 20 7183 8750")
    await page.get_by_role("button", name="Ask").click()
    await expect(page.get_by_text("may be called now")).to_be_visible()
    await page.screenshot(path=pictures / "configuration.png", full_page=True)
    await page.goto(console)
    await page.get_by_role("link", name="Spring outreach").click()
    await page.get_by_role("link", name="Dry run").click()
    await expect(page.get_by_role("heading", name="Would be called, in this order")).to_be_visible()
    await page.go_back()
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_text("The campaign runs.")).to_be_visible()
    # Live: the page itself is not loaded again.
    await expect(page.locator("#live .tiles progress")).not_to_have_attribute("value", "0")
    await expect(page.locator("#chart canvas")).to_be_visible()
    await page.screenshot(path=pictures / "campaign.png", full_page=True)

    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("The campaign is paused. Calls that are up")).to_be_visible()
    await page.get_by_role("link", name="Contacts", exact=True).click()
    await page.get_by_label("Id or external id").fill("lead-199")
    await page.get_by_role("button", name="Show").click()
    await page.get_by_role("button", name="Never again").click()
    await page.get_by_role("button", name="Yes, never again").click()
    await expect(page.get_by_text("on the do-not-call list").first).to_be_visible()
    await page.get_by_role("link", name="Do not call").click()
    await expect(page.get_by_role("rowheader", name="+14155550199")).to_be_visible()
    await page.get_by_label("Numbers in E.164").fill("+14155559999")
    await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("rowheader", name="+14155559999")).to_be_visible()
    await page.get_by_role("link", name="Calls", exact=True).click()
    await page.get_by_role("row").nth(1).get_by_role("link").click()
    await expect(page.get_by_text("Call 1:")).to_be_visible()

    await page.get_by_role("link", name="Contacts", exact=True).click()
    await page.get_by_label("Id or external id").fill("lead-198")
    await page.get_by_role("button", name="Show").click()
    await page.get_by_label("Call at (UTC)").fill(f"{utc_now() + timedelta(hours=1):%Y-%m-%dT%H:%M}")
    await page.get_by_role("button", name="Set the time").click()
    await expect(page.get_by_text("To be called at")).to_be_visible()
    await page.get_by_role("link", name="Callbacks").click()
    row = page.get_by_role("row", name="lead-198")

    async def listed() -> bool:
        """Once the scheduler has carried out what was asked."""
        await page.reload()
        return await row.is_visible()

    await eventually(listed, timeout=PATIENCE_MS / 1000, every=0.2, saying="the callback")
    await row.get_by_role("button", name="Settled").click()
    await expect(page.get_by_text("Noted as settled.")).to_be_visible()
    await page.get_by_role("link", name="Campaigns").click()
    await page.screenshot(path=pictures / "campaigns.png", full_page=True)

    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size(PHONE)
    made = ("/configurations/new", f"/configurations/{configuration}", "/calling-hours", "/limits", "/new-campaign")
    settings = ("/imports", "/caller-numbers", "/configurations", *made)
    for path in ("/", "/calls", "/callbacks", "/do-not-call", *settings):
        await page.goto(console + path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    await page.goto(console)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="To the content")).to_be_focused()
    await page.get_by_role("link", name="Spring outreach").click()
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.screenshot(path=pictures / "phone.png")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("API key")).to_be_visible()
    assert faults == []


def listening_for_faults(page: Page, console: str) -> list[str]:
    """What goes wrong in that page from now on: errors of scripts and policy, and requests to anywhere else."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda sent: None if sent.url.startswith((console, "data:")) else faults.append(sent.url))
    return faults
