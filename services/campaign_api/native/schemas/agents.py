"""Registered voice agents."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from services.campaign_api.http.requests import Identifier, Name, RequestBody, not_null
from shared.domain.fields import E164
from shared.domain.json_rules import Definition, JsonObject
from shared.domain.voicemail import VoicemailAction


def _addressable(name: str) -> str:
    """An id is used in paths, which drop dots."""
    if name in {".", ".."}:
        raise ValueError('must not be "." or "..": these mean something else in a path')
    return name


AgentId = Annotated[Identifier, AfterValidator(_addressable)]
AgentNumbers = Annotated[list[E164], Field(max_length=100), AfterValidator(lambda numbers: [*dict.fromkeys(numbers)])]


class RegisterAgent(RequestBody):
    """A voice agent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "outreach",
                    "name": "Outreach",
                    "phone_numbers": ["+14155550100"],
                    "attributes": {"language": "en-US"},
                }
            ]
        }
    )

    id: AgentId | None = Field(None, description="The id that your voice platform knows; null: a new UUID.")
    external_id: Identifier | None = Field(None, description="Your id; unique among agents, and never changed.")
    name: Name
    active: bool = Field(True, description="false: archived. Campaigns that name it go on.")
    outbound_enabled: bool = Field(True, description="For those who choose an agent; no rule of dialing reads it.")
    voicemail_detection: bool = Field(True, description="The default where a campaign says nothing.")
    voicemail_action: VoicemailAction | None = Field(None, description="The default where a campaign says nothing.")
    phone_numbers: AgentNumbers = Field([], description="Numbers that the agent's calls are usually made from.")
    attributes: JsonObject = Field({}, description="Anything of yours; at most 64 KiB.")
    definition: Definition | None = Field(None, description="What the agent is made of; at most 256 KiB.")


class EditAgent(RequestBody):
    """What is to change; fields left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"active": False}]})

    name: Annotated[Name | None, BeforeValidator(not_null)] = None
    active: Annotated[bool | None, BeforeValidator(not_null)] = None
    outbound_enabled: Annotated[bool | None, BeforeValidator(not_null)] = None
    voicemail_detection: Annotated[bool | None, BeforeValidator(not_null)] = None
    voicemail_action: VoicemailAction | None = None
    phone_numbers: Annotated[AgentNumbers | None, BeforeValidator(not_null)] = None
    attributes: Annotated[JsonObject | None, BeforeValidator(not_null)] = None
    definition: Definition | None = None


class AgentView(BaseModel):
    """A registered agent."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    number: int = Field(description="Unique in the organization, ascending, never used again.")
    external_id: str | None
    name: str
    active: bool
    outbound_enabled: bool
    voicemail_detection: bool
    voicemail_action: VoicemailAction | None
    phone_numbers: list[str]
    attributes: dict[str, Any]
    definition: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime


class AgentPage(BaseModel):
    """Agents, newest first."""

    agents: list[AgentView]
    next_cursor: str | None
    total: int | None = Field(None, description="Only where the page was asked for by `offset`.")
