"""A receiver of webhooks with a record of its own; what it answers, its path says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from aiohttp import web

CHUNK: Final = b"x" * 65_536
GIGABYTE: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Got:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """Its JSON."""
        return orjson.loads(self.raw)


@dataclass(slots=True)
class Receiver:
    """`/ok` accepts, `/hang` never answers, `/large` answers a gigabyte, `/status/N` says N, `/to` redirects to /ok."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    sent_bytes: int = 0
    large_left: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def at(self, path: str) -> list[Got]:
        """What came to one path."""
        return [one for one in self.got if one.path == path]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.got.append(Got(request.path, dict(request.headers), await request.read()))
        match request.path.split("/")[1:]:
            case ["status", status]:
                return web.Response(status=int(status), text="no, thank you")
            case ["hang"]:
                await self.released.wait()
            case ["to"]:
                raise web.HTTPTemporaryRedirect(f"{self.url}/ok")
            case ["large"]:
                return await self._large(request)
        return web.Response(text="thanks")

    async def _large(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": str(GIGABYTE)})
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(GIGABYTE // len(CHUNK)):
                await answer.write(CHUNK)
                self.sent_bytes += len(CHUNK)
        self.large_left.set()
        return answer


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port of the loopback interface."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        receiver.released.set()
        await runner.cleanup()
