"""One dialect's application: routes, the form of its refusals, its OpenAPI document."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI

from services.campaign_api.http import openapi
from services.campaign_api.http.edge import Edge
from services.campaign_api.http.errors import Form, install_errors
from services.campaign_api.http.openapi import About


def application(
    about: About,
    routers: Sequence[APIRouter],
    form: Form,
    edge: Edge,
    *,
    also_documented: Sequence[APIRouter] = (),
    documented_elsewhere: Sequence[APIRouter] = (),
    openapi_url: str | None = "/openapi.json",
    **options: Any,
) -> FastAPI:
    """The application. A mounted one's lifespan never runs: what works in the background belongs to the root.

    Its document lists the routes of `also_documented`, which another application answers, first. The routes of
    `documented_elsewhere` are answered here and are in no document of this application.
    """
    app = FastAPI(
        title=about.title,
        version=about.version,
        openapi_url=openapi_url,
        docs_url=None,  # FastAPI's page loads its parts from elsewhere: see docs_page.py
        redoc_url=None,
        redirect_slashes=False,
        **options,
    )
    app.state.edge = edge
    for router in (*routers, *documented_elsewhere):
        app.include_router(router)
    install_errors(app, form)
    # FastAPI's documented way to extend it; built once, at the first request.
    app.openapi = cache(lambda: openapi.document(about, [*also_documented, *routers]))  # type: ignore[method-assign]
    return app
