"""Runs a call-executor: `python -m services.call_executor`."""

import sys

from services.call_executor.app import serve
from services.call_executor.settings import ExecutorSettings
from shared.process import run_service
from shared.store.client import connect
from shared.telephony.providers import build_provider


async def _main(settings: ExecutorSettings) -> None:
    await serve(settings, store=connect(settings), build_provider=lambda on_report: build_provider(settings, on_report))


def main() -> int:
    """The process's exit code."""
    return run_service("call-executor", ExecutorSettings, _main)


if __name__ == "__main__":
    sys.exit(main())
