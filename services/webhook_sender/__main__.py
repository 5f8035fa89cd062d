"""Runs webhook-sender: `python -m services.webhook_sender`."""

import sys

from services.webhook_sender.app import running
from services.webhook_sender.settings import SenderSettings
from shared.process import run_service


def main() -> int:
    """The process's exit code."""
    return run_service("webhook-sender", SenderSettings, running)


if __name__ == "__main__":
    sys.exit(main())
