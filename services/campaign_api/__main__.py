"""Runs campaign-api: `python -m services.campaign_api`."""

import sys

from services.campaign_api.server import serving
from services.campaign_api.settings import ApiSettings
from shared.process import run_service


def main() -> int:
    """The process's exit code."""
    return run_service("campaign-api", ApiSettings, serving)


if __name__ == "__main__":
    sys.exit(main())
