"""A door between a client and the API, which can be shut, or held so that nothing comes through."""

import asyncio
from typing import Self

LOCALHOST = "127.0.0.1"


class Door:
    """Passes connections on to a local port. Use it as a context."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._open.set()
        self._server = await asyncio.start_server(self._connected, LOCALHOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.shut()
        for task in self._passing:
            task.cancel()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{LOCALHOST}:{self._server.sockets[0].getsockname()[1]}"

    def shut(self) -> None:
        """End all connections, and take no more."""
        self._server.close()
        for writer in self._writers:
            writer.close()

    def hold(self) -> None:
        """Let nothing through from now on; connections stay."""
        self._open.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(LOCALHOST, self._port)
        self._writers |= {writer, back}
        for pair in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._pass(*pair))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
