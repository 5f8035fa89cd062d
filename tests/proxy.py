"""A small TCP proxy in front of a server, so that a test can break the line and mend it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum, auto

SLOW_SECONDS = 0.2


class State(StrEnum):
    """What a line does with what it is given."""

    OPEN = auto()
    CUT = auto()  # connections are refused, open ones are reset
    DEAF = auto()  # what clients say is lost; answers still arrive
    MUTE = auto()  # what the server says is lost
    SLOW = auto()  # every piece takes SLOW_SECONDS longer, each way


@dataclass(slots=True)
class Line:
    """The line to a server, or to several of the same kind: the first that accepts gets a new connection."""

    targets: list[tuple[str, int]]
    state: State = State.OPEN
    listening_on: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _next: int = 0

    def cut(self) -> None:
        """Reset every connection and let none through."""
        self.state = State.CUT
        self.reset()

    def mend(self) -> None:
        """Let everything through again. What was lost meanwhile stays lost, so broken connections are reset."""
        if self.state in {State.DEAF, State.MUTE}:
            self.reset()
        self.state = State.OPEN

    def reset(self) -> None:
        """Reset every connection, in the middle of whatever it is in; new ones are welcome."""
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = None if self.state is State.CUT else await self._connect()
        if far is None:
            writer.transport.abort()
            return
        far_reader, far_writer = far
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer, State.DEAF), self._pump(far_reader, writer, State.MUTE))
        finally:
            self._writers -= {writer, far_writer}
            writer.transport.abort()
            far_writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        self._next += 1
        for n in range(len(self.targets)):
            host, port = self.targets[(self._next + n) % len(self.targets)]
            with contextlib.suppress(OSError):
                return await asyncio.open_connection(host, port)
        return None

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, loses: State) -> None:
        with contextlib.suppress(ConnectionError, OSError):
            while data := await reader.read(65536):
                if self.state is State.SLOW:
                    await asyncio.sleep(SLOW_SECONDS)
                if self.state is loses:
                    continue
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def line_to(*targets: tuple[str, int]) -> AsyncIterator[Line]:
    """A proxy on a free loopback port, until the block ends."""
    line = Line(list(targets))
    server = await asyncio.start_server(line._connected, "127.0.0.1", 0)
    line.listening_on = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        line.cut()
