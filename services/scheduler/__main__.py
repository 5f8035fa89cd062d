"""Runs the scheduler: `python -m services.scheduler`."""

import sys

from services.scheduler.app import running
from services.scheduler.settings import SchedulerSettings
from shared.process import run_service


def main() -> int:
    """The process's exit code."""
    return run_service("scheduler", SchedulerSettings, running)


if __name__ == "__main__":
    sys.exit(main())
