"""One `make run` in a folder, and who that is."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from typing import IO

from deploy.local.credentials import read_dev_env
from deploy.local.home import Home, make_folder
from shared.errors import DialstreamError


class AlreadyRunning(DialstreamError):
    """Another `make run` is at work in this folder."""


@contextlib.contextmanager
def only_run(home: Home) -> Iterator[None]:
    """One run in a folder. The kernel drops the lock with its owner. Raises AlreadyRunning, naming the other."""
    with _lock_file(home) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = _written(file) or "unknown"
            where = read_dev_env(home).get("DIALSTREAM_URL", "an address it has not written yet")
            raise AlreadyRunning(
                f"a `make run` is up already (process {who}, at {where}); end it with Ctrl-C there, or with: make stop"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def current_run(home: Home) -> int | None:
    """The process id of the `make run` that is up in this folder."""
    with _lock_file(home) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            who = _written(file)
            return int(who) if who.isdecimal() else None
    return None


def _lock_file(home: Home) -> IO[str]:
    make_folder(home.root)
    return (home.root / "run.lock").open("a+")


def _written(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip()
