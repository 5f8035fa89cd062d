"""Webhooks: subscriptions to what an organization's campaigns do, deliveries to them, dead letters and their replay.

Subscriptions of all dialects are one list; each is made and shown in any dialect, and told in its own.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from shared import metrics
from shared.domain.ids import DEFAULT_CAMPAIGN
from shared.domain.page import NumberedPage, Page
from shared.domain.receiver_urls import UrlFlaw, host_of, resolved_flaw, url_flaw
from shared.domain.webhook_ids import delivery_id, new_event_id
from shared.domain.webhooks import TEST_EVENT, DeliveryState, Dialect, OffReason
from shared.engine.engine import Engine
from shared.engine.receiver_addresses import addresses_of
from shared.errors import BadSetting, Clash, Conflict, Flaw
from shared.events import LimitsChanged
from shared.store.catalog import webhooks as stored
from shared.store.catalog.campaigns import get_campaign
from shared.store.catalog.webhooks import NewWebhook, Webhook
from shared.store.reports import deliveries as kept
from shared.store.reports.deliveries import Delivery

__all__ = [
    "Delivery",
    "DeliveryState",
    "Dialect",
    "MadeWebhook",
    "NewWebhook",
    "OffReason",
    "Webhook",
    "check_receiver",
    "create_webhook",
    "delete_webhook",
    "edit_webhook",
    "get_delivery",
    "get_webhook",
    "list_deliveries",
    "list_webhooks",
    "numbered_deliveries",
    "numbered_webhooks",
    "replay_dead_letters",
    "replay_delivery",
    "rotate_secret",
    "send_test",
    "webhooks_of",
]

# A request waits no longer for the name servers; a delivery looks again anyway.
_LOOK_SECONDS: Final = 2.0
_FLAWS: Final[Mapping[UrlFlaw, Flaw]] = {
    UrlFlaw.TOO_LONG: Flaw.RECEIVER_TOO_LONG,
    UrlFlaw.MALFORMED: Flaw.RECEIVER_MALFORMED,
    UrlFlaw.SCHEME: Flaw.RECEIVER_INSECURE,
    UrlFlaw.CREDENTIALS: Flaw.RECEIVER_WITH_CREDENTIALS,
    UrlFlaw.FRAGMENT: Flaw.RECEIVER_WITH_FRAGMENT,
    UrlFlaw.PRIVATE: Flaw.RECEIVER_PRIVATE,
}


@dataclass(frozen=True, slots=True)
class MadeWebhook:
    """A subscription and its signing secret, which can be shown this once alone."""

    webhook: Webhook
    secret: str


async def create_webhook(engine: Engine, organization_id: str, new: NewWebhook, now: datetime) -> MadeWebhook:
    """A new subscription; `new.campaign_id` may be the campaign's external_id, or `default`.

    Raises `NotFound` (campaign), `BadSetting` (the URL, at `url`), `Conflict` (as many as there may be), and
    `SecretKeyMissing` where the operator has set nothing to encrypt secrets with.
    """
    await check_receiver(engine, new.url)
    secret = new.secret or _new_secret()
    encrypted = engine.secrets.encrypt(secret)
    new = replace(new, campaign_id=await _campaign_id(engine, organization_id, new.campaign_id))
    webhook, shard = await stored.create_webhook(engine.store, organization_id, new, encrypted, now)
    _tell(engine, organization_id, shard)
    return MadeWebhook(webhook, secret)


async def get_webhook(engine: Engine, organization_id: str, webhook_id: str) -> Webhook:
    """The organization's subscription. Raises `NotFound`."""
    return await stored.get_webhook(engine.store, organization_id, webhook_id)


async def list_webhooks(
    engine: Engine, organization_id: str, *, campaign: str | None, cursor: str | None, limit: int
) -> Page[Webhook]:
    """The organization's subscriptions, newest first; those to one campaign, or (None) all.

    Raises `NotFound` (campaign), `InvalidCursor`.
    """
    campaign_id = await _campaign_id(engine, organization_id, campaign)
    return await stored.list_webhooks(
        engine.store, organization_id, campaign_id=campaign_id, cursor=cursor, limit=limit
    )


async def webhooks_of(
    engine: Engine, organization_id: str, campaign_ids: Collection[str], dialect: Dialect
) -> list[Webhook]:
    """The subscriptions to these campaigns that are told in a dialect; one question for any number of them."""
    return await stored.webhooks_of(engine.store, organization_id, campaign_ids, dialect)


async def numbered_webhooks(
    engine: Engine, organization_id: str, *, campaign: str | None, offset: int, limit: int
) -> NumberedPage[Webhook]:
    """The subscriptions as `list_webhooks` has them, from the `offset`-th on, and how many there are."""
    campaign_id = await _campaign_id(engine, organization_id, campaign)
    return await stored.numbered_webhooks(
        engine.store, organization_id, campaign_id=campaign_id, offset=offset, limit=limit
    )


async def edit_webhook(
    engine: Engine, organization_id: str, webhook_id: str, changes: Mapping[str, Any], now: datetime
) -> Webhook:
    """Set the given ones of `url, events, fact_types, description, active, secret`; deliveries follow at once.

    `events` and `fact_types` belong together. A new `secret` is the only one that signs from then on; `rotate_secret`
    lets the old one sign beside it. Raises `NotFound`, `BadSetting` (the URL), `SecretKeyMissing`.
    """
    if "url" in changes:
        await check_receiver(engine, changes["url"])
    if "secret" in changes:
        changes = {**changes, "secret": engine.secrets.encrypt(changes["secret"])}
    webhook, shard = await stored.edit_webhook(engine.store, organization_id, webhook_id, changes, now)
    _tell(engine, organization_id, shard)
    return webhook


async def rotate_secret(
    engine: Engine, organization_id: str, webhook_id: str, secret: str | None, overlap: timedelta, now: datetime
) -> MadeWebhook:
    """The subscription with a new signing secret, `secret` or (None) one that is made; the old one signs too so long.

    Raises `NotFound`, `SecretKeyMissing`.
    """
    chosen = secret or _new_secret()
    encrypted = engine.secrets.encrypt(chosen)
    webhook, _ = await stored.rotate_secret(engine.store, organization_id, webhook_id, encrypted, now + overlap, now)
    return MadeWebhook(webhook, chosen)


async def delete_webhook(engine: Engine, organization_id: str, webhook_id: str) -> None:
    """Remove a subscription and what waits for it. Raises `NotFound`."""
    shard = await stored.delete_webhook(engine.store, organization_id, webhook_id)
    await kept.drop_waiting(engine.store, webhook_id)
    _tell(engine, organization_id, shard)


async def send_test(engine: Engine, organization_id: str, webhook_id: str, now: datetime) -> Delivery:
    """Have a test event delivered, as any other; its delivery, which waits. Raises `NotFound`, `Conflict` (off)."""
    await _active(engine, organization_id, webhook_id)
    event_id = new_event_id()
    delivery = Delivery(
        id=delivery_id(webhook_id, event_id),
        organization_id=organization_id,
        webhook_id=webhook_id,
        event_id=event_id,
        event=TEST_EVENT,
        at=now,
        created_at=now,
        fact=None,
        due_at=now,
    )
    await kept.add_deliveries(engine.store, [delivery])
    return delivery


async def list_deliveries(
    engine: Engine,
    organization_id: str,
    webhook_id: str,
    *,
    state: DeliveryState | None,
    cursor: str | None,
    limit: int,
) -> Page[Delivery]:
    """A subscription's deliveries, newest first; those in one state (`dead`: the dead letters), or (None) all.

    Raises `NotFound`, `InvalidCursor`.
    """
    await stored.get_webhook(engine.store, organization_id, webhook_id)
    return await kept.list_deliveries(
        engine.store, organization_id, webhook_id, state=state, cursor=cursor, limit=limit
    )


async def numbered_deliveries(
    engine: Engine, organization_id: str, webhook_id: str, *, state: DeliveryState | None, offset: int, limit: int
) -> NumberedPage[Delivery]:
    """The deliveries as `list_deliveries` has them, from the `offset`-th on, and how many there are."""
    await stored.get_webhook(engine.store, organization_id, webhook_id)
    return await kept.numbered_deliveries(
        engine.store, organization_id, webhook_id, state=state, offset=offset, limit=limit
    )


async def get_delivery(engine: Engine, organization_id: str, webhook_id: str, of_delivery: str) -> Delivery:
    """A delivery of a subscription. Raises `NotFound`."""
    await stored.get_webhook(engine.store, organization_id, webhook_id)
    return await kept.get_delivery(engine.store, organization_id, webhook_id, of_delivery)


async def replay_delivery(
    engine: Engine, organization_id: str, webhook_id: str, of_delivery: str, now: datetime
) -> Delivery:
    """A delivery that has ended is made again, under the same event id, with all its tries before it.

    Raises `NotFound`, `Conflict` (the webhook is off, or the delivery waits already).
    """
    await _active(engine, organization_id, webhook_id)
    return await kept.replay(engine.store, organization_id, webhook_id, of_delivery, now)


async def replay_dead_letters(engine: Engine, organization_id: str, webhook_id: str, now: datetime) -> int:
    """All dead letters of a subscription are delivered again; how many these are.

    Raises `NotFound`, `Conflict` (the webhook is off).
    """
    await _active(engine, organization_id, webhook_id)
    return await kept.replay_dead(engine.store, organization_id, webhook_id, now)


async def check_receiver(engine: Engine, url: str) -> None:
    """Raises `BadSetting`, at `url`, for a receiver that webhooks may not go to, as far as can be told now."""
    flaw = url_flaw(url, private_allowed=engine.private_receivers)
    if flaw is None:
        addresses = await addresses_of(host_of(url), _LOOK_SECONDS)
        flaw = resolved_flaw(url, addresses, private_allowed=engine.private_receivers)
    if flaw is UrlFlaw.PRIVATE:
        metrics.RECEIVERS_REFUSED.inc()
    if flaw is not None:
        raise BadSetting(_FLAWS[flaw], ("url",), url)


async def _active(engine: Engine, organization_id: str, webhook_id: str) -> None:
    if not (await stored.get_webhook(engine.store, organization_id, webhook_id)).active:
        raise Conflict(Clash.WEBHOOK_OFF, webhook_id)


async def _campaign_id(engine: Engine, organization_id: str, reference: str | None) -> str | None:
    """The campaign as facts name it."""
    if reference is None or reference == DEFAULT_CAMPAIGN:
        return reference
    return (await get_campaign(engine.store, organization_id, reference)).id


def _new_secret() -> str:
    """64 hexadecimal digits, 256 random bits."""
    return secrets.token_hex(32)


def _tell(engine: Engine, organization_id: str, shard: int) -> None:
    # What the organization wants to be told of is one of the things that schedulers remember.
    engine.hints.give(LimitsChanged(organization_id=organization_id, shard=shard))
