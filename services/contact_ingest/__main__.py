"""Runs contact-ingest: `python -m services.contact_ingest`."""

import asyncio
import sys

from services.contact_ingest.app import running
from services.contact_ingest.settings import IngestSettings
from shared.process import run_service


async def _main(settings: IngestSettings) -> None:
    async with running(settings):
        await asyncio.Event().wait()


def main() -> int:
    """The process's exit code."""
    return run_service("contact-ingest", IngestSettings, _main)


if __name__ == "__main__":
    sys.exit(main())
