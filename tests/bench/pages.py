"""`console`: how long the console's pages take for a large campaign, and for a small one."""

import re
from typing import Final

import aiohttp
from rich.console import Console

from deploy.local.home import free_port
from deploy.local.servers import Addresses
from shared.clock import monotonic
from shared.store.client import Document
from tests.bench.figures import Figures, milliseconds, percentile
from tests.bench.stage import BenchFailed, Stage, new_stage, running_members, until_ready
from tests.bench.stats import SMALL, large_and_small

ROUNDS: Final = 30
START_SECONDS: Final = 30.0
# No page may take longer at a million contacts (but for lists that have a bound of their own).
GOAL_SECONDS: Final = 0.4
# The place is filled with the campaign's id.
PAGES: Final = {
    "campaigns": "/",
    "campaign": "/campaigns/{campaign}",
    "contacts": "/campaigns/{campaign}/contacts",
    "contacts of one status": "/campaigns/{campaign}/contacts?status=completed",
    "dry run": "/campaigns/{campaign}/dry-run",
    "calls": "/calls",
    "callbacks": "/callbacks",
    "do not call": "/do-not-call",
    "imports": "/imports",
    "caller numbers": "/caller-numbers",
    "configurations": "/configurations",
    "webhooks": "/webhooks",
    "key": "/keys",
}


async def measure_pages(addresses: Addresses, console: Console, *, large: int) -> Figures:
    """The same pages of two organizations, one with a large campaign and one with a small one, in turn."""
    async with new_stage(addresses) as stage:
        campaigns, keys = await large_and_small(stage.store, large)
        console.print(f"  console: {large:,} contacts are in", style="dim")
        return await _open(stage, campaigns, keys, large)


async def _open(stage: Stage, campaigns: dict[int, Document], keys: dict[int, str], large: int) -> Figures:
    api, port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    figures = Figures(
        f"console: pages of a campaign of {large:,} contacts and of one of {SMALL}; at most {GOAL_SECONDS * 1000:g} ms",
        ("", f"{large:,}: p50 / p99 ms", f"{SMALL}: p50 / p99 ms"),
    )
    settings = {"http_port": port, "console_api_url": f"http://127.0.0.1:{api}"}
    async with running_members(
        stage, ("api", "services.campaign_api", {"http_port": api}), ("console", "services.console", settings)
    ) as members:
        persons = {size: aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) for size in campaigns}
        try:
            await until_ready(persons[SMALL], f"{url}/health/ready", members, START_SECONDS)
            for size, person in persons.items():
                await _sign_in(person, url, keys[size])
            for name, page in PAGES.items():
                taken: dict[int, list[float]] = {size: [] for size in campaigns}
                for _ in range(ROUNDS):
                    for size, campaign in campaigns.items():
                        began = monotonic()
                        await _page(persons[size], url + page.format(campaign=campaign["_id"]))
                        taken[size].append(monotonic() - began)
                _add(figures, name, taken, large)
        finally:
            for person in persons.values():
                await person.close()
    return figures


async def _sign_in(person: aiohttp.ClientSession, url: str, key: str) -> None:
    form = await _page(person, f"{url}/sign-in")
    [token] = set(re.findall(r'name="csrf" value="([^"]+)"', form))
    async with person.post(f"{url}/sign-in", data={"csrf": token, "key": key, "to": "/"}) as answer:
        if answer.url.path != "/":
            raise BenchFailed(f"nobody is signed in: {answer.status}")


async def _page(person: aiohttp.ClientSession, url: str) -> str:
    async with person.get(url) as answer:
        text = await answer.text()
        if answer.status != 200:
            raise BenchFailed(f"{url}: {answer.status} {text[:500]}")
        return text


def _add(figures: Figures, name: str, taken: dict[int, list[float]], large: int) -> None:
    shown = {size: [percentile(seconds, share) for share in (0.5, 0.99)] for size, seconds in taken.items()}
    figures.rows.append((name, *(" / ".join(map(milliseconds, shown[size])) for size in (large, SMALL))))
    figures.values[name] = {"large_p50_seconds": shown[large][0], "small_p50_seconds": shown[SMALL][0]}
