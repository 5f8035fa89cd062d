"""Every page of the console in the machine's Chromium: light on a desk, dark on a phone; axe-core finds no grave fault.

Pages are found by following links from the first one, so that a new page is looked at once another leads to it.
"""

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Page

from shared.bus.producer import Record
from shared.clock import utc_now
from shared.topics import DIAL_JOBS
from tests.chromium import DESK, PATIENCE_MS, PHONE, PICTURES, chromium_browser, chromium_or_skip
from tests.integration.campaign_api.client import ADMIN_TOKEN, Customer, lead
from tests.integration.campaign_api.conftest import Stack

AXE: Final = (Path(__file__).parents[2] / "vendor" / "axe.min.js").read_text(encoding="utf-8")
GRAVE: Final = ("serious", "critical")
# What stands in an address for one thing out of many.
ONE_OF_MANY: Final = re.compile(r"(?<=/)([0-9a-f]{8}-[0-9a-f-]{27}|lead-\d+|[a-z]+\.[a-z]+|wh_\w+)(?=/|$)")
CUSTOMERS: Final = {
    "/",
    "/calls",
    "/callbacks",
    "/do-not-call",
    "/webhooks",
    "/webhooks/*",
    "/keys",
    "/imports",
    "/caller-numbers",
    "/configurations",
    "/configurations/new",
    "/configurations/*",
    "/calling-hours",
    "/new-campaign",
    "/limits",
    "/campaigns/*",
    "/campaigns/*/contacts",
    "/campaigns/*/contacts/*",
    "/campaigns/*/dry-run",
    "/campaigns/*/settings",
    "/campaigns/*/add-contact",
}
OPERATORS: Final = {"/system", "/system/dead-letters/*", "/organizations", "/keys"}


@pytest.fixture(autouse=True)
def chromium(request: pytest.FixtureRequest) -> str:
    """The machine's Chromium."""
    return chromium_or_skip(request, "pages of the console by axe-core")


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Debian's own Chromium, without a window."""
    async with chromium_browser(chromium) as started:
        yield started


@dataclass(slots=True)
class Look:
    """One browser's look at all pages: the kinds of pages that were seen, and the faults that axe-core found there."""

    page: Page
    console: str
    name: str
    seen: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    async def sign_in(self, key: str) -> None:
        """Sign in, and look at the page that asks for it."""
        await self.page.goto(self.console)
        await self.examine("/sign-in")
        await self.page.get_by_label("API key").fill(key)
        await self.page.keyboard.press("Enter")
        await self.page.get_by_role("button", name="Sign out").wait_for()

    async def follow_links(self) -> None:
        """Look at one page of each kind that can be reached from the first one."""
        waiting = [self.page.url.removeprefix(self.console)]
        while waiting:
            path = waiting.pop(0)
            if kind_of(path) in self.seen:
                continue
            answer = await self.page.goto(self.console + path)
            assert answer is not None
            assert answer.status == 200, path
            # Elsewhere, where the page leads on.
            kind = kind_of(self.page.url.removeprefix(self.console))
            self.seen |= {kind_of(path): path, kind: path}
            await self.examine(kind)
            waiting += await self.page.eval_on_selector_all(
                "a[href^='/']:not([download])", "links => links.map(link => link.getAttribute('href'))"
            )

    async def press(self, path: str, button: str, kind: str, **fields: str) -> None:
        """Look at the page to which a button of another one leads."""
        await self.page.goto(self.console + path)
        for label, text in fields.items():
            await self.page.locator(f"[name={label}]").last.fill(text)
        await self.page.get_by_role("button", name=button, exact=True).first.click()
        await self.page.get_by_role("main").wait_for()
        await self.examine(kind)

    async def examine(self, kind: str) -> None:
        """Have axe-core look at the page that is open; note grave faults, and a page that is wider than the screen.

        What can be unfolded is unfolded before.
        """
        await self.page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
        await self.page.evaluate(AXE)
        found: dict[str, Any] = await self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for violation in found["violations"]:
            if violation["impact"] in GRAVE:
                where = "; ".join(str(node["target"]) for node in violation["nodes"][:3])
                self.faults.append(f"{self.name} {kind}: {violation['id']} ({violation['impact']}) at {where}")
        width = await self.page.evaluate("document.documentElement.scrollWidth")
        if width > await self.page.evaluate("innerWidth"):
            self.faults.append(f"{self.name} {kind}: {width} px wide")
        if PICTURES in os.environ:
            name = re.sub(r"\W+", "-", kind.replace("*", "one")).strip("-") or "campaigns"
            path = Path(os.environ[PICTURES]) / f"{name}-{self.name}.png"
            await self.page.screenshot(path=path, full_page=True)


def kind_of(path: str) -> str:
    """The address of a page without what it is about: `/campaigns/*`."""
    return ONE_OF_MANY.sub("*", path.partition("?")[0])


async def looks(browser: Browser, console: str) -> AsyncIterator[Look]:
    """Browsers that are not signed in."""
    for name, viewport, scheme in (("light", DESK, "light"), ("dark-phone", PHONE, "dark")):
        page = await browser.new_page(viewport=viewport, color_scheme="dark" if scheme == "dark" else "light")
        page.set_default_timeout(PATIENCE_MS)
        yield Look(page, console, name)
        await page.close()


async def test_pages_of_a_customer_have_no_grave_fault(
    browser: Browser, console: str, acme: Customer, stack: Stack
) -> None:
    contacts = [lead(number, timezone="America/Chicago", data={"Name": "Ada"}) for number in range(3)]
    campaign = await acme.new_campaign(name="Spring outreach", objective="Renewals", contacts=contacts)
    at = (utc_now() + timedelta(days=3)).isoformat().replace("+00:00", "Z")
    asked = await acme.post(f"/campaigns/{campaign['id']}/contacts/lead-1/callback", {"at": at, "notes": "the lease"})
    assert asked.status == 200, asked.raw
    await acme.post("/do-not-call", {"phone_numbers": ["+14155559999"], "reason": "asked"})
    closed = {"first_day": "2026-12-24", "last_day": "2026-12-26", "yearly": True, "name": "Christmas"}
    await acme.patch("/calling-hours-settings", {"closures": [closed], "holiday_calendars": ["US"]})
    night = {"days": ["sat", "sun"], "start": "22:00", "end": "02:00"}
    zones = {"timezones": ["America/Los_Angeles", "America/Denver"], "windows": [night]}
    configuration = f"/configurations/{campaign['configuration_id']}"
    assert (await acme.patch(configuration, {"closures": [closed], "overrides": [zones]})).status == 200
    webhook = (await acme.post("/webhooks", {"url": "https://203.0.114.5/hooks", "description": "CRM"})).body["id"]
    for _ in range(2):
        await acme.post(f"/webhooks/{webhook}/test")
    failed = {"state": "dead", "tries": 8, "last_at": utc_now(), "last_status": 500, "last_error": "status"}
    await stack.store["deliveries"].update_one({"webhook_id": webhook}, {"$set": {**failed, "last_text": "Sorry"}})
    faults: list[str] = []
    async for look in looks(browser, console):
        await look.sign_in(acme.key)
        await look.follow_links()
        assert look.seen.keys() >= CUSTOMERS
        here = f"/campaigns/{campaign['id']}"
        await look.press(here, "Cancel …", f"{kind_of(here)}/cancel")
        await look.press(f"{here}/contacts/lead-2", "Never again …", "/campaigns/*/contacts/*/never")
        await look.press(f"/webhooks/{webhook}", "Delete …", "/webhooks/*/delete")
        await look.press(f"/webhooks/{webhook}", "Make a new secret", "/webhooks/*/secret")
        bad = {"default_timezone": "Mars", "holiday_calendars": "Narnia", "name": "Office"}
        await look.press("/configurations/new", "Make the configuration", "/configurations/new refused", **bad)
        bad = {"phone_numbers": "nobody", "data": "Ada"}
        await look.press(f"{here}/add-contact", "Add the contact", "/campaigns/*/add-contact refused", **bad)
        await look.press(f"{here}/settings", "Delete the campaign …", "/campaigns/*/delete")
        await look.press("/do-not-call", "Take off", "/do-not-call refused", number="+1")
        await look.page.goto(f"{console}/no-such-page")
        await look.examine("/problem")
        faults += look.faults
    assert faults == []


async def test_a_fault_that_is_there_is_found(browser: Browser) -> None:
    page = await browser.new_page(viewport=PHONE)
    look = Look(page, "", "here")
    await page.set_content('<html lang="en"><title>x</title><main><img src="x"><p style="width: 500px">x</p></main>')
    await look.examine("/")
    without_name, too_wide = look.faults
    assert "image-alt (critical)" in without_name
    assert "px wide" in too_wide


async def test_pages_of_the_operator_have_no_grave_fault(
    browser: Browser, console: str, acme: Customer, stack: Stack
) -> None:
    headers = (("dialstream-error-class", b"UnreadableJob"), ("dialstream-error-message", b"job_id: missing"))
    letters = stack.producer.prefix + DIAL_JOBS.dead_letter
    await stack.producer.publish_to(letters, [Record(0, None, b"x", headers)])
    wish = {"person": "ada@example.com", "organization_ids": [acme.organization_id], "name": "laptop"}
    await acme.api.admin("POST", "/personal-tokens", wish)
    faults: list[str] = []
    async for look in looks(browser, console):
        await look.sign_in(ADMIN_TOKEN)
        await look.follow_links()
        assert look.seen.keys() >= OPERATORS
        for kind in ("keys", "tokens"):
            await look.page.goto(f"{console}/keys?kind={kind}")
            await look.examine(f"/keys of {kind}")
            await look.press(f"/keys?kind={kind}", "Delete …", f"/keys/{kind}/delete")
        fields = {"organization": acme.organization_id, "name": "production"}
        await look.press("/keys", "Make", "/keys/keys/made", **fields)
        await look.page.goto(f"{console}/system/dead-letters/{DIAL_JOBS.name}")
        await look.examine("/system/dead-letters/some")
        faults += look.faults
    assert faults == []
