"""The files that pages load: ours, and those of other projects as static/vendor/manifest.json names them."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

router = APIRouter()
STATIC: Final = Path(__file__).parents[1] / "static"
# To renew one of vendor/, copy the files that the manifest names out of the npm package, and write down its version and
# their SHA-256 there.
ASSETS: Final = {
    "console.css": "console.css",
    "console.js": "console.js",
    "polling.js": "polling.js",
    "icon.svg": "icon.svg",
    "pico.css": "vendor/pico.min.css",
    "htmx.js": "vendor/htmx.min.js",
    "hx-sse.js": "vendor/hx-sse.min.js",
    "uplot.js": "vendor/uPlot.iife.min.js",
    "uplot.css": "vendor/uPlot.min.css",
}
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@router.get("/static/{name}")
async def asset(name: str) -> Response:
    """A file that pages load."""
    if name not in ASSETS:
        raise HTTPException(404)
    media_type = _TYPES[name.rpartition(".")[2]]
    return FileResponse(STATIC / ASSETS[name], media_type=media_type, headers={"Cache-Control": "max-age=3600"})
