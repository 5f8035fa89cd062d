"""How soon calls go on after each fault, alone and with work waiting: `make back`.

Six organizations have more contacts due than can be called. One thing is broken at a time; from then on the carrier's
record tells when anybody was called next, and how long the organization that waited longest went without a new call.
"""

import asyncio
import itertools
import logging
import shutil
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Final

import typer

from shared.clock import utc_now
from tests.chaos.customers import CONFIGURATION
from tests.chaos.faults import DISK_FULL, Fault, catalogue
from tests.chaos.record import CarrierCall, calls_of
from tests.chaos.stage import MEMBERS, Stage, stage
from tests.e2e.system import SystemCustomer
from tests.eventually import eventually

ORGANIZATIONS: Final = 6
LIMIT: Final = 8
# More than an organization calls from one fault to the next, so that it never runs out of contacts.
CONTACTS_FOR_A_FAULT: Final = 400
# So long after each fault the record is looked at; whoever has not been called by then counts with this much.
WATCHED: Final = timedelta(seconds=20)
OFTEN: Final = 3
ALONE: Final = ("SIGKILL", "SIGTERM")
OF_ONE: Final = ("kill -9", "stop", DISK_FULL)
OF_THREE: Final = ("kill -9", "stop", "SIGSTOP", "step down")


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


# What the figures of the faults are to be held against.
NOTHING: Final = Fault("nothing", "anything", _nothing, (0.0, 0.0))


@dataclass(frozen=True, slots=True)
class Wait:
    """After one fault: seconds to anybody's next call, and to that of the organization that waited longest."""

    anybody: float
    slowest: float


def main(
    three: Annotated[bool, typer.Option(help="Three brokers and a replica set of three.")] = False,
    times: Annotated[int, typer.Option(help="How often each fault.")] = OFTEN,
) -> None:
    """Prints, for each fault, how soon calls went on: each time as it happens, and all at the end."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    root = Path(tempfile.mkdtemp(prefix="dialstream-chaos-back-"))
    waits = asyncio.run(measure(root, seed=3 if three else 1, times=times))
    typer.echo(f"{'fault':38} {'times':>5} {'next call, s':>18} {'slowest organization, s':>26}")
    for what, each in waits.items():
        typer.echo(
            f"{what:38} {len(each):5} {_span([wait.anybody for wait in each]):>18} "
            f"{_span([wait.slowest for wait in each]):>26}"
        )
    shutil.rmtree(root)


async def measure(root: Path, *, seed: int, times: int) -> dict[str, list[Wait]]:
    """Each fault so often, in turn."""
    waits: dict[str, list[Wait]] = defaultdict(list)
    async with stage(root, seed) as on_stage:
        callers = [await _with_campaign(on_stage, n) for n in range(ORGANIZATIONS)]
        organizations = [caller.who.organization_id for caller in callers]
        for fault in itertools.chain.from_iterable([[NOTHING, *_faults(on_stage)]] * times):
            for caller in callers:
                await caller.add_contacts()
            await _all_are_called(on_stage, organizations)
            since = await _broken(fault, on_stage)
            await asyncio.sleep(WATCHED.total_seconds())
            calls = calls_of(await on_stage.system.carrier_record())
            wait = wait_after(calls, since, organizations)
            typer.echo(f"{_kind(fault)}: {wait.anybody:.1f} s, the slowest organization {wait.slowest:.1f} s", err=True)
            waits[_kind(fault)].append(wait)
            await on_stage.mend_everything()
    return dict(waits)


def _faults(on_stage: Stage) -> list[Fault]:
    """Of each kind one: a member of each engine service, each kind of server."""
    known = {(fault.name, fault.target): fault for fault in catalogue(on_stage)}
    members = [name for name in MEMBERS if name in {"executor-0", "scheduler-0", "scheduler-1"}]
    found = [known.get((name, member)) for member in members for name in ALONE]
    names = OF_THREE if on_stage.servers.are_three else OF_ONE
    targets = [*on_stage.servers.nodes, "mongodb's primary"]
    found += [known.get((name, target)) for target in targets for name in names]
    return [fault for fault in found if fault is not None]


async def _broken(fault: Fault, on_stage: Stage) -> datetime:
    """Break and mend; the moment from which calls may be waited for: the loss, or a lone server's return.

    After a full disk it is when there is room again, whether the server must be started then or not.
    """
    lost = utc_now()
    async with fault.broken():
        await asyncio.sleep(fault.seconds[0])
        mending = utc_now()
    if fault.name == DISK_FULL:
        return mending
    lone_server = fault.target in on_stage.servers.nodes and not on_stage.servers.are_three
    return utc_now() if lone_server else lost


@dataclass(slots=True)
class Caller:
    """An organization with a campaign; `number` is part of its contacts' numbers."""

    who: SystemCustomer
    campaign_id: str
    number: int
    added: int = 0

    async def add_contacts(self) -> None:
        """As many as it needs for one more fault."""
        first, self.added = self.added, self.added + CONTACTS_FOR_A_FAULT
        rows = [
            {"external_id": f"lead-{n}", "phone_numbers": [f"+4915{self.number}{10_000_000 + n}"]}
            for n in range(first, self.added)
        ]
        await self.who.api.post(f"/campaign/campaigns/{self.campaign_id}/contacts", {"contacts": rows})


async def _with_campaign(on_stage: Stage, number: int) -> Caller:
    who = await on_stage.system.new_customer()
    await who.api.put("/campaign/concurrency-settings", {"concurrency_limit": LIMIT})
    configuration = await who.api.post("/campaign/configurations", CONFIGURATION)
    campaign = await who.api.post(
        "/campaign/campaigns", {"name": "back", "external_id": "back", "configuration_id": configuration["id"]}
    )
    return Caller(who, campaign["id"], number)


async def _all_are_called(on_stage: Stage, organizations: Sequence[str]) -> None:
    """Wait until every organization has been called anew, so that a fault never meets the end of another."""
    since = utc_now()

    async def all_called() -> bool:
        calls = calls_of(await on_stage.system.carrier_record())
        return {call.organization_id for call in calls if call.placed_at > since} >= set(organizations)

    await eventually(all_called, timeout=120, every=0.5, saying="every organization is called")


def wait_after(calls: Iterable[CarrierCall], since: datetime, organizations: Iterable[str]) -> Wait:
    """The waits that began at `since`, in a record in the order of placement."""
    later = [call for call in calls if since <= call.placed_at <= since + WATCHED]
    longest = {organization: _longest_silence(later, since, organization) for organization in organizations}
    first = later[0].placed_at - since if later else WATCHED
    return Wait(first.total_seconds(), max(longest.values()).total_seconds())


def _longest_silence(calls: Sequence[CarrierCall], since: datetime, organization: str) -> timedelta:
    moments = [since, *(call.placed_at for call in calls if call.organization_id == organization), since + WATCHED]
    return max(later - earlier for earlier, later in itertools.pairwise(moments))


def _kind(fault: Fault) -> str:
    return f"{fault.name} of {fault.target.rstrip('-0123456789')}"


def _span(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.1f}, longest {max(seconds):.1f}"


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
