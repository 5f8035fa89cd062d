"""The simulator's own pages: its behaviour, its summary, its record, its health."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from services.carrier_simulator.book import Book
from services.carrier_simulator.settings import Behaviour

_MAX_ENTRIES = 10_000


@dataclass(slots=True)
class Control:
    """Handlers of `/simulator/...` and `/health/...`. Holds the behaviour that is in force."""

    behaviour: Behaviour
    book: Book

    @property
    def current(self) -> Callable[[], Behaviour]:
        """For those who need the behaviour of the moment."""
        return lambda: self.behaviour

    def routes(self) -> list[web.RouteDef]:
        """What `app.py` adds."""
        return [
            web.get("/simulator/settings", self.show),
            web.put("/simulator/settings", self.change),
            web.get("/simulator/summary", self.summary),
            web.get("/simulator/record", self.record),
            web.get("/health/live", self.live),
            web.get("/health/ready", self.ready),
        ]

    async def show(self, _: web.Request) -> web.Response:
        """The behaviour in force."""
        return web.json_response(self.behaviour.plain())

    async def change(self, request: web.Request) -> web.Response:
        """Changes the named settings for calls from now on; the others stay."""
        try:
            changes = await request.json()
            if not isinstance(changes, dict):
                raise ValueError("a JSON object is expected")
            self.behaviour = self.behaviour.changed(changes)
        except ValueError as error:  # pydantic's and json's errors are ValueErrors
            return web.json_response({"detail": str(error)}, status=422)
        return web.json_response(self.behaviour.plain())

    async def summary(self, _: web.Request) -> web.Response:
        """Counts since start."""
        return web.json_response(self.book.summary())

    async def record(self, request: web.Request) -> web.Response:
        """JSON lines: one when a call is placed, one when it has ended. `?after=` a number, `&limit=`."""
        try:
            after = int(request.query.get("after", "0"))
            limit = min(int(request.query.get("limit", str(_MAX_ENTRIES))), _MAX_ENTRIES)
        except ValueError:
            return web.json_response({"detail": "after and limit must be whole numbers"}, status=422)
        lines = self.book.record_after(max(0, after), max(1, limit))
        return web.Response(text="".join(f"{line}\n" for line in lines), content_type="application/x-ndjson")

    async def live(self, _: web.Request) -> web.Response:
        """The process runs."""
        return web.json_response({"status": "live"})

    async def ready(self, _: web.Request) -> web.Response:
        """The simulator depends on no other server, so it is ready when it runs."""
        return web.json_response({"status": "ready"})
