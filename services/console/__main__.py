"""Runs the console: `python -m services.console`."""

import sys

from services.console.app import serving
from services.console.settings import ConsoleSettings
from shared.process import run_service


def main() -> int:
    """The process's exit code."""
    return run_service("console", ConsoleSettings, serving)


if __name__ == "__main__":
    sys.exit(main())
