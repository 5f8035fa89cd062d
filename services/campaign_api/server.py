"""The HTTP server: stops politely, and leaves the closing of Kafka and MongoDB to those who opened them."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from typing import Final

import uvicorn

from services.campaign_api.app import running
from services.campaign_api.settings import ApiSettings

# Longer than the idle limit of the usual clients and proxies: if we close first, their next request may meet
# the closing and fail.
KEEP_ALIVE_SECONDS: Final = 75


class _Server(uvicorn.Server):
    """Without uvicorn's own signal handling, which would end the process before connections are closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the process's handlers as they are."""
        yield


async def serve(settings: ApiSettings) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are finished first."""
    async with running(settings) as app:
        config = uvicorn.Config(
            app,
            host=settings.http_host,
            port=settings.http_port,
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=round(settings.shutdown_seconds),
        )
        server = _Server(config)
        for name in (signal.SIGTERM, signal.SIGINT):
            # From here on a signal ends the server and not, as while starting, the task.
            asyncio.get_running_loop().add_signal_handler(name, setattr, server, "should_exit", True)
        await server.serve()
