"""How often an organization may call one phone, and how fast it calls."""

from typing import Annotated

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.native import translate
from services.campaign_api.native.auth import ConcurrencyManager, ConcurrencyReader
from services.campaign_api.native.schemas.limits import EditLimits, Limits
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.engine.limits import edit_limits, get_limits

router = APIRouter(prefix="/campaign", tags=["Limits"], route_class=BodyRoute)


@router.get("/limits", responses=problems())
async def get(engine: ThisEngine, caller: ConcurrencyReader) -> Limits:
    """Get the organization's limits."""
    return translate.limits_view(await get_limits(engine, caller.organization_id))


@router.patch("/limits", responses=body_problems())
async def edit(
    engine: ThisEngine, caller: ConcurrencyManager, body: Annotated[EditLimits, json_body(EditLimits)]
) -> Limits:
    """Change the organization's limits; they hold for calls claimed from then on."""
    changes = body.model_dump(exclude_unset=True)
    return translate.limits_view(await edit_limits(engine, caller.organization_id, changes))
