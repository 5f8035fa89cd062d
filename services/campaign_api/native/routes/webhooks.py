"""Webhooks: subscribe, list, read, change, delete; a new secret, a test event."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute, json_body, optional_json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.paths import OurRef
from services.campaign_api.native import translate_webhooks
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.routes.callbacks import CampaignFilter
from services.campaign_api.native.schemas.deleted import Deleted
from services.campaign_api.native.schemas.problems import body_problems, problems
from services.campaign_api.native.schemas.webhooks import (
    CreateWebhook,
    DeliveryView,
    EditWebhook,
    RotateSecret,
    WebhookPage,
    WebhookView,
    WebhookWithSecret,
)
from shared.clock import utc_now
from shared.engine import webhooks

router = APIRouter(prefix="/campaign", tags=["Webhooks"], route_class=BodyRoute)


@router.post("/webhooks", responses=body_problems(404, 409))
async def create(
    engine: ThisEngine, caller: CampaignManager, body: Annotated[CreateWebhook, json_body(CreateWebhook)]
) -> WebhookWithSecret:
    """Subscribe to events; the answer has the signing secret, which is shown nowhere else."""
    new = translate_webhooks.new_webhook(body)
    made = await webhooks.create_webhook(engine, caller.organization_id, new, utc_now())
    return translate_webhooks.made_webhook_view(made)


@router.get("/webhooks", responses=problems(400, 404))
async def list_all(
    engine: ThisEngine,
    caller: CampaignReader,
    campaign: CampaignFilter = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> WebhookPage:
    """List webhooks, newest first."""
    page = await webhooks.list_webhooks(engine, caller.organization_id, campaign=campaign, cursor=cursor, limit=limit)
    return translate_webhooks.webhook_page(page)


@router.get("/webhooks/{webhook_id}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: CampaignReader, webhook_id: OurRef) -> WebhookView:
    """Get one webhook."""
    return translate_webhooks.webhook_view(await webhooks.get_webhook(engine, caller.organization_id, webhook_id))


@router.patch("/webhooks/{webhook_id}", responses=body_problems(404))
async def edit(
    engine: ThisEngine,
    caller: CampaignManager,
    webhook_id: OurRef,
    body: Annotated[EditWebhook, json_body(EditWebhook)],
) -> WebhookView:
    """Change a webhook; what waits for it goes to the new address."""
    changes = translate_webhooks.webhook_changes(body)
    edited = await webhooks.edit_webhook(engine, caller.organization_id, webhook_id, changes, utc_now())
    return translate_webhooks.webhook_view(edited)


@router.delete("/webhooks/{webhook_id}", responses=problems(404))
async def delete(engine: ThisEngine, caller: CampaignManager, webhook_id: OurRef) -> Deleted:
    """Delete a webhook; what waits for it is not sent."""
    await webhooks.delete_webhook(engine, caller.organization_id, webhook_id)
    return Deleted(id=webhook_id)


@router.post("/webhooks/{webhook_id}/rotate-secret", responses=body_problems(404))
async def rotate(
    engine: ThisEngine,
    caller: CampaignManager,
    webhook_id: OurRef,
    body: Annotated[RotateSecret, optional_json_body(RotateSecret)],
) -> WebhookWithSecret:
    """Replace the signing secret; the old one signs beside it for `overlap_hours`."""
    made = await webhooks.rotate_secret(
        engine, caller.organization_id, webhook_id, body.secret, timedelta(hours=body.overlap_hours), utc_now()
    )
    return translate_webhooks.made_webhook_view(made)


@router.post("/webhooks/{webhook_id}/test", responses=problems(404, 409))
async def send_test(engine: ThisEngine, caller: CampaignManager, webhook_id: OurRef) -> DeliveryView:
    """Send a test event (`webhook.test`); the answer is its delivery, which can be read again."""
    delivery = await webhooks.send_test(engine, caller.organization_id, webhook_id, utc_now())
    return translate_webhooks.delivery_view(delivery)
