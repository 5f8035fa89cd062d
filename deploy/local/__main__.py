"""The local stack from the command line: `python -m deploy.local up`."""

import asyncio
import logging
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from deploy.local import install as installation
from deploy.local import kafka, mongo, servers
from deploy.local.credentials import read_dev_env, write_dev_env
from deploy.local.home import Home
from deploy.local.stopping import stop_in_order
from shared.errors import DialstreamError

T = TypeVar("T")
HomeOption = Annotated[Path | None, typer.Option("--home", help="Folder of the stack; default: .local/")]
ForceOption = Annotated[bool, typer.Option("--force", help="Also when other processes use them.")]

commands = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@commands.command()
def install(home: HomeOption = None) -> None:
    """Fetch Kafka's jars and make its class archive (once; half a minute)."""
    _run(installation.install(_home(home)))


@commands.command()
def up(home: HomeOption = None) -> None:
    """Start Kafka and MongoDB, or find them running; they stay until `stop`."""
    where = _home(home)
    addresses = _run(servers.keep_servers(where, servers.Given.by(os.environ, where)))
    write_dev_env(where, {**read_dev_env(where), **addresses.environment})
    for name, value in addresses.environment.items():
        print(f"{name}='{value}'")


@commands.command()
def stop(home: HomeOption = None, force: ForceOption = False) -> None:
    """Stop Kafka and MongoDB, after a `make run` that is up; their data stays."""
    stopped = _run(stop_in_order(_home(home), print, force=force))
    print("Stopped." if stopped else "Nothing was running.")


@commands.command()
def clean(home: HomeOption = None, downloads: Annotated[bool, typer.Option(help="Downloads too.")] = False) -> None:
    """Stop Kafka and MongoDB, after a `make run` that is up, and delete their data and logs."""
    _run(stop_in_order(_home(home), print))
    _run(servers.remove_servers(_home(home), downloads=downloads))


@commands.command()
def status(home: HomeOption = None) -> None:
    """Show what runs, where, and how much memory it takes."""
    where = _home(home)
    for name, running in (("Kafka", kafka.find(where)), ("MongoDB", mongo.find(where))):
        if running is None:
            print(f"{name}: not running")
        else:
            megabytes = running.resident_bytes / 1e6
            print(f"{name}: port {running.port}, process {running.process.pid}, {megabytes:.0f} MB")


def _home(root: Path | None) -> Home:
    return Home.default() if root is None else Home.at(root)


def _run(work: Coroutine[Any, Any, T]) -> T:
    # Refused connections and the like are part of starting; Kafka's client would print each as an error.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        return asyncio.run(work)
    except (DialstreamError, TimeoutError) as problem:
        print(f"local stack: {problem}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    commands()
