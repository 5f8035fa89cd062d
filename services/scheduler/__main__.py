"""Runs the scheduler: `python -m services.scheduler`."""

import sys

from services.scheduler.app import serve
from services.scheduler.settings import SchedulerSettings
from shared.process import run_service
from shared.store.client import connect
from shared.telephony.providers import build_provider


async def _main(settings: SchedulerSettings) -> None:
    await serve(settings, store=connect(settings), provider=build_provider(settings, on_report=lambda report: None))


def main() -> int:
    """The process's exit code."""
    return run_service("scheduler", SchedulerSettings, _main)


if __name__ == "__main__":
    sys.exit(main())
