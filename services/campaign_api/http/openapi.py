"""The OpenAPI document: FastAPI's own, with the bodies that are read by hand added to its components."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

TITLE: Final = "Dialstream"
DESCRIPTION: Final = """Outbound calling campaigns for voice agents.

Every request carries `Authorization: Bearer …`: an organization key (`ak_…`), or a personal token (`pat_…`)
together with the header `X-Anyreach-Org`. Times are ISO 8601 in UTC. A campaign or contact can be addressed
by its id or by your own `external_id`, percent-encoded.
"""
_REFERENCES: Final = "#/components/schemas/{model}"


def install_openapi(app: FastAPI, bodies: Sequence[type[BaseModel]]) -> None:
    """Serve the document with these request bodies; built once, at the first request."""
    built: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not built:
            built.update(_document(app, bodies))
        return built

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it


def _document(app: FastAPI, bodies: Sequence[type[BaseModel]]) -> dict[str, Any]:
    document = get_openapi(title=TITLE, version=app.version, description=DESCRIPTION, routes=app.routes)
    _, schemas = models_json_schema([(body, "validation") for body in bodies], ref_template=_REFERENCES)
    components = document["components"]["schemas"]
    for name, schema in schemas["$defs"].items():
        components.setdefault(name, schema)
    return document
