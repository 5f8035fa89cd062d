"""Path segments with any characters in them: an external_id may hold slashes, blanks and the rest.

Servers decode a path before it is routed, which turns `%2F` into a separator. Here paths are routed as they
were sent, and each segment is decoded by itself.
"""

from typing import Annotated, Final
from urllib.parse import quote, unquote_to_bytes

from fastapi import Path
from pydantic import AfterValidator
from starlette.types import ASGIApp, Receive, Scope, Send

from services.campaign_api.http.requests import as_stored

# What may stand in a segment undecoded (RFC 3986, pchar); one spelling for each path.
_PLAIN: Final = "!$&'()*+,;=:@"


class RouteEncodedPaths:
    """ASGI middleware: routes by the path as it was sent, so that `%2F` stays inside its segment."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": _canonical(scope)}
        await self._app(scope, receive, send)


def _canonical(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return "/".join(quote(unquote_to_bytes(segment), safe=_PLAIN) for segment in raw.split(b"/"))


def decoded(segment: str) -> str:
    """The segment's text. Raises `ValueError` for what is no UTF-8."""
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise ValueError("must be percent-encoded UTF-8") from None


OurRef = Annotated[
    str,
    Path(description="The id.", min_length=1, json_schema_extra={"format": "uuid"}),
    AfterValidator(decoded),
    AfterValidator(as_stored),
]


def decoded_leniently(segment: str) -> str:
    """The segment's text, whatever it holds: what is no UTF-8 becomes a text that nothing is called."""
    return unquote_to_bytes(segment).decode(errors="replace")
