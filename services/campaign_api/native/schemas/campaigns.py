"""Campaigns."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict

from services.campaign_api.http.requests import Identifier, Name, OurId, RequestBody, not_null
from services.campaign_api.native.campaign_words import CampaignStatus
from services.campaign_api.native.schemas.caller_numbers import CampaignNumber, CampaignNumbers, PoolName
from services.campaign_api.native.schemas.circuit_breaker import Breaker
from services.campaign_api.native.schemas.contacts import ContactsResult
from shared.domain.caller_numbers import NumberChoice
from shared.domain.campaign import DEFAULT_PRIORITY, MAX_PRIORITY, MIN_PRIORITY, CampaignState
from shared.domain.contact_input import ContactInput, Instant, is_uuid
from shared.domain.fields import E164, CallsPerSecond, ConcurrencyLimit, MaxCalls
from shared.domain.ids import DEFAULT_CAMPAIGN
from shared.domain.json_rules import JsonObject, LongText
from shared.domain.queue_order import QueueOrder
from shared.domain.shown_ids import UuidText

MAX_INLINED_CONTACTS: Final = 5000
_EXAMPLE: Final[JsonDict] = {
    "name": "Spring outreach",
    "configuration_id": "0d5e8a0e-6c0b-4b55-a6de-3b6f3f2a9d1c",
    "external_id": "spring-outreach",
    "priority": 10,
    "concurrency_limit": 5,
    "calls_per_second": 0.5,
    "description": "Customers of last spring, in the order of their last visit.",
    "objective": "An appointment for a spring check.",
    "labels": {"team": "north", "quarter": 2},
}
_NUMBERS: Final = "Numbers of the registry to call from, instead of agent_number or a pool."
_OBJECTIVE: Final = "What its calls are to reach; for people."
_LABELS: Final = "Anything of your own to know it by: an object of at most 64 KiB, given back as it is."
_POOL: Final = "The pool to call from, instead of agent_number or caller_numbers."
_CHOICE: Final = (
    "How one of several numbers is chosen: `weighted_sticky` (the default) keeps a contact's number on all its "
    "attempts, `rotate` takes the next for each call, `random_free` any that is free, `fixed` always the first."
)
_ACCOUNT: Final = (
    "The telephony account to call through, from any free one of its numbers where the campaign names none; null: the "
    "default."
)
_END: Final = "From then on nobody is called; contacts that wait end as skipped, and it is completed."
_COMPLETE: Final = "Whether it is completed once none of its contacts waits or is being called, if it ever had one."
_MAX_CALLS: Final = "Calls that each run makes, from one start to the next; then it is paused; null: no limit."
_BREAKER: Final = "Pauses the campaign when too many of its calls fail; null: none."


def _addressable(external_id: str) -> str:
    """An external_id is used in paths beside UUIDs and `default`, and paths drop dots."""
    if external_id in {DEFAULT_CAMPAIGN, ".", ".."} or is_uuid(external_id):
        raise ValueError('must not be "default", ".", ".." or a UUID: these mean something else in a path')
    return external_id


ExternalId = Annotated[Identifier, AfterValidator(_addressable)]
Priority = Annotated[int, Field(ge=MIN_PRIORITY, le=MAX_PRIORITY)]
Inlined = Annotated[list[ContactInput], Field(max_length=MAX_INLINED_CONTACTS)]


class CreateCampaign(RequestBody):
    """A new campaign; it starts active, unless it is a draft or has a `start_at`."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Name
    configuration_id: OurId
    external_id: ExternalId | None = Field(None, description="Your own id; unique in the organization.")
    priority: Priority = Field(DEFAULT_PRIORITY, description="Higher is dialed first.")
    order: QueueOrder = Field(
        QueueOrder.FRESH_FIRST, description="Which contacts of one priority are called first: fresh ones, or retries."
    )
    agent_id: Identifier | None = Field(None, description="Instead of the configuration's.")
    agent_version: Identifier | None = None
    agent_number: E164 | None = Field(None, description="The caller number, in E.164.")
    caller_numbers: CampaignNumbers | None = Field(None, description=_NUMBERS)
    caller_number_pool: PoolName | None = Field(None, description=_POOL)
    caller_number_choice: NumberChoice | None = Field(None, description=_CHOICE)
    telephony_account_id: OurId | None = Field(None, description=_ACCOUNT)
    state: Literal["draft", "running"] | None = Field(
        None, description="`draft`: nobody is called before it is started; without it `running`."
    )
    start_at: Instant | None = Field(None, description="When it starts by itself; leave `state` out then.")
    end_at: Instant | None = Field(None, description=_END)
    auto_complete: bool = Field(False, description=_COMPLETE)
    concurrency_limit: ConcurrencyLimit | None = Field(
        None, description="Calls of the campaign at once, within the organization's limit; null: no limit of its own."
    )
    calls_per_second: CallsPerSecond | None = Field(
        None, description="Calls of the campaign placed in a second; null: no limit of its own."
    )
    description: LongText | None = Field(None, description="For people.")
    objective: LongText | None = Field(None, description=_OBJECTIVE)
    labels: JsonObject | None = Field(None, description=_LABELS)
    max_calls: MaxCalls | None = Field(None, description=_MAX_CALLS)
    circuit_breaker: Breaker | None = Field(None, description=_BREAKER)
    contacts: Inlined = Field([], description="Contacts to add at once.")

    @field_validator("start_at")
    @classmethod
    def _one_beginning(cls, start_at: datetime | None, info: ValidationInfo) -> datetime | None:
        state = info.data.get("state")
        if start_at is not None and state is not None:
            raise ValueError(f"must be left out where state is given, and state is {state!r}")
        return start_at


class EditCampaign(RequestBody):
    """What is to change; fields left out stay, null clears an override or the external_id."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Spring outreach, north", "priority": 20}]})

    name: Annotated[Name | None, BeforeValidator(not_null)] = None
    configuration_id: Annotated[OurId | None, BeforeValidator(not_null)] = None
    external_id: ExternalId | None = None
    priority: Annotated[Priority | None, BeforeValidator(not_null)] = None
    order: Annotated[QueueOrder | None, BeforeValidator(not_null)] = None
    agent_id: Identifier | None = None
    agent_version: Identifier | None = None
    agent_number: E164 | None = None
    caller_numbers: CampaignNumbers | None = Field(None, description=_NUMBERS)
    caller_number_pool: PoolName | None = Field(None, description=_POOL)
    caller_number_choice: NumberChoice | None = Field(None, description=_CHOICE)
    telephony_account_id: OurId | None = Field(None, description=_ACCOUNT)
    start_at: Instant | None = Field(
        None, description="When a draft or a scheduled campaign starts by itself; null makes it a draft."
    )
    end_at: Instant | None = Field(None, description=f"{_END} Null: no end.")
    auto_complete: Annotated[bool | None, BeforeValidator(not_null)] = Field(None, description=_COMPLETE)
    concurrency_limit: ConcurrencyLimit | None = Field(None, description="Ends no call; null: no limit of its own.")
    calls_per_second: CallsPerSecond | None = None
    description: LongText | None = Field(None, description="For people.")
    objective: LongText | None = Field(None, description=_OBJECTIVE)
    labels: JsonObject | None = Field(None, description=_LABELS + " Replaced whole.")
    max_calls: MaxCalls | None = Field(None, description=_MAX_CALLS)
    circuit_breaker: Breaker | None = Field(None, description=_BREAKER)
    contacts: Annotated[Inlined | None, BeforeValidator(not_null)] = Field(None, description="Contacts to upsert.")


class StartCampaign(RequestBody):
    """What a start may set; it can be left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"max_calls": 100}]})

    max_calls: MaxCalls | None = Field(
        None, description="Calls of this run and of those to come; null: no limit. Left out: the campaign's stays."
    )


class SettingWarningView(BaseModel):
    """A remark on settings that are legal, and what to do."""

    code: str = Field(description="For programs.", examples=["no_agent"])
    message: str = Field(description="For people.")


class CampaignView(BaseModel):
    """A campaign."""

    id: UuidText
    number: int | None = Field(description="Ascending in the organization, in order of creation; gaps are normal.")
    external_id: str | None
    name: str
    description: str | None
    objective: str | None
    labels: dict[str, Any] | None
    status: CampaignStatus = Field(description="`paused` for what waits to be started, `closed` for what has ended.")
    state: CampaignState = Field(description="The same in more words.")
    state_reason: str | None = Field(description="Why it is paused or failed, where that was not asked for.")
    priority: int
    order: QueueOrder
    configuration_id: UuidText
    agent_id: str | None
    agent_version: str | None
    agent_number: str | None
    caller_numbers: list[CampaignNumber] | None
    caller_number_pool: str | None
    caller_number_choice: NumberChoice | None
    telephony_account_id: UuidText | None
    start_at: datetime | None = Field(description="When it starts, or was to start, by itself.")
    started_at: datetime | None = Field(description="When it was started first.")
    end_at: datetime | None
    auto_complete: bool
    completed_at: datetime | None = Field(description="When its run was completed; null once it is started again.")
    concurrency_limit: int | None
    calls_per_second: float | None
    max_calls: int | None
    circuit_breaker: Breaker | None
    redial_of: UuidText | None = Field(description="The campaign whose contacts this one calls again.")
    redialed_as: UuidText | None = Field(description="The campaign that calls contacts of this one again.")
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = Field(
        description="When it was deleted; such a campaign is shown only when asked for."
    )


class CampaignAndContacts(CampaignView):
    """A campaign, and what became of the contacts that came with the request."""

    contacts_result: ContactsResult | None = Field(None, description="Only when contacts were sent.")
    warnings: list[SettingWarningView] = Field(
        [], description="Only when its settings call nobody as they are, or not as they say."
    )


class CampaignPage(BaseModel):
    """Campaigns, newest first."""

    campaigns: list[CampaignView]
    next_cursor: str | None
