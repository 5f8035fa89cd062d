"""Stopping the servers without taking them away from those who use them: a `make run` is ended first, in order."""

import os
import signal
from collections.abc import Callable
from typing import Final

import psutil

from deploy.local.home import Home
from deploy.local.run_lock import current_run
from deploy.local.servers import stop_servers, stop_unused_servers
from deploy.waiting import until
from shared.errors import TemporaryError

# A run lets calls end, then its services, then the servers, each with patience of its own.
RUN_ENDS_SECONDS: Final = 90.0
SHOWN_CHARACTERS: Final = 60


class InUse(TemporaryError):
    """Other processes use the servers; the message names them."""


async def stop_in_order(home: Home, say: Callable[[str], None], *, force: bool = False) -> bool:
    """Ends the folder's `make run`, if one is up, then stops the servers; False when nothing ran.

    Raises InUse when others use the servers, tests for example, unless `force`.
    """
    run = current_run(home)
    if run is not None:
        say(f"A `make run` is up (process {run}): ending it first, in order ...")
        await _end(home, run)
    if force:
        return await stop_servers(home) or run is not None
    stopped = await stop_unused_servers(home)
    if stopped is None:
        raise InUse(
            f"the servers are in use by {_users(home) or 'another process'}: let it end first, "
            "or take them away with: python -m deploy.local stop --force"
        )
    return stopped or run is not None


async def _end(home: Home, run: int) -> None:
    async def ended() -> bool:
        return current_run(home) != run

    os.kill(run, signal.SIGTERM)
    try:
        await until(ended, RUN_ENDS_SECONDS)
    except TimeoutError:
        raise TemporaryError(
            f"the `make run` of process {run} has not ended {RUN_ENDS_SECONDS:g} s after SIGTERM; see what it prints"
        ) from None


def _users(home: Home) -> str:
    found = []
    for process in psutil.process_iter():
        try:
            if str(home.users) in {file.path for file in process.open_files()} and process.pid != os.getpid():
                found.append(f"process {process.pid} ({' '.join(process.cmdline())[:SHOWN_CHARACTERS]})")
        except psutil.Error:
            # Gone, or somebody else's.
            continue
    return ", ".join(found)
