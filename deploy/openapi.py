"""Writes docs/openapi/*.json from the routes of campaign-api: `python -m deploy.openapi`.

A test fails while the files and the code disagree.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import typer

from services.campaign_api import operations
from services.campaign_api.app import ROUTERS
from services.campaign_api.http import openapi
from services.campaign_api.native import app as native
from services.campaign_api.smartalex import app as smartalex
from services.campaign_api.sysevo import app as sysevo
from services.campaign_api.talkturo import app as talkturo

FOLDER: Final = Path(__file__).parent.parent / "docs" / "openapi"


def documents() -> Mapping[str, dict[str, Any]]:
    """The OpenAPI documents by file name, as a running campaign-api has them at `/openapi.json` below each prefix."""
    return {
        "native.json": openapi.document(native.ABOUT, [*native.ROUTERS, *ROUTERS]),
        "operations.json": openapi.document(operations.ABOUT, operations.ROUTERS),
        "smartalex.json": openapi.document(smartalex.ABOUT, smartalex.ROUTERS),
        "sysevo.json": openapi.document(sysevo.ABOUT, sysevo.ROUTERS),
        "talkturo.json": openapi.document(talkturo.ABOUT, talkturo.ROUTERS),
    }


def rendered(document: Mapping[str, Any]) -> str:
    """The document as JSON, in lines, so that a difference can be read."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write docs/openapi/*.json."""
    FOLDER.mkdir(exist_ok=True)
    for name, document in documents().items():
        (FOLDER / name).write_text(rendered(document), encoding="utf-8")
    print(f"Wrote {FOLDER.relative_to(Path.cwd()) if FOLDER.is_relative_to(Path.cwd()) else FOLDER}/*.json.")


if __name__ == "__main__":
    typer.run(main)
