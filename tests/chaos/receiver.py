"""A customer's receiver of webhooks, with a record of its own: `python -m tests.chaos.receiver PORT FILE`.

Each request is in the record before it is answered. Paths are `/{name}/{organization}`; how the receiver of a name
behaves is told by `PUT /moods/{name}`.
"""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Final

import orjson
from aiohttp import web

from deploy.local.home import LOCALHOST
from shared.clock import utc_now

# Longer than a sender waits for an answer, and shorter than that.
HANGS_SECONDS: Final = 20.0
SLOW_SECONDS: Final = 3.0


class Mood(StrEnum):
    """How a receiver behaves; all but the last two accept nothing."""

    FAILS = "500"
    HANGS = "hangs"
    BREAKS_OFF = "breaks off"
    SLOW = "slow"
    WELL = "well"


@dataclass(slots=True)
class Receiver:
    """Writes each request into `record`, a line of JSON for each, and answers as its mood is."""

    record: IO[bytes]
    moods: dict[str, Mood] = field(default_factory=dict)

    async def on_mood(self, request: web.Request) -> web.Response:
        """The receiver of a name behaves otherwise from now on."""
        self.moods[request.match_info["name"]] = Mood(await request.text())
        return web.Response()

    async def on_post(self, request: web.Request) -> web.Response:
        """One webhook."""
        name, came_at = request.match_info["name"], utc_now()
        mood = self.moods.get(name, Mood.WELL)
        body = await request.read()
        if mood is Mood.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        accepted = mood in {Mood.WELL, Mood.SLOW}
        self._write(request, came_at, body, accepted=accepted)
        if mood is Mood.HANGS:
            await asyncio.sleep(HANGS_SECONDS)
        if mood is Mood.BREAKS_OFF and request.transport is not None:
            request.transport.abort()
        return web.Response(status=204 if accepted else 500)

    def _write(self, request: web.Request, came_at: datetime, body: bytes, *, accepted: bool) -> None:
        entry: Mapping[str, Any] = {
            "at": came_at,
            "receiver": request.match_info["name"],
            "organization_id": request.match_info["organization"],
            "id": request.headers["webhook-id"],
            "accepted": accepted,
            "body": orjson.loads(body),
        }
        self.record.write(orjson.dumps(entry) + b"\n")
        self.record.flush()


async def main(port: int, file: Path) -> None:
    """Receive until the process is ended."""
    with file.open("ab") as record:
        receiver = Receiver(record)
        app = web.Application()
        app.router.add_put("/moods/{name}", receiver.on_mood)
        app.router.add_post("/{name}/{organization}", receiver.on_post)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, LOCALHOST, port).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
