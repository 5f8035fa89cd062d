"""The demo against a system that runs, in containers for example: `docker compose run --rm demo`.

Reads DIALSTREAM_URL (campaign-api), DIALSTREAM_ADMIN_TOKEN, and DIALSTREAM_TWILIO_BASE_URL, which must be a simulated
carrier: its phones become quick and it gets things wrong now and then, for as long as the demo dials.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from typing import Annotated, Final

import aiohttp
import typer
from rich.console import Console

from deploy.demo.client import Api, Refused
from deploy.demo.customer import demo_customer
from deploy.demo.dial import new_campaign
from deploy.demo.settings import carrier_ways
from deploy.demo.show import dial_list
from deploy.waiting import until
from shared.clock import utc_now
from shared.errors import ConfigurationError, DialstreamError, Unavailable

NEEDED: Final = ("DIALSTREAM_URL", "DIALSTREAM_ADMIN_TOKEN", "DIALSTREAM_TWILIO_BASE_URL")
READY_SECONDS: Final = 120.0
WIDTH: Final = 160


@contextlib.asynccontextmanager
async def quick_phones(session: aiohttp.ClientSession, carrier_url: str) -> AsyncIterator[None]:
    """The simulated carrier with the demo's ways; afterwards it has those of before.

    Raises ConfigurationError when the carrier is not a simulated one: no real phone may ring because of a demo.
    """
    page = f"{carrier_url.rstrip('/')}/simulator/settings"
    async with session.get(page) as answer:
        if answer.status != 200:
            raise ConfigurationError(f"{carrier_url} is no simulated carrier, and the demo dials nobody else's phones")
        before = await answer.json()
    ways = carrier_ways()
    await _put(session, page, ways)
    try:
        yield
    finally:
        await _put(session, page, {name: before[name] for name in ways})


async def _put(session: aiohttp.ClientSession, page: str, ways: dict[str, float]) -> None:
    async with session.put(page, json=ways) as answer:
        answer.raise_for_status()


async def _until_ready(session: aiohttp.ClientSession, url: str) -> None:
    async def ready() -> bool:
        try:
            async with session.get(f"{url.rstrip('/')}/health/ready") as answer:
                # A carrier that knows no such page is up, too, and no simulated one: said later.
                return answer.status in {200, 404}
        except aiohttp.ClientError:
            return False

    try:
        await until(ready, READY_SECONDS)
    except TimeoutError:
        raise Unavailable(url, "start the system first") from None


async def demo(contacts: int | None, console: Console) -> None:
    """Dials the demo list, or its first `contacts` rows, in the system that the environment names.

    Raises ConfigurationError for an environment that cannot work, and what `dial_list` raises.
    """
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        raise ConfigurationError(f"{', '.join(missing)} must be set")
    url, admin_token, carrier_url = (os.environ[name] for name in NEEDED)
    async with aiohttp.ClientSession() as session:
        await _until_ready(session, url)
        await _until_ready(session, carrier_url)
        await _demo(session, url, admin_token, carrier_url, contacts, console)


async def _demo(
    session: aiohttp.ClientSession, url: str, admin_token: str, carrier_url: str, contacts: int | None, console: Console
) -> None:
    async with quick_phones(session, carrier_url):
        who = await demo_customer(session, url, admin_token)
        api = Api(session, url, who.key)
        campaign_id = await new_campaign(api, utc_now())
        await dial_list(api, carrier_url, campaign_id, who.organization_id, contacts, console)


def main(
    contacts: Annotated[int | None, typer.Option(min=1, help="Only so many rows of the demo list.")] = None,
) -> None:
    """Dial the demo list, and print the carrier's books."""
    # A pipe has no width of its own, and a line broken at 80 columns is hard to read for programs.
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        asyncio.run(demo(contacts, console))
    except (DialstreamError, Refused, TimeoutError, aiohttp.ClientError) as problem:
        print(f"demo: {problem}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    typer.run(main)
