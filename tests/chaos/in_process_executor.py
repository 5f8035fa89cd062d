"""The call-executor as in production, with calls that it holds itself: `python -m tests.chaos.in_process_executor`."""

import sys

from services.call_executor.app import serve
from services.call_executor.settings import ExecutorSettings
from shared.process import run_service
from shared.store.client import connect
from tests.chaos.held_line import HeldLineProvider


async def _main(settings: ExecutorSettings) -> None:
    await serve(
        settings, store=connect(settings), build_provider=lambda on_report: HeldLineProvider(settings, on_report)
    )


def main() -> int:
    """The process's exit code."""
    return run_service("call-executor", ExecutorSettings, _main)


if __name__ == "__main__":
    sys.exit(main())
