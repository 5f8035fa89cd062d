"""Webhooks."""

from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from services.campaign_api.smartalex.schemas.common import MAX_WARNINGS, Body
from shared.domain.json_rules import check_text
from shared.domain.shown_ids import UuidText
from shared.domain.webhooks import MAX_DESCRIPTION, MAX_SECRET, MIN_SECRET
from shared.rendering.smartalex.events import EventType
from shared.rendering.smartalex.times import Time

_EXAMPLE: Final[JsonDict] = {
    "url": "https://example.com/hooks/smartalex",
    "event_types": ["call.completed", "campaign.completed"],
}


def _each_once(events: list[EventType]) -> list[EventType]:
    if len(set(events)) < len(events):
        raise PydanticCustomError("twice", "Name each event once")
    return events


# Its length, and all else about it, is the engine's to judge.
Url = Annotated[str, Field(min_length=1), AfterValidator(check_text)]
Events = Annotated[list[EventType], Field(min_length=1, max_length=len(EventType)), AfterValidator(_each_once)]


class CreateWebhook(Body):
    """A subscription, in the newer form or in the older one."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})
    read_only: ClassVar[frozenset[str]] = frozenset(
        {"id", "is_active", "created_at", "signing_secret", "data", "warnings"}
    )

    url: Url = Field(description="https, at most 2048 characters, no user or password.")
    event_types: Events | None = None
    events: Events | None = Field(None, description="The older name of event_types.")
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION), AfterValidator(check_text)] | None = None
    secret: Annotated[str, Field(min_length=MIN_SECRET, max_length=MAX_SECRET), AfterValidator(check_text)] | None = (
        Field(None, description="Signs what is sent; without one it is made.")
    )
    enabled: bool | None = Field(None, description="true by default.")

    @model_validator(mode="after")
    def _names_events(self) -> Self:
        if not self.event_types and not self.events:
            raise PydanticCustomError("no_events", "Name the events in event_types")
        return self


class WebhookView(BaseModel):
    """A subscription."""

    id: UuidText
    url: str
    description: str | None
    event_types: list[str]
    events: list[str] = Field(description="The same.")
    is_active: bool = Field(description="false: switched off, or the receiver has answered 410.")
    enabled: bool = Field(description="The same.")
    created_at: Time


class WebhookWithSecret(WebhookView):
    """A subscription, with its secret."""

    signing_secret: str = Field(description="Shown here only.")


class MadeWebhook(WebhookWithSecret):
    """A subscription that was made: newer clients read it at the top, older ones under data."""

    data: WebhookWithSecret
    warnings: list[str] = Field([], description="Only where there is something to say.", max_length=MAX_WARNINGS)


def made_webhook(view: dict[str, Any], warnings: list[str]) -> MadeWebhook:
    """The answer to a request that made a subscription."""
    more = {"warnings": warnings[:MAX_WARNINGS]} if warnings else {}
    return MadeWebhook(**view, data=WebhookWithSecret(**view), **more)
