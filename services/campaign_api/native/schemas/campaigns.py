"""Campaigns."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from services.campaign_api.http.requests import Identifier, Name, OurId, RequestBody, not_null
from services.campaign_api.native.schemas.contacts import ContactsResult
from shared.domain.campaign import DEFAULT_PRIORITY, MAX_PRIORITY, MIN_PRIORITY, CampaignStatus
from shared.domain.contact_input import ContactInput, is_uuid
from shared.domain.fields import E164
from shared.domain.ids import DEFAULT_CAMPAIGN

MAX_INLINED_CONTACTS: Final = 5000
_EXAMPLE: Final[JsonDict] = {
    "name": "Spring outreach",
    "configuration_id": "0d5e8a0e-6c0b-4b55-a6de-3b6f3f2a9d1c",
    "external_id": "spring-outreach",
    "priority": 10,
}


def _addressable(external_id: str) -> str:
    """An external_id is used in paths beside UUIDs and `default`, and paths drop dots."""
    if external_id in {DEFAULT_CAMPAIGN, ".", ".."} or is_uuid(external_id):
        raise ValueError('must not be "default", ".", ".." or a UUID: these mean something else in a path')
    return external_id


ExternalId = Annotated[Identifier, AfterValidator(_addressable)]
Priority = Annotated[int, Field(ge=MIN_PRIORITY, le=MAX_PRIORITY)]
Inlined = Annotated[list[ContactInput], Field(max_length=MAX_INLINED_CONTACTS)]


class CreateCampaign(RequestBody):
    """A new campaign; it starts active."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Name
    configuration_id: OurId
    external_id: ExternalId | None = Field(None, description="Your own id; unique in the organization.")
    priority: Priority = Field(DEFAULT_PRIORITY, description="Higher is dialed first.")
    agent_id: Identifier | None = Field(None, description="Instead of the configuration's.")
    agent_version: Identifier | None = None
    agent_number: E164 | None = Field(None, description="The caller number, in E.164.")
    contacts: Inlined = Field([], description="Contacts to add at once.")


class EditCampaign(RequestBody):
    """What is to change; fields left out stay, null clears an override or the external_id."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Spring outreach, north", "priority": 20}]})

    name: Annotated[Name | None, BeforeValidator(not_null)] = None
    configuration_id: Annotated[OurId | None, BeforeValidator(not_null)] = None
    external_id: ExternalId | None = None
    priority: Annotated[Priority | None, BeforeValidator(not_null)] = None
    agent_id: Identifier | None = None
    agent_version: Identifier | None = None
    agent_number: E164 | None = None
    contacts: Annotated[Inlined | None, BeforeValidator(not_null)] = Field(None, description="Contacts to upsert.")


class SettingWarningView(BaseModel):
    """A remark on settings that are legal, and what to do."""

    code: str = Field(description="For programs.", examples=["no_agent"])
    message: str = Field(description="For people.")


class CampaignView(BaseModel):
    """A campaign."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    external_id: str | None
    name: str
    status: CampaignStatus
    priority: int
    configuration_id: str
    agent_id: str | None
    agent_version: str | None
    agent_number: str | None
    created_at: datetime
    updated_at: datetime


class CampaignAndContacts(CampaignView):
    """A campaign, and what became of the contacts that came with the request."""

    contacts_result: ContactsResult | None = Field(None, description="Only when contacts were sent.")
    warnings: list[SettingWarningView] = Field([], description="Only when its settings call nobody as they are.")


class CampaignPage(BaseModel):
    """Campaigns, newest first."""

    campaigns: list[CampaignView]
    next_cursor: str | None
