"""Webhooks: subscriptions to what campaigns do."""

from typing import Annotated, Any

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paths import OurRef
from services.campaign_api.smartalex.auth import Manager, Reader
from services.campaign_api.smartalex.paging import ThisPage
from services.campaign_api.smartalex.schemas.common import Deleted, Many, One, many, one, unknown_fields
from services.campaign_api.smartalex.schemas.problems import body_problems, problems
from services.campaign_api.smartalex.schemas.webhooks import CreateWebhook, MadeWebhook, WebhookView, made_webhook
from shared.clock import utc_now
from shared.engine import webhooks
from shared.engine.webhooks import Dialect, NewWebhook, Webhook
from shared.rendering.smartalex.renderer import SMARTALEX

router = APIRouter(prefix="/v1/webhooks", tags=["Webhooks"], route_class=BodyRoute)


@router.post("", status_code=201, responses=body_problems(), response_model_exclude_unset=True)
async def create(
    engine: ThisEngine, caller: Manager, body: Annotated[CreateWebhook, json_body(CreateWebhook)]
) -> MadeWebhook:
    """Subscribe. The signing secret is shown in this answer only."""
    events = [event.value for event in body.event_types or body.events or ()]
    new = NewWebhook(
        url=body.url,
        events=events,
        fact_types=SMARTALEX.fact_types(events),
        dialect=Dialect.SMARTALEX,
        description=body.description,
        secret=body.secret,
        active=body.enabled is not False,
    )
    made = await webhooks.create_webhook(engine, caller.organization_id, new, utc_now())
    return made_webhook({**_fields(made.webhook), "signing_secret": made.secret}, unknown_fields(body))


@router.get("", responses=problems(), response_model_exclude_unset=True)
async def list_all(engine: ThisEngine, caller: Reader, asked: ThisPage) -> Many[WebhookView]:
    """List webhooks, newest first."""
    page = await webhooks.numbered_webhooks(
        engine, caller.organization_id, campaign=None, offset=asked.offset, limit=asked.per_page
    )
    return many([WebhookView(**_fields(each)) for each in page.rows], page.total, asked)


@router.get("/{webhook}", responses=problems(404), response_model_exclude_unset=True)
async def get_one(engine: ThisEngine, caller: Reader, webhook: OurRef) -> One[WebhookView]:
    """Get one webhook."""
    found = await webhooks.get_webhook(engine, caller.organization_id, webhook)
    return one(WebhookView(**_fields(found)))


@router.delete("/{webhook}", responses=problems(404), response_model_exclude_unset=True)
async def delete(engine: ThisEngine, caller: Manager, webhook: OurRef) -> One[Deleted]:
    """End a subscription; what waits to be delivered is not."""
    await webhooks.delete_webhook(engine, caller.organization_id, webhook)
    return one(Deleted(id=webhook, deleted=True))


def _fields(webhook: Webhook) -> dict[str, Any]:
    events = list(webhook.events)
    return {
        "id": webhook.id,
        "url": webhook.url,
        "description": webhook.description,
        "event_types": events,
        "events": events,
        "is_active": webhook.active,
        "enabled": webhook.active,
        "created_at": webhook.created_at,
    }
