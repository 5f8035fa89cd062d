"""`make chaos`: seeded runs, one after the other; exit code 1 when a promise was broken."""

import asyncio
import logging
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from tests.chaos.run import run


def main(
    seed: Annotated[int, typer.Option(help="The first run's seed.")] = 1,
    runs: Annotated[int, typer.Option(help="How many runs, with this seed and the following ones.")] = 1,
    seconds: Annotated[float, typer.Option(help="How long each run breaks things.")] = 120,
    at_once: Annotated[int, typer.Option(help="Faults at work at the same time.")] = 3,
) -> None:
    """Breaks a running system at random and lets the carrier's record judge it."""
    # The crowd's own producer says so whenever a broker is away, which is what a run is about.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    broken, sums = 0, Counter[str]()
    for number in range(seed, seed + runs):
        root = Path(tempfile.mkdtemp(prefix=f"dialstream-chaos-{number}-"))
        report = asyncio.run(run(root, number, seconds, at_once=at_once))
        sys.stdout.write("\n".join(report.lines()) + "\n")
        sums.update({"faults": len(report.faults), "calls": report.calls, "promises broken": len(report.violations)})
        broken += bool(report.violations)
        if report.violations or report.own_ends:
            sys.stdout.write(f"  kept for a look: {root}\n")
        else:
            shutil.rmtree(root)
        sys.stdout.flush()
    sys.stdout.write(", ".join(f"{what} {count}" for what, count in sums.items()) + f" in {runs} runs\n")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
