"""What an organization says of hours for all its calls: closed days, legal hours."""

from typing import Annotated

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.native import translate
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.schemas.calling_hours import CallingHours, EditCallingHours
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.engine.calling_hours import edit_calling_hours, get_calling_hours

router = APIRouter(prefix="/campaign", tags=["Calling hours"], route_class=BodyRoute)


@router.get("/calling-hours-settings", responses=problems())
async def get(engine: ThisEngine, caller: CampaignReader) -> CallingHours:
    """Get the closed days of all calls, and whether legal hours are kept."""
    return translate.calling_hours_view(await get_calling_hours(engine, caller.organization_id))


@router.patch("/calling-hours-settings", responses=body_problems())
async def edit(
    engine: ThisEngine, caller: CampaignManager, body: Annotated[EditCallingHours, json_body(EditCallingHours)]
) -> CallingHours:
    """Change the closed days of all calls, and whether legal hours are kept; calls follow within a second."""
    changes = translate.calling_hours_changes(body)
    return translate.calling_hours_view(await edit_calling_hours(engine, caller.organization_id, changes))
