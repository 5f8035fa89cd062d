"""Health and metrics; nobody has to sign in for them."""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from services.console.desk import console_of
from shared.health import exposition, failed_checks

router = APIRouter()


@router.get("/health/live")
async def live() -> Response:
    """Whether the process runs."""
    return JSONResponse({"status": "live"})


@router.get("/health/ready")
async def ready(request: Request) -> Response:
    """Whether campaign-api can be reached and is ready itself."""
    away = await failed_checks({"campaign-api": console_of(request).api.is_ready})
    if away:
        return JSONResponse({"status": "not ready", "away": away}, 503, headers={"Retry-After": "1"})
    return JSONResponse({"status": "ready"})


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus."""
    return Response(await exposition({}), media_type=CONTENT_TYPE_LATEST)
