"""Companies, assistants and phone numbers."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

from services.campaign_api.http.requests import Identifier, Name, not_null
from services.campaign_api.talkturo.schemas.texts import Short, filled
from services.campaign_api.talkturo.spelling import Spelled
from shared.domain.caller_numbers import MAX_WEIGHT, MIN_WEIGHT
from shared.domain.fields import E164
from shared.domain.json_rules import JsonObject, LongText

_Required = BeforeValidator(not_null)
_Name = Annotated[Name, AfterValidator(filled)]


class CompanyFields(Spelled):
    """What is known of a company."""

    team_id: Identifier | None = None
    account_slug: Identifier | None = None
    external_id: Identifier | None = None
    website: Short | None = None
    industry: Short | None = None
    company_size: Short | None = None
    address_line1: Short | None = None
    address_line2: Short | None = None
    city: Short | None = None
    state: Short | None = None
    postal_code: Short | None = None
    country: Short | None = None
    phone: Short | None = None
    notes: LongText | None = None
    custom_fields: JsonObject | None = None


class CreateCompany(CompanyFields):
    """A new company."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Trade Show", "industry": "Events"}]})

    name: _Name


class EditCompany(CompanyFields):
    """What is to change; fields left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"city": "Berlin"}]})

    name: Annotated[_Name | None, _Required] = None


class AssistantFields(Spelled):
    """How an assistant may be used."""

    team_id: Identifier | None = None
    account_slug: Identifier | None = None
    external_id: Identifier | None = None
    template_id: Short | None = None
    outbound_enabled: StrictBool | None = None
    voicemail_detection_enabled: StrictBool | None = None
    voicemail_action: Literal["leave_message", "hangup"] | None = None


class CreateAssistant(AssistantFields):
    """A voice agent that is to be registered; what it says is configured at the agent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Outreach"}]})

    name: _Name


class EditAssistant(AssistantFields):
    """What is to change; fields left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"outboundEnabled": False}]})

    name: Annotated[_Name | None, _Required] = None


class RegisterNumber(Spelled):
    """A caller number that is to be registered."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"phoneNumber": "+14155550100", "weight": 2}]})

    team_id: Identifier | None = None
    account_slug: Identifier | None = None
    external_id: Identifier | None = None
    phone_number: E164
    weight: Annotated[StrictInt, Field(ge=MIN_WEIGHT, le=MAX_WEIGHT)] | None = None
