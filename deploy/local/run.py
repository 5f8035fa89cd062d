"""`make run`: everything on this machine, a demo list dialed to its end, and the system up until Ctrl-C."""

import asyncio
import contextlib
import logging
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import aiohttp
import typer
from pydantic import ValidationError
from rich.console import Console

from deploy import migrate
from deploy.create_topics import create_topics
from deploy.demo.client import Api, Refused
from deploy.demo.customer import customer
from deploy.demo.dial import new_campaign
from deploy.demo.receiver import DemoReceiver, receiving
from deploy.demo.settings import demo_settings
from deploy.demo.show import dial_list
from deploy.local.credentials import credentials_of, read_dev_env, write_dev_env
from deploy.local.ending import let_calls_end, watch_servers
from deploy.local.home import Home, free_port, port_is_free
from deploy.local.lineup import Counts, build_lineup
from deploy.local.run_lock import only_run
from deploy.local.servers import Addresses, Given, borrowed_servers
from deploy.local.supervision import Running, end_leftovers, running
from shared.clock import monotonic, utc_now
from shared.domain.unknown_names import unknown_names
from shared.errors import DialstreamError
from shared.process import refuse_to_start
from shared.setting_names import KNOWN_NAMES
from shared.settings import KafkaSettings, MongoSettings

API_PORT: Final = 8000
# Where in the servers everything is, when the environment says so.
PLACES: Final = ("DIALSTREAM_TOPIC_PREFIX", "DIALSTREAM_MONGODB_DATABASE")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    executors: int
    contacts: int | None
    demo: bool
    once: bool


async def run(home: Home, wishes: Wishes, console: Console, hurry: asyncio.Event) -> None:
    """Until cancelled, or with `once` until the demo has ended. Raises what the command line reports.

    `hurry`: once cancelled, end without waiting for calls that are up.
    """
    for name in unknown_names(os.environ, KNOWN_NAMES):
        console.print(str(name), highlight=False, markup=False, soft_wrap=True)
    given = Given.by(os.environ, home)
    with only_run(home):
        if leftovers := end_leftovers(home):
            console.print(f"Ended {leftovers} processes that a killed run had left over.")
        began = monotonic()
        console.print("Starting Kafka, MongoDB, the services and a simulated carrier ...")
        async with (
            borrowed_servers(home, given) as addresses,
            started(home, wishes, addresses) as up,
            servers_watched(home, given, console),
            receiving(console) as receiver,
        ):
            try:
                await up.wait_until_ready()
                console.print(f"Ready after {monotonic() - began:.1f} s.")
                await up.while_up(_with_customer(home, wishes, addresses, up, receiver, console))
                if not wishes.once:
                    console.print("\nEverything stays up until Ctrl-C.")
                    await up.until_end()
            except asyncio.CancelledError:
                await let_calls_end(up, addresses, console, hurry)
                raise


@contextlib.asynccontextmanager
async def servers_watched(home: Home, given: Given, console: Console) -> AsyncIterator[None]:
    """The console says when a local server ends, and when it is back, for as long as the block runs."""

    def say(sentence: str) -> None:
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    watching_them = asyncio.create_task(watch_servers(home, given, say))
    try:
        yield
    finally:
        watching_them.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching_them


@contextlib.asynccontextmanager
async def started(home: Home, wishes: Wishes, addresses: Addresses) -> AsyncIterator[Running]:
    """Topics, documents in the form of today, and service processes."""
    await create_topics(KafkaSettings(kafka=addresses.kafka))
    # What an earlier version of this repository has left in .local/.
    await migrate.run(MongoSettings(mongodb=addresses.mongodb), quiet=True)
    lineup = build_lineup(
        addresses,
        credentials_of(home),
        Counts(executors=wishes.executors, consoles=1),
        api_port=API_PORT if port_is_free(API_PORT) else free_port(),
        settings=demo_settings(os.environ),
    )
    async with running(home, lineup) as up:
        yield up


async def _with_customer(
    home: Home, wishes: Wishes, addresses: Addresses, up: Running, receiver: DemoReceiver, console: Console
) -> None:
    async with aiohttp.ClientSession() as session:
        url, credentials = up.lineup.api.url, credentials_of(home)
        who = await customer(session, url, credentials.admin_token, read_dev_env(home))
        api = Api(session, url, who.key)
        campaign_id = await new_campaign(api, utc_now()) if wishes.demo else None
        values = {
            "DIALSTREAM_URL": url,
            "DIALSTREAM_CONSOLE_URL": up.lineup.consoles[0].url,
            "DIALSTREAM_ADMIN_TOKEN": credentials.admin_token,
            "DIALSTREAM_SECRET_KEY": credentials.secret_key,
            **{name: os.environ[name] for name in PLACES if name in os.environ},
            **addresses.environment,
            **who.environment,
            "DIALSTREAM_CAMPAIGN": campaign_id or "default",
        }
        write_dev_env(home, values)
        await receiver.subscribe(api)
        if campaign_id is not None:
            _say(console, f"\nWatch it at the console: {_where_to_watch(home, up)}")
            await dial_list(api, up.lineup.carrier.url, campaign_id, who.organization_id, wishes.contacts, console)
            console.print(receiver.said(), highlight=False, soft_wrap=True)
    if not wishes.once:
        _say_where(console, home, addresses, up, receiver)


def _say_where(console: Console, home: Home, addresses: Addresses, up: Running, receiver: DemoReceiver) -> None:
    lineup, env = up.lineup, _short(home.root / "dev.env")
    places = {
        "console": _where_to_watch(home, up),
        "API": f"{lineup.api.url}  (pages at {lineup.api.url}/docs)",
        "SmartAlex": f"{lineup.api.url}/smartalex/v1  (for its clients; pages at {lineup.api.url}/smartalex/docs)",
        "SysEvo": f"{lineup.api.url}/sysevo/api/v1  (for its clients and Dograh's; /sysevo/docs)",
        "Talkturo": f"{lineup.api.url}/talkturo  (for its clients; pages at {lineup.api.url}/talkturo/docs)",
        "Kafka": addresses.kafka,
        "MongoDB": addresses.mongodb,
        "carrier": f"{lineup.carrier.url}/simulator/summary",
        "webhooks": f"{receiver.url}/hooks  (the demo organization's; new ones are printed here)",
        "metrics": "  ".join(f"{member.name} {member.url}/metrics" for member in lineup.members[2:]),
        "logs": f"{_short(home.logs)}/*.log",
        "keys": f"{env} (operator's token, the demo organization's key, all addresses)",
    }
    console.print()
    for name, place in places.items():
        console.print(f"{name:>9}  {place}", highlight=False, soft_wrap=True)
    lines = (
        "Try it:",
        f"  set -a; source {shlex.quote(env)}; set +a",
        '  curl -H "Authorization: Bearer $DIALSTREAM_API_KEY" "$DIALSTREAM_URL/campaign/campaigns?limit=5"',
        '  curl -H "Authorization: Bearer $DIALSTREAM_API_KEY" "$DIALSTREAM_URL/smartalex/v1/campaigns?per_page=5"',
        '  curl -H "X-API-Key: $DIALSTREAM_API_KEY" "$DIALSTREAM_URL/sysevo/api/v1/campaign/"',
        '  curl -X POST "$DIALSTREAM_URL/campaign/campaigns/default/contacts" \\',
        '    -H "Authorization: Bearer $DIALSTREAM_API_KEY" -H "Content-Type: application/json" \\',
        '    -d \'{"contacts": [{"external_id": "me", "phone_numbers": ["+14155550123"],',
        '         "agent_id": "demo-agent", "agent_number": "+14155550100"}]}\'',
        '  curl -H "Authorization: Bearer $DIALSTREAM_API_KEY" \\',
        '    "$DIALSTREAM_URL/campaign/campaigns/default/contacts/me"',
        '  curl -H "Authorization: Bearer $DIALSTREAM_API_KEY" "$DIALSTREAM_URL/talkturo/api/crm/contacts?limit=5"',
    )
    for line in ("", *lines):
        _say(console, line)


def _where_to_watch(home: Home, up: Running) -> str:
    return f"{up.lineup.consoles[0].url}  (sign in with the API key that is in {_short(home.root / 'dev.env')})"


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def main(
    executors: Annotated[int, typer.Option(min=1, max=20, help="How many call-executors.")] = 1,
    contacts: Annotated[int | None, typer.Option(min=1, help="Only so many rows of the demo list.")] = None,
    demo: Annotated[bool, typer.Option(help="Dial the demo list.")] = True,
    once: Annotated[bool, typer.Option("--once", help="End when the demo has ended.")] = False,
    home: Annotated[Path | None, typer.Option(help="Folder for data, logs and keys; default: .local/")] = None,
) -> None:
    """Run Dialstream on this machine."""
    # Refused connections are part of starting; Kafka's client would print each as an error.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    where, wishes = Home.default() if home is None else Home.at(home), Wishes(executors, contacts, demo, once)
    try:
        asyncio.run(_until_signalled(lambda hurry: run(where, wishes, Console(width=_width()), hurry)))
    except ValidationError as error:
        raise SystemExit(refuse_to_start("make run", error)) from None
    except (DialstreamError, Refused, TimeoutError, aiohttp.ClientError) as problem:
        print(f"make run: {problem}", file=sys.stderr)
        raise SystemExit(1) from None


def _width() -> int | None:
    # rich takes a pipe for a terminal of 80 columns and breaks lines that programs will read.
    return None if sys.stdout.isatty() else 160


async def _until_signalled(work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Ends `work` in order on Ctrl-C, SIGTERM and a closed terminal; a second one sets the event that it is given."""
    hurry = asyncio.Event()
    task = asyncio.ensure_future(work(hurry))
    told = False

    def end() -> None:
        nonlocal told
        if told:
            hurry.set()
            return
        told = True
        print("\nStopping ...", flush=True)
        task.cancel()

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(name, end)
    try:
        await task
    except asyncio.CancelledError:
        print("Stopped.")


if __name__ == "__main__":
    typer.run(main)
