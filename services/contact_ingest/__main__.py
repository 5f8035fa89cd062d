"""`python -m services.contact_ingest`: runs until SIGTERM; exits with 1 when Kafka, MongoDB or a topic stay away."""

import asyncio
import signal
import sys
from contextlib import suppress

import uvloop
from pydantic import ValidationError

from services.contact_ingest.app import running
from services.contact_ingest.settings import IngestSettings
from shared.errors import DialstreamError
from shared.logs import configure_logs, get_logger


async def _run(settings: IngestSettings) -> None:
    async def serve() -> None:
        async with running(settings):
            await asyncio.Event().wait()

    serving = asyncio.create_task(serve())
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, serving.cancel)
    with suppress(asyncio.CancelledError):
        await serving


def main() -> int:
    """The process's exit code."""
    try:
        settings = IngestSettings()
    except ValidationError as error:
        sys.stderr.write(f"contact-ingest cannot start: {error}\n")
        return 2
    configure_logs(settings.log_level, "contact-ingest")
    try:
        uvloop.run(_run(settings))
    except DialstreamError as error:
        get_logger().error("contact-ingest gives up", reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
