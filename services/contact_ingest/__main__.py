"""Runs contact-ingest: `python -m services.contact_ingest`."""

import sys

from services.contact_ingest.app import running
from services.contact_ingest.settings import IngestSettings
from shared.process import run_service


def main() -> int:
    """The process's exit code."""
    return run_service("contact-ingest", IngestSettings, running)


if __name__ == "__main__":
    sys.exit(main())
