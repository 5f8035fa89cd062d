"""Runs a call-executor: `python -m services.call_executor`."""

import sys

from services.call_executor.app import running
from services.call_executor.settings import ExecutorSettings
from shared.process import run_service


def main() -> int:
    """The process's exit code."""
    return run_service("call-executor", ExecutorSettings, running)


if __name__ == "__main__":
    sys.exit(main())
