"""`make run`: everything on this machine, a demo list dialed to its end, and the system up until Ctrl-C."""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import aiohttp
import typer
from rich.console import Console

from deploy.create_topics import create_topics
from deploy.demo.client import Api, Refused
from deploy.demo.customer import Customer, customer
from deploy.demo.dial import carrier_summary, dial_to_the_end, new_campaign
from deploy.demo.display import report_load, report_outcome, watching
from deploy.demo.load import load, read_rows
from deploy.local.credentials import credentials_of, read_dev_env, write_dev_env
from deploy.local.demo_settings import demo_settings
from deploy.local.home import Home, free_port, make_folder, port_is_free
from deploy.local.lineup import REPOSITORY, Counts, build_lineup
from deploy.local.servers import Addresses, Given, borrowed_servers
from deploy.local.supervision import Running, end_leftovers, running
from shared.clock import monotonic, utc_now
from shared.errors import DialstreamError
from shared.settings import KafkaSettings

API_PORT: Final = 8000
DEMO_LIST: Final = REPOSITORY / "deploy" / "demo" / "contacts.csv"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    executors: int
    contacts: int | None
    demo: bool
    once: bool


class PromiseBroken(DialstreamError):
    """The demo has ended, and the carrier has counted what must not happen."""


class AlreadyRunning(DialstreamError):
    """Another `make run` is at work in this folder."""


async def run(home: Home, wishes: Wishes, console: Console) -> None:
    """Until cancelled, or with `once` until the demo has ended. Raises what the command line reports."""
    with only_run(home):
        if leftovers := end_leftovers(home):
            console.print(f"Ended {leftovers} processes that a killed run had left over.")
        began = monotonic()
        console.print("Starting Kafka, MongoDB, the services and a simulated carrier ...")
        async with borrowed_servers(home, Given.by(os.environ)) as addresses, started(home, wishes, addresses) as up:
            await up.wait_until_ready()
            console.print(f"Ready after {monotonic() - began:.1f} s.")
            await up.while_up(_with_customer(home, wishes, addresses, up, console))
            if not wishes.once:
                console.print("\nEverything stays up until Ctrl-C.")
                await up.until_end()


@contextlib.asynccontextmanager
async def started(home: Home, wishes: Wishes, addresses: Addresses) -> AsyncIterator[Running]:
    """Topics and service processes."""
    await create_topics(KafkaSettings(kafka=addresses.kafka))
    lineup = build_lineup(
        addresses,
        credentials_of(home),
        Counts(executors=wishes.executors),
        api_port=API_PORT if port_is_free(API_PORT) else free_port(),
        settings=demo_settings(os.environ),
    )
    async with running(home, lineup) as up:
        yield up


async def _with_customer(home: Home, wishes: Wishes, addresses: Addresses, up: Running, console: Console) -> None:
    async with aiohttp.ClientSession() as session:
        url, credentials = up.lineup.api.url, credentials_of(home)
        who = await customer(session, url, credentials.admin_token, read_dev_env(home))
        own = {"DIALSTREAM_URL": url, "DIALSTREAM_ADMIN_TOKEN": credentials.admin_token}
        # Not the servers' addresses: a shell that has them would have the next `make run` look there.
        write_dev_env(home, {**own, **who.environment})
        if wishes.demo:
            await demo(Api(session, url, who.key), who, up, wishes, console)
    if not wishes.once:
        _say_where(console, home, addresses, up)


async def demo(api: Api, who: Customer, up: Running, wishes: Wishes, console: Console) -> None:
    """Loads the list, dials it, reports. Raises PromiseBroken when the carrier has seen what must not be."""
    campaign_id = await new_campaign(api, utc_now())
    placed_before = (await carrier_summary(api, up.lineup.carrier.url))["placed"]
    rows = read_rows(DEMO_LIST, wishes.contacts)
    console.print(f"\nLoading {len(rows)} rows of {DEMO_LIST.relative_to(REPOSITORY)} over the API ...")
    began = monotonic()
    loaded = await load(api, campaign_id, rows)
    report_load(console, loaded, monotonic() - began)
    console.print(f"\nDialing campaign {campaign_id}:")
    with watching(console) as display:
        end = await dial_to_the_end(api, up.lineup.carrier.url, campaign_id, placed_before, display.show)
    if not await report_outcome(console, api, campaign_id, who.organization_id, end):
        raise PromiseBroken("the demo broke a promise; see above")


def _say_where(console: Console, home: Home, addresses: Addresses, up: Running) -> None:
    lineup, env = up.lineup, _short(home.root / "dev.env")
    places = {
        "API": f"{lineup.api.url}  (pages at {lineup.api.url}/docs)",
        "Kafka": addresses.kafka,
        "MongoDB": addresses.mongodb,
        "carrier": f"{lineup.carrier.url}/simulator/summary",
        "metrics": "  ".join(f"{member.name} {member.url}/metrics" for member in lineup.members[2:]),
        "logs": f"{_short(home.logs)}/*.log",
        "keys": f"{env} (operator's token, the demo organization's key)",
    }
    console.print()
    for name, place in places.items():
        console.print(f"{name:>8}  {place}", highlight=False, soft_wrap=True)
    lines = (
        "Try it:",
        f"  set -a; source {env}; set +a",
        '  curl -H "Authorization: Bearer $DIALSTREAM_API_KEY" "$DIALSTREAM_URL/campaign/campaigns?limit=5"',
        '  curl -X POST "$DIALSTREAM_URL/campaign/campaigns/default/contacts" \\',
        '    -H "Authorization: Bearer $DIALSTREAM_API_KEY" -H "Content-Type: application/json" \\',
        '    -d \'{"contacts": [{"external_id": "me", "phone_numbers": ["+14155550123"],',
        '         "agent_id": "demo-agent", "agent_number": "+14155550100"}]}\'',
        '  curl -H "Authorization: Bearer $DIALSTREAM_API_KEY" \\',
        '    "$DIALSTREAM_URL/campaign/campaigns/default/contacts/me"',
    )
    for line in ("", *lines):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


@contextlib.contextmanager
def only_run(home: Home) -> Iterator[None]:
    """One run in a folder. The kernel drops the lock with its owner. Raises AlreadyRunning, naming the other."""
    make_folder(home.root)
    with (home.root / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = file.read().strip() or "unknown"
            where = read_dev_env(home).get("DIALSTREAM_URL", "an address it has not written yet")
            raise AlreadyRunning(
                f"a `make run` is up already (process {who}, at {where}); end it with Ctrl-C there, or with: kill {who}"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


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
    work = run(
        Home.default() if home is None else Home.at(home),
        Wishes(executors, contacts, demo, once),
        Console(width=_width()),
    )
    try:
        asyncio.run(_until_signalled(work))
    except (DialstreamError, Refused, TimeoutError, aiohttp.ClientError) as problem:
        print(f"make run: {problem}", file=sys.stderr)
        raise SystemExit(1) from None


def _width() -> int | None:
    # rich takes a pipe for a terminal of 80 columns and breaks lines that programs will read.
    return None if sys.stdout.isatty() else 160


async def _until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Ends `work` in order on Ctrl-C, SIGTERM and a closed terminal; a second Ctrl-C changes nothing."""
    task = asyncio.ensure_future(work)
    told = False

    def end() -> None:
        nonlocal told
        if not told:
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
