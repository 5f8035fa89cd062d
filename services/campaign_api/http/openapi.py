"""An OpenAPI document: FastAPI's own, with the bodies that are read by hand added to its components."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from services.campaign_api.http.bodies import BodyRoute

_REFERENCES: Final = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class About:
    """The API as a whole, as its document presents it."""

    title: str
    version: str
    description: str = ""


def document(about: About, routers: Sequence[APIRouter]) -> dict[str, Any]:
    """The document of these routers' routes."""
    routes = [route for router in routers for route in router.routes]
    made = get_openapi(title=about.title, version=about.version, description=about.description or None, routes=routes)
    bodies = [route.body for route in routes if isinstance(route, BodyRoute) and route.body is not None]
    _, schemas = models_json_schema([(body, "validation") for body in bodies], ref_template=_REFERENCES)
    components = made.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in schemas.get("$defs", {}).items():
        components.setdefault(name, schema)
    return made
