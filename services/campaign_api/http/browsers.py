"""What pages of other origins may do here: use URLs that need no credential."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALLOWED: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag, Content-Disposition"}
# The star allows every header but Authorization.
PREFLIGHT: Final = {
    **ALLOWED,
    "Access-Control-Allow-Methods": "GET, PUT, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "3600",
}


class OpenToBrowsers:
    """ASGI middleware: pages of every origin may use the addresses below `path`, refusals included."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app, self._below = app, f"{path}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._below):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, send)
            return

        async def opened(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(ALLOWED)
            await send(message)

        await self._app(scope, receive, opened)
