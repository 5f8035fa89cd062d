"""Webhooks: subscriptions, and deliveries to them."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from services.campaign_api.http.requests import Identifier, RequestBody, not_null
from shared.domain.facts import FactType
from shared.domain.json_rules import check_text
from shared.domain.shown_ids import CampaignOrDefault, EventIdText, UuidText
from shared.domain.webhooks import (
    DEFAULT_OVERLAP_HOURS,
    MAX_DESCRIPTION,
    MAX_OVERLAP_HOURS,
    MAX_SECRET,
    MIN_SECRET,
    DeliveryError,
    DeliveryState,
    Dialect,
    OffReason,
)

_EXAMPLE: Final[JsonDict] = {
    "url": "https://example.com/hooks/dialstream",
    "events": ["call.ended", "contact.completed"],
    "description": "CRM",
}


def _each_once(events: list[FactType]) -> list[FactType]:
    return list(dict.fromkeys(events))


# Its length, and all else about it, is the engine's to judge.
Url = Annotated[str, Field(min_length=1), AfterValidator(check_text)]
Events = Annotated[list[FactType], Field(min_length=1, max_length=100), AfterValidator(_each_once)]
Description = Annotated[str, Field(max_length=MAX_DESCRIPTION), AfterValidator(check_text)]
SigningSecret = Annotated[str, Field(min_length=MIN_SECRET, max_length=MAX_SECRET), AfterValidator(check_text)]


class CreateWebhook(RequestBody):
    """A subscription."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    url: Url = Field(description="Where events are sent to: https, at most 2048 characters, no user or password.")
    events: Events | None = Field(None, description="Only these; null: all that there are now.")
    campaign_id: Identifier | None = Field(
        None,
        description="Only events of this campaign: its id, external_id, or `default`; null: of all, and of none.",
    )
    description: Description | None = Field(None, description="For people.")
    secret: SigningSecret | None = Field(None, description="Signs what is sent; null: one is made.")
    active: bool = Field(True, description="false: nothing is sent.")


class EditWebhook(RequestBody):
    """What is to change; fields left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"events": ["call.ended"], "active": True}]})

    url: Annotated[Url | None, BeforeValidator(not_null)] = None
    events: Annotated[Events | None, BeforeValidator(not_null)] = None
    description: Description | None = None
    active: Annotated[bool | None, BeforeValidator(not_null)] = None


class RotateSecret(RequestBody):
    """A new signing secret."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_hours": 24}]})

    secret: SigningSecret | None = Field(None, description="The new one; null: one is made.")
    overlap_hours: Annotated[int, Field(ge=0, le=MAX_OVERLAP_HOURS)] = Field(
        DEFAULT_OVERLAP_HOURS, description="So long the old secret signs beside the new one."
    )


class WebhookView(BaseModel):
    """A subscription."""

    id: UuidText
    url: str
    events: list[str] = Field(description="The events, by their names in `dialect`.")
    campaign_id: CampaignOrDefault | None
    description: str | None
    dialect: Dialect = Field(description="The API in whose words events are told: that in which it was made.")
    active: bool
    off_because: OffReason | None = Field(description="`gone`: the receiver has answered 410; `customer`: as asked.")
    old_secret_until: datetime | None = Field(description="Until then the secret of before signs, too.")
    created_at: datetime
    updated_at: datetime


class WebhookWithSecret(WebhookView):
    """A subscription with its signing secret, which is shown this once."""

    secret: str


class WebhookPage(BaseModel):
    """Webhooks, newest first."""

    webhooks: list[WebhookView]
    next_cursor: str | None


class LastTry(BaseModel):
    """What the receiver has answered to the last try."""

    at: datetime
    status: int | None = Field(description="The answer's; null: there was none.")
    error: DeliveryError | None = Field(description="null: it was accepted.")
    answer: str = Field(description="The beginning of the answer's body.")
    milliseconds: int | None = Field(description="From the request to the answer.")


class DeliveryView(BaseModel):
    """One event for one webhook."""

    id: UuidText
    event_id: EventIdText = Field(description="`webhook-id` and `id` of what is sent, the same on every try.")
    event: str
    occurred_at: datetime
    state: DeliveryState = Field(description="`dead`: given up; a dead letter.")
    tries: int
    next_try_at: datetime | None
    last_try: LastTry | None
    created_at: datetime


class DeliveryPage(BaseModel):
    """Deliveries, newest first."""

    deliveries: list[DeliveryView]
    next_cursor: str | None


class Replayed(BaseModel):
    """Dead letters that are delivered again."""

    replayed: int
