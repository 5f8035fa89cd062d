"""`python -m tests.bench [pipeline|ingest|refill|stats ...]`: measures, prints tables, can write JSON."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from deploy.local.servers import Addresses
from shared.clock import utc_now
from tests.bench.calls import measure_calls
from tests.bench.contact_lists import measure_lists
from tests.bench.dialects import measure_dialects
from tests.bench.figures import Figures
from tests.bench.idle import measure_idle
from tests.bench.imports import measure_imports
from tests.bench.ingest import measure_ingest
from tests.bench.ingest_while_dialing import measure_ingest_while_dialing
from tests.bench.pages import measure_pages
from tests.bench.people import measure_people
from tests.bench.pipeline import measure_pipeline
from tests.bench.refill import measure_refill
from tests.bench.relay import measure_relay
from tests.bench.rules import measure_rules
from tests.bench.stage import BenchFailed
from tests.bench.starvation import measure_starvation
from tests.bench.stats import measure_stats
from tests.bench.steady import measure_steady
from tests.bench.takeover import measure_takeover
from tests.bench.uploads import measure_uploads
from tests.bench.webhooks import measure_webhooks
from tests.bench.why import measure_why
from tests.servers import servers_for_tests

WIDTH_WITHOUT_TERMINAL = 160


class Name(StrEnum):
    """What can be measured."""

    PIPELINE = "pipeline"
    REFILL = "refill"
    INGEST = "ingest"
    STATS = "stats"
    STARVATION = "starvation"
    IMPORTS = "imports"
    INGEST_WHILE_DIALING = "ingest-while-dialing"
    WHY = "why"
    RULES = "rules"
    RELAY = "relay"
    IDLE = "idle"
    CALLS = "calls"
    PEOPLE = "people"
    DIALECTS = "dialects"
    WEBHOOKS = "webhooks"
    UPLOADS = "uploads"
    LISTS = "lists"
    CONSOLE = "console"
    TAKEOVER = "takeover"
    STEADY = "steady"


Measure = Callable[[Addresses, Console], Awaitable[Figures]]


async def _run(wanted: dict[Name, Measure], console: Console) -> dict[str, object]:
    report: dict[str, object] = {"at": utc_now().isoformat(), "cores": os.cpu_count(), "load": os.getloadavg()}
    async with servers_for_tests() as addresses:
        for name, measure in wanted.items():
            figures = await measure(addresses, console)
            figures.show(console)
            report[name] = figures.values
    return report


def main(
    names: Annotated[list[Name] | None, typer.Argument(help="What to measure; nothing: all of it.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved rounds.")] = 3,
    contacts: Annotated[int, typer.Option(min=1000, help="pipeline: contacts a run.")] = 15_000,
    slots: Annotated[int, typer.Option(min=1, help="pipeline: calls at once.")] = 5_000,
    calls: Annotated[int, typer.Option(min=100, help="refill: calls a run.")] = 900,
    small_slots: Annotated[int, typer.Option(min=1, help="refill: calls at once.")] = 10,
    batches: Annotated[int, typer.Option(min=1, help="ingest, uploads: messages of 1,000 contacts.")] = 24,
    large: Annotated[int, typer.Option(min=1000, help="Contacts of a large campaign, or people.")] = 100_000,
    rows: Annotated[int, typer.Option(min=1000, help="imports: rows of the file.")] = 50_000,
    stream: Annotated[int, typer.Option(min=1, help="ingest-while-dialing: messages of 1,000 contacts.")] = 100,
    ruled: Annotated[int, typer.Option(min=1000, help="rules: contacts of each variant.")] = 5_000,
    facts: Annotated[int, typer.Option(min=2000, help="relay: facts a round.")] = 40_000,
    campaigns: Annotated[int, typer.Option(min=10, help="idle: running campaigns.")] = 1_000,
    sleeping: Annotated[int, typer.Option(min=1, help="takeover: sleeping campaigns of each organization.")] = 100,
    organizations: Annotated[int, typer.Option(min=1, help="takeover: organizations.")] = 100,
    seconds: Annotated[float, typer.Option(min=5, help="steady: seconds that are measured.")] = 20,
    gathering: Annotated[
        list[int] | None, typer.Option(min=0, help="steady: milliseconds that ends gather, beside as they do.")
    ] = None,
    listed: Annotated[int, typer.Option(min=1000, help="calls: ended calls in the lists.")] = 1_000_000,
    events: Annotated[int, typer.Option(min=100, help="webhooks: events of a run.")] = 10_000,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
) -> None:
    """Measure ours against a bare loop with the same I/O in the same run."""
    # A file or a pipe has no width of its own; the usual 80 columns cut the tables.
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH_WITHOUT_TERMINAL)
    measures: dict[Name, Measure] = {
        Name.PIPELINE: lambda a, c: measure_pipeline(a, c, contacts=contacts, slots=slots, rounds=rounds),
        Name.REFILL: lambda a, c: measure_refill(a, c, calls=calls, slots=small_slots, rounds=rounds),
        Name.INGEST: lambda a, c: measure_ingest(a, c, batches=batches, rounds=rounds),
        Name.IMPORTS: lambda a, c: measure_imports(a, c, rows=rows, rounds=rounds),
        Name.STATS: lambda a, c: measure_stats(a, c, large=large),
        Name.STARVATION: lambda a, c: measure_starvation(a, c, large=large, rounds=rounds),
        Name.INGEST_WHILE_DIALING: lambda a, c: measure_ingest_while_dialing(a, c, batches=stream, rounds=rounds),
        Name.WHY: lambda a, c: measure_why(a, c, large=large),
        Name.RULES: lambda a, c: measure_rules(a, c, contacts=ruled, rounds=rounds),
        Name.RELAY: lambda a, c: measure_relay(a, c, facts=facts, rounds=rounds),
        Name.IDLE: lambda a, c: measure_idle(a, c, campaigns=campaigns),
        Name.CALLS: lambda a, c: measure_calls(a, c, calls=listed, contacts=ruled, rounds=rounds),
        Name.PEOPLE: lambda a, c: measure_people(a, c, large=large),
        Name.DIALECTS: lambda a, c: measure_dialects(a, c, large=large),
        Name.LISTS: lambda a, c: measure_lists(a, c, large=large),
        Name.UPLOADS: lambda a, c: measure_uploads(a, c, requests=batches, rounds=rounds),
        Name.TAKEOVER: lambda a, c: measure_takeover(
            a, c, organizations=organizations, campaigns=sleeping, rounds=rounds
        ),
        Name.STEADY: lambda a, c: measure_steady(a, c, seconds=seconds, rounds=rounds, gathering=gathering or ()),
        Name.WEBHOOKS: lambda a, c: measure_webhooks(a, c, events=events, rounds=rounds),
        Name.CONSOLE: lambda a, c: measure_pages(a, c, large=large),
    }
    wanted = {name: measures[name] for name in names or list(Name)}
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            report = runner.run(_run(wanted, console))
    except BenchFailed as failure:
        sys.exit(f"bench: {failure}")
    if json_file is not None:
        json_file.write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    typer.run(main)
