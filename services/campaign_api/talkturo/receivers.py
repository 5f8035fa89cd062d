"""Where a campaign's events go: its one subscription that is told in this API's words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.campaign_api.talkturo.bodies import Given
from services.campaign_api.talkturo.errors import ANSWERS
from services.campaign_api.talkturo.schemas.campaigns import CampaignFields
from shared.engine import webhooks
from shared.engine.engine import Engine
from shared.engine.webhooks import Dialect, NewWebhook
from shared.errors import BadSetting
from shared.rendering.talkturo.objects import ALL_EVENTS, Receiver
from shared.rendering.talkturo.reading import receivers_of
from shared.rendering.talkturo.renderer import TALKTURO

_FIELDS = frozenset({"webhook_url", "webhook_enabled", "webhook_secret", "webhook_events"})


async def check_receiver(engine: Engine, given: Given[Any]) -> None:
    """Raises `ValuesInvalid` for a URL that events may not go to, `SecretKeyMissing` where no secret can be kept."""
    body: CampaignFields = given.value
    if body.webhook_url is None:
        return
    try:
        await webhooks.check_receiver(engine, body.webhook_url)
    except BadSetting as error:
        raise given.bad(ANSWERS[error.flaw][1], "webhook_url") from None
    engine.secrets.encrypt(body.webhook_url)


async def set_receiver(
    engine: Engine, organization_id: str, campaign_id: str, given: Given[Any], now: datetime
) -> tuple[str | None, list[str]]:
    """Have events sent as the body says; a secret that was made for it, and what of the body was ignored."""
    body: CampaignFields = given.value
    asked = _FIELDS & given.fields
    if not asked:
        return None, []
    before = (await receivers_of(engine, organization_id, [campaign_id])).get(campaign_id)
    if before is None:
        return await _made(engine, organization_id, campaign_id, body, now)
    if "webhook_url" in asked and body.webhook_url is None:
        await webhooks.delete_webhook(engine, organization_id, before.id)
        return None, []
    changes = _changes(body, before)
    if changes:
        await webhooks.edit_webhook(engine, organization_id, before.id, changes, now)
    return None, _unknown(body.webhook_events or ())


async def _made(
    engine: Engine, organization_id: str, campaign_id: str, body: CampaignFields, now: datetime
) -> tuple[str | None, list[str]]:
    if body.webhook_url is None:
        given = body.webhook_enabled, body.webhook_secret, body.webhook_events
        idle = any(one is not None for one in given)
        return None, ["The campaign has no webhookUrl: the other webhook fields were ignored"] if idle else []
    events = ALL_EVENTS if body.webhook_events is None else body.webhook_events
    new = NewWebhook(
        url=body.webhook_url,
        events=events,
        fact_types=TALKTURO.fact_types(events),
        dialect=Dialect.TALKTURO,
        campaign_id=campaign_id,
        secret=body.webhook_secret,
        active=body.webhook_enabled is not False,
    )
    made = await webhooks.create_webhook(engine, organization_id, new, now)
    return made.secret if body.webhook_secret is None else None, _unknown(events)


def _changes(body: CampaignFields, before: Receiver) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if body.webhook_url is not None and body.webhook_url != before.url:
        changes["url"] = body.webhook_url
    if "webhook_enabled" in body.model_fields_set:
        changes["active"] = body.webhook_enabled is not False
    if body.webhook_secret is not None:
        changes["secret"] = body.webhook_secret
    if "webhook_events" in body.model_fields_set:
        events = list(ALL_EVENTS if body.webhook_events is None else body.webhook_events)
        changes |= {"events": events, "fact_types": sorted(TALKTURO.fact_types(events))}
    return changes


def _unknown(events: Sequence[str]) -> list[str]:
    return [f"{event} is no event here and is never sent" for event in events if event not in ALL_EVENTS]
