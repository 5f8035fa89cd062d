"""What carrier, probes and Prometheus ask for has a document of its own: `/operations/openapi.json`."""

from functools import cache
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.campaign_api.carrier import routes as carrier
from services.campaign_api.http import docs_page, openapi
from services.campaign_api.http.openapi import About
from services.campaign_api.public import health

ABOUT: Final = About(
    title="Dialstream: carrier and operation",
    version="1.0.0",
    description="What the carrier, probes and Prometheus ask campaign-api for. Customers need none of it.",
    tags={
        "Carrier": "Where the carrier reports its calls; it signs its requests.",
        "Health": "For probes and Prometheus; no credential is needed.",
    },
)
ROUTERS: Final = (carrier.router, health.router)
router = APIRouter(prefix="/operations", include_in_schema=False)
router.include_router(docs_page.router)


@router.get("/openapi.json")
async def document() -> JSONResponse:
    """The OpenAPI document of these routes."""
    return JSONResponse(_document())


@cache
def _document() -> dict[str, Any]:
    return openapi.document(ABOUT, ROUTERS)
