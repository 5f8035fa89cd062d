"""The call-executor as in production, with calls that it holds itself: `python -m tests.chaos.in_process_executor`."""

import sys

from services.call_executor.app import running
from services.call_executor.settings import ExecutorSettings
from shared.process import run_service
from tests.chaos.held_line import HeldLineProvider


def main() -> int:
    """The process's exit code."""
    return run_service("call-executor", ExecutorSettings, lambda settings: running(settings, HeldLineProvider))


if __name__ == "__main__":
    sys.exit(main())
