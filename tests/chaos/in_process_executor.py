"""The call-executor as in production, with calls that it holds itself: `python -m tests.chaos.in_process_executor`."""

import sys

from pydantic import ValidationError

from services.call_executor.app import serve
from services.call_executor.settings import ExecutorSettings
from shared.logs import configure_logs
from shared.process import refuse_to_start, run_until_stopped
from shared.store.client import connect
from tests.chaos.held_line import HeldLineProvider


async def _main(settings: ExecutorSettings) -> None:
    await serve(
        settings, store=connect(settings), build_provider=lambda on_report: HeldLineProvider(settings, on_report)
    )


def main() -> int:
    """The process's exit code."""
    try:
        settings = ExecutorSettings()
    except ValidationError as error:
        return refuse_to_start(error)
    configure_logs(settings.log_level, "call-executor")
    return run_until_stopped(_main(settings))


if __name__ == "__main__":
    sys.exit(main())
