"""An OpenAPI document: FastAPI's own, with the bodies that are read by hand added to its components."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from services.campaign_api.http.bodies import BodyRoute

_BOUNDS: Final = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
_FASTAPIS: Final = "HTTPValidationError"
_REFERENCES: Final = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class About:
    """The API as a whole, as its document presents it."""

    title: str
    version: str
    description: str = ""
    # What each tag is about, in the order of the document. An API that describes its tags names its operations by them.
    tags: Mapping[str, str] = field(default_factory=dict)
    # Where its paths begin.
    prefix: str = "/"


def document(about: About, routers: Sequence[APIRouter]) -> dict[str, Any]:
    """The document of these routers' routes."""
    routes = [route for router in routers for route in router.routes]
    made = get_openapi(title=about.title, version=about.version, description=about.description or None, routes=routes)
    bodies = [route.body for route in routes if isinstance(route, BodyRoute) and route.body is not None]
    _, schemas = models_json_schema([(body, "validation") for body in bodies], ref_template=_REFERENCES)
    components = made.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in schemas.get("$defs", {}).items():
        components.setdefault(name, schema)
    _drop_refusals_of_fastapi(made)
    _put_nulls_back(components, routes)
    _name_bounds(made)
    if about.tags:
        made["tags"] = [{"name": name, "description": text} for name, text in about.tags.items()]
        made["servers"] = [{"url": about.prefix}]
        _name_operations(made, routes)
    return made


def _drop_refusals_of_fastapi(made: dict[str, Any]) -> None:
    """Leave out FastAPI's own refusal of bad values, which an API with another form for them never answers."""
    for methods in made["paths"].values():
        for operation in methods.values():
            refusal = operation["responses"].get("422", {})
            if _FASTAPIS in json.dumps(refusal):
                del operation["responses"]["422"]
    for name in (_FASTAPIS, "ValidationError"):
        made["components"]["schemas"].pop(name, None)


def _put_nulls_back(components: dict[str, Any], routes: Sequence[BaseRoute]) -> None:
    """Show examples of answers as their models have them: FastAPI leaves out every null of them."""
    answers = {route.response_model for route in routes if isinstance(route, APIRoute)}
    models = [each for each in answers if isinstance(each, type) and issubclass(each, BaseModel)]
    _, schemas = models_json_schema([(model, "serialization") for model in models])
    for name, schema in schemas.get("$defs", {}).items():
        if "examples" in schema and name in components:
            components[name]["examples"] = schema["examples"]


def _name_bounds(part: Any) -> None:
    """Give bounds their names in JSON Schema: pydantic leaves those of a union under its own, which say nothing."""
    if isinstance(part, list):
        for each in part:
            _name_bounds(each)
    elif isinstance(part, dict):
        for ours, theirs in _BOUNDS.items():
            # A property may have such a name; its value is a schema, not a number.
            if isinstance(part.get(ours), (int, float)):
                part[theirs] = part.pop(ours)
        for each in part.values():
            _name_bounds(each)


def _name_operations(made: dict[str, Any], routes: Sequence[BaseRoute]) -> None:
    """Give every operation an id and a summary that clients' generators and readers can use.

    The id is the tag and the endpoint's name (`campaigns_create`), unless the route has one of its own; of an endpoint
    that answers PUT and PATCH, the one by PUT says so. The summary is the first clause of the description. Raises
    ValueError for two operations of one id: give one of them its own.
    """
    seen: set[str] = set()
    for route in routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            by_method = made["paths"][route.path_format]
            operation = by_method[method.lower()]
            name = route.operation_id or operation_name(str(route.tags[0]), route.name)
            if method == "PUT" and "patch" in by_method:
                # Both are one endpoint, and PATCH has the plain name.
                name += "_by_put"
            if name in seen:
                raise ValueError(f"two operations are called {name}")
            seen.add(name)
            operation["operationId"] = name
            operation["summary"] = route.summary or summary_of(operation["description"])
            # Said of what needs no credential, too: without it a reader cannot tell it from an omission.
            operation.setdefault("security", [])


def operation_name(tag: str, endpoint: str) -> str:
    """The id of an operation by its tag and its endpoint's name: `list_all` under Calls is `calls_list`."""
    verb = re.sub(r"^(list)_all|^(get|delete)_one", lambda found: found[1] or found[2], endpoint)
    return f"{tag.lower().replace(' ', '_')}_{verb}"


def summary_of(description: str) -> str:
    """The first clause of a description, without its end."""
    return re.split(r"[.;:](?:\s|$)", description, maxsplit=1)[0]
