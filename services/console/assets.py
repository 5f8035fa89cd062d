"""The files that pages load, ours and those of other projects as static/vendor/manifest.json names them.

A page names each with a sum of its content, so that a browser keeps it for good and loads another one after an upgrade.
"""

import functools
import hashlib
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parent / "static"
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
_DIGITS: Final = 16


@functools.cache
def content_of(name: str) -> bytes:
    """A file of `ASSETS`, read once: what is served is what its version was made of, also while files are replaced."""
    return (STATIC / ASSETS[name]).read_bytes()


@functools.cache
def version_of(name: str) -> str:
    """The version of a file of `ASSETS`: the first digits of its SHA-256."""
    return hashlib.sha256(content_of(name)).hexdigest()[:_DIGITS]


def address_of(name: str) -> str:
    """The path and query under which a page loads a file of `ASSETS`."""
    return f"/static/{name}?v={version_of(name)}"
