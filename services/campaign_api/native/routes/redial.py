"""Redial: call those again whom a campaign has not reached."""

from typing import Annotated

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute, optional_json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.native import translate
from services.campaign_api.native.auth import CampaignManager
from services.campaign_api.native.paths import CampaignRef
from services.campaign_api.native.schemas.campaigns import CampaignView
from services.campaign_api.native.schemas.imports import RedialCampaign
from services.campaign_api.native.schemas.problems import body_problems
from shared.clock import utc_now
from shared.engine.redial import NOT_REACHED, redial_campaign

router = APIRouter(prefix="/campaign/campaigns", tags=["Campaigns"], route_class=BodyRoute)


@router.post("/{campaign}/redial", responses=body_problems(400, 404, 409))
async def redial(
    engine: ThisEngine,
    caller: CampaignManager,
    campaign: CampaignRef,
    body: Annotated[RedialCampaign, optional_json_body(RedialCampaign)],
) -> CampaignView:
    """Make a draft that calls those again whom a completed or closed campaign has not reached, once for a campaign.

    Its contacts are copied in the background: never those answered in any call or on the do-not-call list, and each
    number once.
    """
    now = utc_now()
    outcomes = body.outcomes if body.outcomes is not None else NOT_REACHED
    child = await redial_campaign(
        engine, caller.organization_id, campaign, name=body.name, outcomes=outcomes, now=now, by=caller.actor
    )
    return translate.campaign_view(child, now)
