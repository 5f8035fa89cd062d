"""The HTTP server of a service: stops politely, and leaves the closing of what it serves to those who opened it."""

import contextlib
import functools
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from shared.beside import beside
from shared.health import cannot_listen
from shared.settings import StartSettings

# Longer than the idle limit of the usual clients and proxies: if we close first, their next request may meet
# the closing and fail.
KEEP_ALIVE_SECONDS: Final = 75
# Connections that wait to be accepted.
BACKLOG: Final = 2048


class _Server(uvicorn.Server):
    """Without uvicorn's own signal handling, which would end the process before connections are closed.

    Streams without an end are ended by `leave` before the server waits for the requests in flight.
    """

    def __init__(self, config: uvicorn.Config, leave: Callable[[], None]) -> None:
        super().__init__(config)
        self._leave = leave

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then what uvicorn ends."""
        self._leave()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the process's handlers as they are."""
        yield


@asynccontextmanager
async def answering(
    settings: StartSettings, app: ASGIApp, leave: Callable[[], None], *, shutdown_seconds: float
) -> AsyncIterator[None]:
    """The application answers on the port of the settings; at the end requests in flight are finished first.

    `leave` ends what has no end of its own, streams for example. Requests that last longer than `shutdown_seconds` are
    cut off. Raises `ConfigurationError` when address or port cannot be had: uvicorn itself would end the process.
    """
    listeners = _listen(settings.http_host, settings.http_port)
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=round(shutdown_seconds),
    )
    server = _Server(config, leave)
    # Cancelled, uvicorn would cut off the requests in flight.
    end = functools.partial(setattr, server, "should_exit", True)
    async with beside(server.serve(sockets=listeners), name="HTTP server", end=end):
        yield


def _listen(host: str, port: int) -> list[socket.socket]:
    """A listening socket for every address of `host`, as asyncio makes them; uvicorn closes them."""
    with contextlib.ExitStack() as undo:
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            made = [undo.enter_context(_listener(family, address)) for family, _, _, _, address in addresses]
        except OSError as error:
            raise cannot_listen(host, port, error) from error
        undo.pop_all()
    return made


def _listener(family: socket.AddressFamily, address: Any) -> socket.socket:
    # `create_server` wants no more than host and port, also of an IPv6 address.
    return socket.create_server(address[:2], family=family, backlog=BACKLOG)
