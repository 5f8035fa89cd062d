"""The contact book, and contacts that are added to a campaign."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from services.campaign_api.http.requests import OurId, not_null
from services.campaign_api.smartalex.schemas.common import Body, Text255
from shared.domain.fields import at_most
from shared.domain.json_rules import JsonObject, check_text
from shared.domain.person import PersonStatus
from shared.domain.shown_ids import UuidText
from shared.rendering.smartalex.contacts import ContactView
from shared.rendering.smartalex.times import Time
from shared.rendering.smartalex.words import CallResultStatus, CampaignStatus

MAX_ROWS: Final = 1000
MAX_TAGS: Final = 50
MAX_TAG: Final = 100
MAX_EMAIL: Final = 254
SHOWN_CALLS: Final = 20
_ADA: Final[JsonDict] = {
    "phone": "+14155550123",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
    "company": "Analytical Engines",
}

# What is no possible number is no wrong type, however long it is: in a list it costs its own row.
Phone = Annotated[str, AfterValidator(check_text)]
Email = Annotated[str, Field(max_length=MAX_EMAIL), AfterValidator(check_text)]
Tags = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=MAX_TAG), AfterValidator(check_text)]],
    Field(max_length=MAX_TAGS),
    AfterValidator(lambda tags: list(dict.fromkeys(tags))),
]


class ContactFields(Body):
    """What is known of a person; null is the same as leaving it out, but where a contact is changed."""

    read_only: ClassVar[frozenset[str]] = frozenset({*ContactView.model_fields, "calls", "campaigns"})

    first_name: Text255 | None = None
    last_name: Text255 | None = None
    company: Text255 | None = None
    title: Text255 | None = None
    email: Email | None = Field(None, description="Not judged.")
    tags: Tags | None = None
    metadata: JsonObject | None = Field(None, description="Anything of yours; at most 64 KiB.")


class ContactRow(ContactFields):
    """A contact for a campaign."""

    phone: Phone = Field(description="E.164, or a national form, which is read with +1.")


class AddContacts(Body):
    """Contacts for a campaign: rows, contacts of the book, or both; 1 to 1,000 together."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"contacts": [_ADA]}]})

    contacts: Annotated[list[ContactRow], Field(max_length=MAX_ROWS), at_most(MAX_ROWS)] | None = None
    contact_ids: Annotated[list[OurId], Field(max_length=MAX_ROWS), at_most(MAX_ROWS)] | None = None

    @model_validator(mode="after")
    def _names_some(self) -> Self:
        count = len(self.contacts or ()) + len(self.contact_ids or ())
        if not 1 <= count <= MAX_ROWS:
            raise PydanticCustomError(
                "count", "Send 1 to 1000 contacts, those of contact_ids included, not {count}", {"count": count}
            )
        return self


class CreateContact(ContactFields):
    """A contact of the book. One whose phone is there already is that one, with the given fields replaced."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ADA]})

    phone: Phone | None = Field(None, description="E.164, or a national form, which is read with +1.")
    status: PersonStatus | None = None

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if not self.phone and not self.first_name:
            raise PydanticCustomError("nobody", "Write a phone or a first_name")
        return self


class EditContact(ContactFields):
    """What is to change; null clears."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Countess", "tags": ["vip"]}]})

    phone: Phone | None = None
    tags: Annotated[Tags | None, BeforeValidator(not_null)] = None
    metadata: Annotated[JsonObject | None, BeforeValidator(not_null)] = None
    status: Annotated[PersonStatus | None, BeforeValidator(not_null)] = Field(
        None, description="dnc puts the phone on the do-not-call list."
    )


class ContactsCall(BaseModel):
    """A call to a contact."""

    id: UuidText
    direction: Literal["outbound"]
    status: CallResultStatus
    duration: int
    sentiment: str | None
    created_at: Time


class ContactsCampaign(BaseModel):
    """A campaign that a contact is in."""

    id: UuidText
    name: str
    status: CampaignStatus


class ContactWithHistory(ContactView):
    """A contact with its newest calls and its campaigns."""

    calls: list[ContactsCall] = Field(max_length=SHOWN_CALLS)
    campaigns: list[ContactsCampaign]


class InvalidRow(BaseModel):
    """A row of a request that is no contact of the campaign."""

    index: int = Field(description="Its place in the request, from 0; rows come before contact_ids.")
    phone: str | None
    message: str


class AddedContacts(BaseModel):
    """What became of the rows: added, duplicates and invalid ones are all of them."""

    campaign_id: UuidText
    campaign_status: CampaignStatus
    added: int
    duplicates: int = Field(description="Their phone is in the campaign already, or earlier in the request.")
    invalid: int
    dnc: int = Field(description="How many of the added are on the do-not-call list; they are not called.")
    contact_ids: list[UuidText | None] = Field(description="Of the contact book, in the order of the request.")
    errors: list[InvalidRow]
