"""Contacts of the contact book."""

from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, StrictInt
from pydantic.config import JsonDict

from services.campaign_api.http.requests import Identifier, Name, not_null
from services.campaign_api.talkturo.schemas.texts import Phone, Short
from services.campaign_api.talkturo.spelling import Spelled
from shared.domain.fields import TimezoneName
from shared.domain.json_rules import JsonObject, LongText
from shared.domain.person import Email, Tags
from shared.domain.queue_order import MAX_CONTACT_PRIORITY

MAX_IMPORTED: Final = 5000
_EXAMPLE: Final[JsonDict] = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "phone": "+14155550123",
    "email": "ada@example.com",
    "timezone": "America/New_York",
    "tags": ["tradeshow"],
}
_Required = BeforeValidator(not_null)


class ContactFields(Spelled):
    """What is known of a contact; fields that are not named here are custom fields."""

    also: ClassVar = {"lead_source": "source"}
    others: ClassVar = "custom_fields"

    team_id: Identifier | None = None
    account_slug: Identifier | None = None
    external_id: Identifier | None = None
    company_id: Identifier | None = None
    phone: Phone | None = None
    phone_secondary: Phone | None = None
    email: Email | None = None
    job_title: Short | None = None
    lead_status: Short | None = None
    source: Short | None = None
    preferred_contact_method: Short | None = None
    timezone: TimezoneName | None = None
    do_not_call: StrictBool | None = None
    notes: LongText | None = None
    custom_fields: JsonObject | None = None
    tags: Tags | None = None


class NewContact(ContactFields):
    """A new contact."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    first_name: Name
    last_name: Name


class CreateContact(NewContact):
    """A new contact, which is enrolled in a campaign where one is named."""

    campaign_id: Identifier | None = None
    campaign_priority: Annotated[StrictInt, Field(ge=0, le=MAX_CONTACT_PRIORITY)] | None = None


class EditContact(ContactFields):
    """What is to change; fields left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"jobTitle": "Countess"}]})

    first_name: Annotated[Name | None, _Required] = None
    last_name: Annotated[Name | None, _Required] = None


class ImportContacts(Spelled):
    """Contacts to import; each row is judged by itself."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"contacts": [_EXAMPLE]}]})

    team_id: Identifier | None = None
    account_slug: Identifier | None = None
    contacts: Annotated[list[Any], Field(min_length=1, max_length=MAX_IMPORTED)]
    company_id: Identifier | None = None
    campaign_id: Identifier | None = None
