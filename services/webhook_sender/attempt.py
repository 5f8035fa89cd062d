"""One try of one delivery: the event in the subscription's words, signed, sent."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from shared.domain.webhook_signatures import signed_headers
from shared.domain.webhooks import Answer, DeliveryError
from shared.engine.engine import Engine
from shared.errors import SecretKeyMissing, SecretUnreadable, TemporaryError
from shared.events import ORG_FACT
from shared.logs import get_logger
from shared.rendering.renderer import Told
from shared.rendering.table import json_of, renderer_of
from shared.store.catalog.webhooks import Webhook
from shared.store.reports.deliveries import Delivery

Post = Callable[[str, dict[str, str], bytes], Awaitable[Answer]]
"""Sends a body with these headers to a URL; `Client.post`."""


async def deliver(engine: Engine, post: Post, webhook: Webhook, delivery: Delivery, now: datetime) -> Answer:
    """What has become of this try. Raises `TemporaryError` when a server of ours is away: no try was made."""
    try:
        body = await _rendered(engine, webhook, delivery)
        secrets = _secrets(engine, webhook, now)
        headers = signed_headers(webhook.dialect, delivery.event_id, body, secrets, now)
    except TemporaryError:
        raise
    except (SecretKeyMissing, SecretUnreadable) as error:
        get_logger().error("a webhook cannot be signed", webhook_id=webhook.id, why=str(error))
        return Answer(None, DeliveryError.SECRET)
    except Exception as error:  # noqa: BLE001 - one event that cannot be told must not hold up the others
        get_logger().error("an event cannot be told", delivery_id=delivery.id, exc_info=error)
        return Answer(None, DeliveryError.RENDERING)
    return await post(webhook.url, dict(headers), body.encode())


async def _rendered(engine: Engine, webhook: Webhook, delivery: Delivery) -> str:
    renderer = renderer_of(webhook.dialect)
    fact = None if delivery.fact is None else ORG_FACT.validate_json(delivery.fact)
    things = None if renderer.read is None or fact is None else await renderer.read(engine, fact)
    told = Told(
        event_id=delivery.event_id,
        event=delivery.event,
        organization_id=delivery.organization_id,
        at=delivery.at,
        fact=fact,
        things=things,
    )
    return json_of(renderer, told)


def _secrets(engine: Engine, webhook: Webhook, now: datetime) -> list[str]:
    """The secrets that sign now, the newest first."""
    stored = [webhook.encrypted]
    if webhook.old_encrypted is not None and webhook.old_until is not None and webhook.old_until > now:
        stored.append(webhook.old_encrypted)
    return [engine.secrets.decrypt(one) for one in stored]
