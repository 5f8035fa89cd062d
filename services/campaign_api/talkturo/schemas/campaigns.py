"""Campaigns, their runs, and who is enrolled in them."""

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    WithJsonSchema,
)
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from services.campaign_api.http.requests import Identifier, Name, not_null
from services.campaign_api.talkturo.schemas.contacts import ContactFields
from services.campaign_api.talkturo.schemas.texts import filled
from services.campaign_api.talkturo.spelling import Spelled
from shared.domain.caller_numbers import MAX_WEIGHT, MIN_WEIGHT
from shared.domain.contact_input import Instant
from shared.domain.fields import ConcurrencyLimit, TimezoneName
from shared.domain.json_rules import JsonObject, LongText, check_text
from shared.domain.queue_order import MAX_CONTACT_PRIORITY, MIN_CONTACT_PRIORITY
from shared.domain.voicemail import Message

MAX_MINUTES: Final = 43_200
MAX_BACKOFF_MINUTES: Final = 10_080
MAX_NUMBERS: Final = 50
MAX_IDS: Final = 5000
MAX_INLINED: Final = 1000
_EXAMPLE: Final[JsonDict] = {
    "teamId": "acme",
    "assistantId": "outreach",
    "companyId": "tradeshow",
    "fromNumberIds": ["+14155550100"],
    "name": "Q1 Trade Show Follow-Up",
    "description": "Follow up with leads from the January trade show",
    "callWindowStart": "09:00",
    "callWindowEnd": "17:00",
    "callWindowTimezone": "America/New_York",
    "maxConcurrentCalls": 5,
    "maxAttemptsPerContact": 3,
    "retryDelayMinutes": 60,
}

Minutes = Annotated[StrictInt, Field(ge=0, le=MAX_MINUTES)]
Attempts = Annotated[StrictInt, Field(ge=1, le=50)]
Required = BeforeValidator(not_null)
_Action = Literal["leave_message", "hangup"]
_Multiplier = Annotated[StrictFloat, Field(ge=1.01, le=10, allow_inf_nan=False)]
_Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](:00)?$"), AfterValidator(lambda text: text[:5])]
_ClockOrMidnight = Annotated[
    str,
    Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)(:00)?$"),
    AfterValidator(lambda text: text[:5]),
]
_Url = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(check_text)]
_Secret = Annotated[str, Field(min_length=16, max_length=255), AfterValidator(check_text)]
Priority = Annotated[StrictInt, Field(ge=MIN_CONTACT_PRIORITY, le=MAX_CONTACT_PRIORITY)]


class Retries(Spelled):
    """Fields that may stand in the body, or in its `settings`; null on a change brings their default back."""

    retry_delay_minutes: Minutes | None = Field(None, description="Without it 60.")
    retry_delay_minutes_no_answer: Minutes | None = None
    retry_delay_minutes_busy: Minutes | None = None
    retry_delay_minutes_error: Minutes | None = None
    retry_on_error: StrictBool | None = None
    retry_backoff_mode: Literal["fixed", "exponential"] | None = None
    retry_backoff_multiplier: _Multiplier | None = None
    retry_backoff_max_minutes: Annotated[StrictInt, Field(ge=1, le=MAX_BACKOFF_MINUTES)] | None = None
    voicemail_detection_enabled: StrictBool | None = None
    voicemail_action: _Action | None = None
    voicemail_drop_message: Message | None = None
    unavailable_action: Literal["retry", "fail"] | None = None
    no_auto_complete: StrictBool | None = None


class SettingsFields(Retries):
    """What of a campaign's `settings` takes effect."""

    free: ClassVar = True

    max_attempts_no_answer: Attempts | None = None
    max_attempts_busy: Attempts | None = None
    max_attempts_error: Attempts | None = None


class Weighted(Spelled):
    """A caller number with its share of the contacts."""

    id: Identifier
    weight: Annotated[StrictInt, Field(ge=MIN_WEIGHT, le=MAX_WEIGHT)] | None = None


class ScheduleFields(Spelled):
    """Another way to say when a campaign starts, and in which timezone its window is."""

    timezone: TimezoneName | None = None
    start_at: Instant | None = None


def _each_as_object(given: Any) -> Any:
    return [{"id": one} if isinstance(one, str) else one for one in given] if isinstance(given, list) else given


def _each_once(numbers: list[Weighted]) -> list[Weighted]:
    if len({number.id for number in numbers}) < len(numbers):
        raise PydanticCustomError("twice", "Name each number once")
    return numbers


_ID_OR_WEIGHTED: Final = WithJsonSchema({"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Weighted"}]})
FromNumbers = Annotated[
    list[Annotated[Weighted, _ID_OR_WEIGHTED]],
    Field(min_length=1, max_length=MAX_NUMBERS),
    BeforeValidator(_each_as_object),
    AfterValidator(_each_once),
]


class CampaignFields(Retries):
    """What can be set when a campaign is made, and later."""

    parts: ClassVar = {"schedule": ScheduleFields, "from_number_ids": Weighted, "in_settings": SettingsFields}
    again: ClassVar = {"in_settings": "settings"}

    team_id: Identifier | None = None
    account_slug: Identifier | None = None
    external_id: Identifier | None = None
    description: LongText | None = None
    scheduled_start_at: Instant | None = None
    schedule: ScheduleFields | None = None
    call_window_start: _Clock | None = None
    call_window_end: _ClockOrMidnight | None = None
    call_window_timezone: TimezoneName | None = None
    use_contact_timezone_for_call_window: StrictBool | None = None
    max_concurrent_calls: ConcurrencyLimit | None = None
    max_attempts_per_contact: Attempts | None = None
    settings: JsonObject | None = None
    in_settings: SkipJsonSchema[SettingsFields | None] = None
    webhook_url: _Url | None = None
    webhook_enabled: StrictBool | None = None
    webhook_secret: Annotated[_Secret | None, Required] = None
    webhook_events: Annotated[list[Identifier], Field(max_length=100)] | None = None


class CreateCampaign(CampaignFields):
    """A new campaign, a draft unless it has a start time."""

    either: ClassVar = ("team_id", "account_slug")
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Annotated[Name, AfterValidator(filled)]
    assistant_id: Identifier
    company_id: Identifier
    from_number_ids: FromNumbers


class EditCampaign(CampaignFields):
    """What is to change; fields left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "paused"}]})

    name: Annotated[Annotated[Name, AfterValidator(filled)] | None, Required] = None
    assistant_id: Annotated[Identifier | None, Required] = None
    company_id: Annotated[Identifier | None, Required] = None
    from_number_ids: Annotated[FromNumbers | None, Required] = None
    status: Annotated[Literal["draft", "scheduled", "running", "paused", "cancelled"] | None, Required] = None


class RunCampaign(Spelled):
    """How a campaign is run, or that it is to stop."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accountSlug": "acme", "maxCalls": 20}]})

    team_id: Identifier | None = None
    account_slug: Identifier | None = None
    max_calls: Annotated[StrictInt, Field(ge=1, le=1_000_000)] | None = None
    dry_run: StrictBool | None = None
    action: Literal["start", "stop"] | None = None


class EnrolledContact(ContactFields):
    """A contact that is there, by its id, or a new one, which has both names."""

    contact_id: Identifier | None = None
    id: Identifier | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    priority: Priority | None = None


class Audience(Spelled):
    """Everybody of the contact book who has a number, narrowed."""

    mode: Literal["all"]
    company_id: Identifier | None = None
    tags: list[Identifier] | None = None
    exclude_dnc: StrictBool | None = None


def _as_object(given: Any) -> Any:
    return {"mode": given} if given == "all" else given


class Enrol(Spelled):
    """Contacts to be enrolled: exactly one of the three ways."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"contactIds": ["lead-1", "lead-2"]}]})
    parts: ClassVar = {"contacts": EnrolledContact, "audience": Audience}

    contact_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_IDS)] | None = None
    contacts: Annotated[list[EnrolledContact], Field(min_length=1, max_length=MAX_INLINED)] | None = None
    audience: Annotated[Audience | None, BeforeValidator(_as_object)] = None
    priority: Priority | None = None
