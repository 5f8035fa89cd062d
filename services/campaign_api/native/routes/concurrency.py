"""How many calls an organization may have at once."""

from typing import Annotated

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.native import translate
from services.campaign_api.native.auth import ConcurrencyManager, ConcurrencyReader
from services.campaign_api.native.schemas.concurrency import Concurrency, SetConcurrency
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.engine.concurrency import get_concurrency, set_concurrency

router = APIRouter(prefix="/campaign", tags=["Concurrency"], route_class=BodyRoute)


@router.get("/concurrency-settings", responses=problems())
async def get(engine: ThisEngine, caller: ConcurrencyReader) -> Concurrency:
    """Get the limit, and how many calls are active."""
    return translate.concurrency_view(await get_concurrency(engine, caller.organization_id))


@router.put("/concurrency-settings", responses=body_problems())
async def put(
    engine: ThisEngine, caller: ConcurrencyManager, body: Annotated[SetConcurrency, json_body(SetConcurrency)]
) -> Concurrency:
    """Set the limit; calls that are active go on."""
    return translate.concurrency_view(await set_concurrency(engine, caller.organization_id, body.concurrency_limit))
