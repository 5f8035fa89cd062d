"""Containers of the tests belong to a process of this machine, and go when it goes, also after a `kill -9`.

As a program, `python -m tests.container_owner LABEL`: waits until its standard input ends, which it does with the
process that holds the other end, then removes the containers with that label.
"""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
from docker.client import DockerClient
from docker.errors import DockerException, NotFound

ROOT: Final = Path(__file__).resolve().parents[1]
LABEL: Final = "dialstream.tests.owner"


def name_of_this_process() -> str:
    """Machine, process and its time of birth: nothing else was or will be called so."""
    own = psutil.Process()
    return f"{socket.gethostname()}/{own.pid}/{own.create_time():.2f}"


@contextlib.contextmanager
def watched(owner: str) -> Iterator[None]:
    """Removes the owner's containers when the block ends, and when this process is killed inside it."""
    command = (sys.executable, "-m", "tests.container_owner", f"{LABEL}={owner}")
    # In a session of its own, so that Ctrl-C at the terminal does not reach it before us.
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True, env=os.environ) as watcher:
        try:
            yield
        finally:
            assert watcher.stdin is not None
            watcher.stdin.close()


def remove_orphans() -> None:
    """Removes what owners of this machine have left behind that are no more: their watcher was killed, too."""
    with contextlib.closing(DockerClient.from_env()) as client:
        for container in client.containers.list(all=True, filters={"label": LABEL}):
            machine, pid, born = container.labels[LABEL].split("/")
            if machine == socket.gethostname() and not _lives(int(pid), float(born)):
                _remove(client, f"{LABEL}={container.labels[LABEL]}")


def _lives(pid: int, born: float) -> bool:
    try:
        return bool(abs(psutil.Process(pid).create_time() - born) < 1)
    except psutil.NoSuchProcess:
        return False


def _remove(client: DockerClient, label: str) -> None:
    for container in client.containers.list(all=True, filters={"label": label}):
        # Another one may be at it already.
        with contextlib.suppress(NotFound):
            container.remove(force=True, v=True)


def main(label: str) -> None:
    """Wait for the owner's end, then remove."""
    sys.stdin.read()
    with contextlib.suppress(DockerException), contextlib.closing(DockerClient.from_env()) as client:
        _remove(client, label)


if __name__ == "__main__":
    main(sys.argv[1])
