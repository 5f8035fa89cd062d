"""The documentation for people, of the application that includes this: all of it served from here, without internet."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

router = APIRouter()
STATIC: Final = Path(__file__).parents[1] / "static"
# What the page loads, and as what, by addresses relative to its own, so that each dialect has the page beside its own
# document. Swagger UI is the npm package `swagger-ui-dist`; to renew it, copy the files that
# static/swagger-ui/manifest.json names and write down its version and their SHA-256 there.
ASSETS: Final = {
    "docs.js": ("docs.js", "text/javascript"),
    "swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", "text/javascript"),
    "swagger-ui.css": ("swagger-ui/swagger-ui.css", "text/css"),
    "favicon.png": ("swagger-ui/favicon-32x32.png", "image/png"),
}
# The browser refuses whatever does not come from here. Swagger UI sets styles of its own and draws with data URLs.
_NOTHING_FROM_OUTSIDE: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_AN_HOUR: Final = {"Cache-Control": "max-age=3600"}


@router.get("/docs", include_in_schema=False)
async def docs() -> FileResponse:
    """The documentation of every route, to read and to try out."""
    headers = {"Content-Security-Policy": _NOTHING_FROM_OUTSIDE}
    return FileResponse(STATIC / "docs.html", media_type="text/html", headers=headers)


@router.get("/docs/{name}", include_in_schema=False)
async def asset(name: str) -> FileResponse:
    """A file that the page loads."""
    if name not in ASSETS:
        raise HTTPException(404)
    file, media_type = ASSETS[name]
    return FileResponse(STATIC / file, media_type=media_type, headers=_AN_HOUR)
