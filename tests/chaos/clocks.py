"""Processes whose clock is wrong, by Debian's libfaketime where it is installed."""

from pathlib import Path
from typing import Final

# One executor is ahead and one scheduler behind, by less than a lock lives.
OFFSETS: Final = {"executor-1": "+5s", "scheduler-1": "-5s"}


def wrong_clocks() -> dict[str, dict[str, str]]:
    """Environment variables by process; empty where the library is not installed."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        return {}
    # The monotonic clock stays right, as it does when somebody sets a machine's time.
    library = {"LD_PRELOAD": str(found[0]), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return {name: {**library, "FAKETIME": offset} for name, offset in OFFSETS.items()}
