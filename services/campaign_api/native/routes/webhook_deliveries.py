"""Deliveries of a webhook: list, read, make again; its dead letters."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.campaign_api.http.bodies import BodyRoute
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.paths import OurRef
from services.campaign_api.native import translate_webhooks
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.schemas.problems import problems
from services.campaign_api.native.schemas.webhooks import DeliveryPage, DeliveryView, Replayed
from shared.clock import utc_now
from shared.engine import webhooks
from shared.engine.webhooks import DeliveryState

router = APIRouter(prefix="/campaign", tags=["Webhooks"], route_class=BodyRoute)
StateFilter = Annotated[DeliveryState | None, Query(description="Only those in this state; `dead`: dead letters.")]


@router.get("/webhooks/{webhook_id}/deliveries", operation_id="webhooks_list_deliveries", responses=problems(400, 404))
async def list_all(
    engine: ThisEngine,
    caller: CampaignReader,
    webhook_id: OurRef,
    state: StateFilter = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> DeliveryPage:
    """List a webhook's deliveries, newest first; accepted ones are kept for a day, dead letters for 30 days."""
    page = await webhooks.list_deliveries(
        engine, caller.organization_id, webhook_id, state=state, cursor=cursor, limit=limit
    )
    return translate_webhooks.delivery_page(page)


@router.get(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}", operation_id="webhooks_get_delivery", responses=problems(404)
)
async def get_one(engine: ThisEngine, caller: CampaignReader, webhook_id: OurRef, delivery_id: OurRef) -> DeliveryView:
    """Get one delivery."""
    found = await webhooks.get_delivery(engine, caller.organization_id, webhook_id, delivery_id)
    return translate_webhooks.delivery_view(found)


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", responses=problems(404, 409))
async def replay_one(
    engine: ThisEngine, caller: CampaignManager, webhook_id: OurRef, delivery_id: OurRef
) -> DeliveryView:
    """Deliver an event again, under the same id: a dead letter, or one that was accepted."""
    again = await webhooks.replay_delivery(engine, caller.organization_id, webhook_id, delivery_id, utc_now())
    return translate_webhooks.delivery_view(again)


@router.post("/webhooks/{webhook_id}/replay", responses=problems(404, 409))
async def replay_all(engine: ThisEngine, caller: CampaignManager, webhook_id: OurRef) -> Replayed:
    """Deliver all dead letters of a webhook again."""
    return Replayed(replayed=await webhooks.replay_dead_letters(engine, caller.organization_id, webhook_id, utc_now()))
