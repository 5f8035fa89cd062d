"""Writes docs/openapi/native.json from the routes of campaign-api: `python -m deploy.openapi`.

A test fails while the file and the code disagree.
"""

import json
from pathlib import Path
from typing import Any, Final

import typer

from services.campaign_api.app import ROUTERS
from services.campaign_api.http import openapi
from services.campaign_api.native import app as native

FILE: Final = Path(__file__).parent.parent / "docs" / "openapi" / "native.json"


def document() -> dict[str, Any]:
    """The OpenAPI document of the native API, as a running campaign-api has it at /openapi.json."""
    return openapi.document(native.ABOUT, [*native.ROUTERS, *ROUTERS])


def rendered() -> str:
    """The document as JSON, in lines, so that a difference can be read."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write docs/openapi/native.json."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(rendered(), encoding="utf-8")
    print(f"Wrote {FILE.relative_to(Path.cwd()) if FILE.is_relative_to(Path.cwd()) else FILE}.")


if __name__ == "__main__":
    typer.run(main)
