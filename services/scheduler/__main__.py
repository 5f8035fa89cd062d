"""Runs the scheduler: `python -m services.scheduler`."""

import sys

from pydantic import ValidationError

from services.scheduler.app import serve
from services.scheduler.settings import SchedulerSettings
from shared.logs import configure_logs
from shared.process import refuse_to_start, run_until_stopped
from shared.store.client import connect
from shared.telephony.providers import build_provider


async def _main(settings: SchedulerSettings) -> None:
    await serve(settings, store=connect(settings), provider=build_provider(settings, on_report=lambda report: None))


def main() -> int:
    """The process's exit code."""
    try:
        settings = SchedulerSettings()
    except ValidationError as error:
        return refuse_to_start(error)
    configure_logs(settings.log_level, "scheduler")
    return run_until_stopped(_main(settings))


if __name__ == "__main__":
    sys.exit(main())
