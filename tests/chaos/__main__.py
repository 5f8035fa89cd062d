"""`make chaos`: seeded runs, or the loss of each of three; exit code 1 when a promise was broken."""

import asyncio
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from tests.chaos.losses import lose_each
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
    three: Annotated[
        bool,
        typer.Option(help="Instead: each of three brokers and of three MongoDB members is lost, while calls go on."),
    ] = False,
) -> None:
    """Breaks a running system at random and lets the carrier's record judge it."""
    # The crowd's own producer says so whenever a broker is away, which is what a run is about.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    total = Report()
    if three:
        total.add(_shown("three of each", lose_each))
    else:
        for number in range(seed, seed + runs):
            total.add(_shown(f"seed {number}", partial(run, seed=number, seconds=seconds, at_once=at_once, only=only)))
        if runs > 1:
            typer.echo("\n".join(total.lines(f"{runs} runs")))
    sys.exit(1 if total.violations else 0)


def _shown(title: str, run_in: Callable[[Path], Coroutine[Any, Any, Report]]) -> Report:
    """One run in a folder of its own, which stays where there is something to look at."""
    root = Path(tempfile.mkdtemp(prefix=f"dialstream-chaos-{title.replace(' ', '-')}-"))
    report = asyncio.run(run_in(root))
    typer.echo("\n".join(report.lines(title)))
    if report.violations or report.own_ends:
        typer.echo(f"  kept for a look: {root}")
    else:
        shutil.rmtree(root)
    return report


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
