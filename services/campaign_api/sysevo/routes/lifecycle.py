"""What moves a campaign: start, pause, resume, redial. The answer is the campaign; of a redial, the new one."""

from collections.abc import Collection
from typing import Annotated, Final

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute, optional_json_body
from services.campaign_api.http.credentials import Caller
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.sysevo.auth import Manager
from services.campaign_api.sysevo.errors import Declined
from services.campaign_api.sysevo.routes.campaigns import changed_campaign, shown_campaign
from services.campaign_api.sysevo.schemas.campaigns import CampaignView, PatchCampaign, RedialCampaign
from services.campaign_api.sysevo.schemas.problems import body_problems, problems
from services.campaign_api.sysevo.schemas.settings import RetryConfig
from services.campaign_api.sysevo.states import PAUSED_FROM, RESUMED_FROM, STARTED_FROM
from services.campaign_api.sysevo.translate import redial_outcomes
from services.campaign_api.sysevo.values import MAX_BODY_BYTES, Id
from shared.clock import utc_now
from shared.domain.campaign import CampaignMove, CampaignState
from shared.engine import campaigns
from shared.engine.calling_numbers import campaign_has_number
from shared.engine.engine import Engine
from shared.engine.redial import redial_campaign
from shared.errors import Kind, WrongState

router = APIRouter(prefix="/api/v1/campaign", tags=["Campaigns"], route_class=BodyRoute)
NO_NUMBER: Final = "There is no number to call with; set up telephony: add a number to a telephony configuration first"


@router.post("/{campaign_id}/start", responses=problems(400, 404))
async def start(engine: ThisEngine, caller: Manager, campaign_id: Id) -> CampaignView:
    """Start a campaign that was never started."""
    return await _moved(engine, caller, campaign_id, CampaignMove.START, STARTED_FROM)


@router.post("/{campaign_id}/pause", responses=problems(400, 404))
async def pause(engine: ThisEngine, caller: Manager, campaign_id: Id) -> CampaignView:
    """Pause a campaign; calls in flight complete."""
    return await _moved(engine, caller, campaign_id, CampaignMove.PAUSE, PAUSED_FROM)


@router.post("/{campaign_id}/resume", responses=problems(400, 404))
async def resume(engine: ThisEngine, caller: Manager, campaign_id: Id) -> CampaignView:
    """Resume a paused campaign; its circuit breaker begins anew."""
    return await _moved(engine, caller, campaign_id, CampaignMove.START, RESUMED_FROM)


@router.post("/{campaign_id}/redial", responses=body_problems(400, 404))
async def redial(
    engine: ThisEngine,
    caller: Manager,
    campaign_id: Id,
    body: Annotated[RedialCampaign, optional_json_body(RedialCampaign, MAX_BODY_BYTES)],
) -> CampaignView:
    """Make a new draft of the contacts of a completed campaign that were not reached; once."""
    parent = await campaigns.campaign_of_number(engine, caller.organization_id, campaign_id)
    child = await redial_campaign(
        engine,
        caller.organization_id,
        parent.id,
        name=body.name,
        outcomes=redial_outcomes(body),
        now=utc_now(),
        by=caller.actor,
    )
    if body.retry_config is not None:
        whole = RetryConfig(**body.retry_config.model_dump())
        child = await changed_campaign(engine, caller, child, PatchCampaign(retry_config=whole))
    return await shown_campaign(engine, caller, child)


async def _moved(
    engine: Engine, caller: Caller, number: int, move: CampaignMove, only_from: Collection[CampaignState]
) -> CampaignView:
    before = await campaigns.campaign_of_number(engine, caller.organization_id, number)
    now = utc_now()
    state = before.shown(now).state
    if state not in only_from:
        raise WrongState(Kind.CAMPAIGN, before.id, state, move)
    if move is CampaignMove.START and not await campaign_has_number(engine, caller.organization_id, before.id):
        raise Declined(401, NO_NUMBER)
    moved = await campaigns.move_campaign(
        engine, caller.organization_id, before.id, move, now, by=caller.actor, only_in=only_from
    )
    return await shown_campaign(engine, caller, moved)
