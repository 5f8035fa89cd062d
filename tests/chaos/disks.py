"""Small disks of their own for servers, which a run fills up: a tmpfs, where we may mount one (root on Linux)."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MEGABYTES: Final = 1024
BALLAST: Final = "ballast"
# From large pieces to the last block.
PIECES: Final = (64 << 20, 1 << 20, 4 << 10)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """Mounts one at `folder`, which is made; None where that cannot be had."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "dialstream", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            # Lazily: a process that has just been killed may still hold a file.
            subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)


def fill(disk: Path) -> None:
    """Takes all the room there is."""
    with (disk / BALLAST).open("ab") as file:
        for piece in PIECES:
            with contextlib.suppress(OSError):
                while True:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, piece)


def make_room(disk: Path) -> None:
    """Gives it back. Safe to repeat."""
    (disk / BALLAST).unlink(missing_ok=True)
