"""The containers from the command line: `python -m deploy.containers check`, `… run COMMAND`."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import requests
import typer
from docker.errors import DockerException

from deploy.containers.check import check as check_compose
from deploy.containers.engine import engine
from deploy.local.home import Home
from shared.errors import DialstreamError

commands = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@commands.command()
def check() -> None:
    """Build, start, dial, kill, take down and start the compose file again; see README, "In containers"."""
    with _reported(), engine(Home.default(), os.environ) as found:
        check_compose(found, _say)
    _say("The compose file holds.")


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(context: typer.Context) -> None:
    """Run a command with DOCKER_HOST set and the base images there; ends with its exit code."""
    with _reported(), engine(Home.default(), os.environ) as found:
        code = subprocess.run(context.args, env=dict(found.environment), check=False).returncode
    raise typer.Exit(code)


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    # So that a run which is told to end leaves nothing behind.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    except (DialstreamError, DockerException, requests.RequestException) as problem:
        print(f"containers: {problem}", file=sys.stderr)
        raise SystemExit(1) from None


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    commands()
