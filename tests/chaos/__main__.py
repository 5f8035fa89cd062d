"""`make chaos`: seeded runs, one after the other; exit code 1 when a promise was broken."""

import asyncio
import logging
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tests.chaos.report import Report
from tests.chaos.run import run


def main(
    seed: Annotated[int, typer.Option(help="The first run's seed.")] = 1,
    runs: Annotated[int, typer.Option(help="How many runs, with this seed and the following ones.")] = 1,
    seconds: Annotated[float, typer.Option(help="How long each run breaks things.")] = 120,
    at_once: Annotated[int, typer.Option(help="Faults at work at the same time.")] = 3,
    only: Annotated[
        str, typer.Option(help="Only faults that this regular expression is found in: 'SIGKILL of executor'.")
    ] = "",
) -> None:
    """Breaks a running system at random and lets the carrier's record judge it."""
    # The crowd's own producer says so whenever a broker is away, which is what a run is about.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    total = Report()
    for number in range(seed, seed + runs):
        root = Path(tempfile.mkdtemp(prefix=f"dialstream-chaos-{number}-"))
        report = asyncio.run(run(root, number, seconds, at_once=at_once, only=only))
        typer.echo("\n".join(report.lines(f"seed {number}")))
        total.add(report)
        if report.violations or report.own_ends:
            typer.echo(f"  kept for a look: {root}")
        else:
            shutil.rmtree(root)
    if runs > 1:
        typer.echo("\n".join(total.lines(f"{runs} runs")))
    sys.exit(1 if total.violations else 0)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
