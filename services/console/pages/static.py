"""Serving the files that pages load."""

from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.console.assets import ASSETS, content_of, version_of

router = APIRouter()
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
# Where an upgrade has reached one console and not yet another, a page may ask for a version that is not here: what it
# gets must not be kept under that name.
_FOR_GOOD, _NOT_KEPT = "max-age=31536000, immutable", "no-cache"


@router.get("/static/{name}")
async def asset(name: str, v: str | None = None) -> Response:
    """A file that pages load, for good under its version."""
    if name not in ASSETS:
        raise HTTPException(404)
    kept = _FOR_GOOD if v == version_of(name) else _NOT_KEPT
    media_type = _TYPES[name.rpartition(".")[2]]
    return Response(content_of(name), media_type=media_type, headers={"Cache-Control": kept})
