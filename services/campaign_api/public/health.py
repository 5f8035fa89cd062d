"""Health and metrics; no credential is needed."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from services.campaign_api.gateway import ThisGateway
from services.campaign_api.http.faults import RETRY_AFTER_SECONDS
from services.campaign_api.public.health_schemas import Live, NotReady, Ready
from shared.health import Check, exposition, failed_checks

router = APIRouter(tags=["Health"])


@router.get("/health/live")
async def live() -> Live:
    """Whether the process runs."""
    return Live()


@router.get("/health/ready", response_model=Ready, responses={503: {"model": NotReady}})
async def ready(gateway: ThisGateway) -> Ready | JSONResponse:
    """Whether Kafka and MongoDB answer; names what is away."""
    away = await failed_checks(_checks(gateway))
    if not away:
        return Ready()
    body = NotReady(detail=f"Away: {', '.join(away)}.", away=away)
    return JSONResponse(body.model_dump(), 503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


@router.get("/metrics", response_class=Response)
async def metrics(gateway: ThisGateway) -> Response:
    """The process's metrics, for Prometheus."""
    return Response(await exposition(_checks(gateway)), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _checks(gateway: ThisGateway) -> dict[str, Check]:
    return {"kafka": gateway.producer.ping, "mongodb": gateway.edge.engine.store.ping}
