"""What stands in the forms of the console's pages, and what a refused one says."""

import html
import re
from typing import Any

from tests.integration.campaign_api.console_browser import Page

HOSTILE = "<script>alert(1)</script>\"'>"
NEW_CONFIGURATION: dict[str, Any] = {
    "name": "Office",
    "default_timezone": "Europe/Paris",
    "clock": "zone",
    "days": ["mon", "fri"],
    "start": "09:00",
    "end": "00:00",
    "max_attempts": "5",
    "max_attempts_per_day": "2",
    "holiday_calendars": "FR, DE-BY",
    "agent_id": "outreach",
    "agent_number": "+1 415 5550100",
    "default_country_code": "+33",
    "ring_seconds": "20",
    "max_call_seconds": "600",
}


def faults(page: Page) -> dict[str, str]:
    """What a refused form says, by the id of the field that its sentence leads to."""
    found = re.findall(r'<li><a href="#([\w-]+)">[^<]+</a>: ([^<]+)</li>', page.text)
    marked = re.findall(r'id="([\w-]+)" aria-invalid="true" aria-describedby="\1-said"', page.text)
    assert sorted(marked) == sorted(name for name, _ in found)
    # The browser goes to the first one, and to no other.
    assert page.text.count(" autofocus") == min(1, len(found))
    return {name: html.unescape(said) for name, said in found}


def value_of(page: Page, field: str, form: str = "new") -> str:
    """What a field of one of the page's forms holds."""
    found = re.search(rf'value="([^"]*)" id="{form}-{field.replace("_", "-")}"', page.text)
    assert found, field
    return html.unescape(found[1])


def ticked(page: Page) -> list[str]:
    """The days that are ticked."""
    return re.findall(r'name="days" value="(\w+)" checked', page.text)


def was_of(page: Page, form: str) -> str:
    """What the fields of a form held when its page was made."""
    found = re.search(
        rf'action="[^"]*/{form}">\s*<input[^>]*>\s*<input type="hidden" name="was" value="([^"]*)"', page.text
    )
    assert found, form
    return html.unescape(found[1])
