"""webhook-sender as in production, but for hours that are seconds: `python -m tests.chaos.impatient_sender`.

A run lasts minutes: what was refused is tried again soon, and what a killed sender had taken is taken by others soon.
"""

import sys
from datetime import timedelta
from typing import Final
from unittest.mock import patch

from services.webhook_sender import sender
from services.webhook_sender.app import running
from services.webhook_sender.settings import SenderSettings
from shared.domain import webhooks
from shared.process import run_service

# As many as there are, so that as many tries make a dead letter.
RETRY_SECONDS: Final = (0.5, 1, 2, 2, 3, 3, 3)
# A try that begins at the last moment, and its mark, are over before another sender may take the delivery.
TAKEN: Final = timedelta(seconds=20)
LAST_START: Final = timedelta(seconds=12)


def main() -> int:
    """The process's exit code."""
    with (
        patch.object(webhooks, "RETRY_SECONDS", RETRY_SECONDS),
        patch.multiple(sender, TAKEN=TAKEN, LAST_START=LAST_START),
    ):
        return run_service("webhook-sender", SenderSettings, running)


if __name__ == "__main__":
    sys.exit(main())
