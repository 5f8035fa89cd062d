"""A receiver for the bench, as a process: it accepts everything, as fast as one core can.

`python -m tests.bench.receiver PORT`; GET answers how many it has accepted.
"""

import asyncio
import sys
from typing import Final, cast

import uvloop

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


class _Counting(asyncio.Protocol):
    """As little of HTTP as a sender needs: heads are not parsed but for the body's length."""

    accepted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is none by class.
        self._transport, self._buffer = cast(asyncio.Transport, transport), b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(_HEAD_END)) >= 0:
            head = self._buffer[:end].lower()
            place = head.find(_LENGTH)
            length = 0 if place < 0 else int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0])
            whole = end + len(_HEAD_END) + length
            if len(self._buffer) < whole:
                return
            self._buffer = self._buffer[whole:]
            if head.startswith(b"get"):
                said = str(_Counting.accepted).encode()
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))
            else:
                _Counting.accepted += 1
                self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Counting, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
