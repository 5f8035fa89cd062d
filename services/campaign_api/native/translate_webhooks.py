"""Translation of webhooks and their deliveries to the wire, purely."""

from typing import Any

from services.campaign_api.native.schemas.webhooks import (
    CreateWebhook,
    DeliveryPage,
    DeliveryView,
    EditWebhook,
    LastTry,
    WebhookPage,
    WebhookView,
    WebhookWithSecret,
)
from shared.domain.facts import FactType
from shared.domain.page import Page
from shared.engine.webhooks import Delivery, DeliveryState, MadeWebhook, NewWebhook, Webhook


def new_webhook(body: CreateWebhook) -> NewWebhook:
    """What the engine is to make; an event of this API is a fact."""
    events = list(FactType) if body.events is None else body.events
    names = [event.value for event in events]
    return NewWebhook(
        url=body.url,
        events=names,
        fact_types=names,
        campaign_id=body.campaign_id,
        description=body.description,
        secret=body.secret,
        active=body.active,
    )


def webhook_changes(body: EditWebhook) -> dict[str, Any]:
    """What the engine is to change."""
    changes = body.model_dump(exclude_unset=True)
    if body.events is not None:
        names = [event.value for event in body.events]
        changes |= {"events": names, "fact_types": names}
    return changes


def webhook_view(webhook: Webhook) -> WebhookView:
    """The subscription."""
    return WebhookView(**_fields(webhook))


def made_webhook_view(made: MadeWebhook) -> WebhookWithSecret:
    """The subscription with its secret."""
    return WebhookWithSecret(**_fields(made.webhook), secret=made.secret)


def webhook_page(page: Page[Webhook]) -> WebhookPage:
    """A page of subscriptions."""
    return WebhookPage(webhooks=[webhook_view(one) for one in page.rows], next_cursor=page.next_cursor)


def delivery_view(delivery: Delivery) -> DeliveryView:
    """The delivery."""
    last = None
    if delivery.last_at is not None:
        last = LastTry(
            at=delivery.last_at,
            status=delivery.last_status,
            error=delivery.last_error,
            answer=delivery.last_text,
            milliseconds=delivery.last_milliseconds,
        )
    return DeliveryView(
        id=delivery.id,
        event_id=delivery.event_id,
        event=delivery.event,
        occurred_at=delivery.at,
        state=delivery.state,
        tries=delivery.tries,
        next_try_at=delivery.due_at if delivery.state is DeliveryState.WAITING else None,
        last_try=last,
        created_at=delivery.created_at,
    )


def delivery_page(page: Page[Delivery]) -> DeliveryPage:
    """A page of deliveries."""
    return DeliveryPage(deliveries=[delivery_view(one) for one in page.rows], next_cursor=page.next_cursor)


def _fields(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.events),
        "campaign_id": webhook.campaign_id,
        "description": webhook.description,
        "dialect": webhook.dialect,
        "active": webhook.active,
        "off_because": webhook.off_because,
        "old_secret_until": webhook.old_until,
        "created_at": webhook.created_at,
        "updated_at": webhook.updated_at,
    }
