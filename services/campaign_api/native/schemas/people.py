"""People of the contact book, and their enrolment in campaigns."""

from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from services.campaign_api.http.requests import Identifier, OurId, RequestBody, not_null
from services.campaign_api.native.schemas.contacts import AttemptView
from shared.domain.campaign import CampaignState
from shared.domain.contact import ContactStatus
from shared.domain.enrolment import Enrolment
from shared.domain.fields import E164, TimezoneName
from shared.domain.json_rules import JsonObject, LongText
from shared.domain.person import Email, PersonStatus, PersonText, Tags
from shared.domain.queue_order import MAX_CONTACT_PRIORITY, MIN_CONTACT_PRIORITY
from shared.domain.reasons import EndReason
from shared.domain.shown_ids import UuidText

MAX_PEOPLE: Final = 1000
_EXAMPLE: Final[JsonDict] = {
    "external_id": "crm-1001",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "phone": "+14155550123",
    "email": "ada@example.com",
    "timezone": "America/New_York",
    "tags": ["vip"],
    "custom_fields": {"plan": "pro"},
}


class _PersonFields(RequestBody):
    first_name: PersonText | None = None
    last_name: PersonText | None = None
    phone: E164 | None = Field(None, description="Called; several people may have one.")
    phone_secondary: E164 | None = Field(None, description="Called where there is no phone.")
    email: Email | None = None
    company_id: OurId | None = Field(None, description="The id of a company.")
    company: PersonText | None = Field(None, description="A company's name, where it is not in the registry.")
    job_title: PersonText | None = None
    timezone: TimezoneName | None = None
    lead_status: PersonText | None = None
    source: PersonText | None = Field(None, description="Where the person is known from.")
    preferred_contact_method: PersonText | None = None
    notes: LongText | None = None


class CreatePerson(_PersonFields):
    """A person. Contacts that are this person have these fields as their `data`."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    external_id: Identifier | None = Field(None, description="Your id; unique among people, and never changed.")
    tags: Tags = Field([], description="Up to 100.")
    custom_fields: JsonObject = Field({}, description="Anything of yours; at most 64 KiB.")
    do_not_call: bool = Field(False, description="true: not called, in no campaign.")
    inactive: bool = Field(False, description="true: not enrolled any more; who is enrolled stays so.")

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if not any((self.first_name, self.last_name, self.phone, self.phone_secondary, self.email)):
            raise ValueError("Give a name, a phone or an email")
        return self


class EditPerson(_PersonFields):
    """What is to change; fields left out stay, null clears."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"phone": "+14155550124", "do_not_call": False}]})

    tags: Annotated[Tags | None, BeforeValidator(not_null)] = None
    custom_fields: Annotated[JsonObject | None, BeforeValidator(not_null)] = None
    do_not_call: Annotated[bool | None, BeforeValidator(not_null)] = None
    inactive: Annotated[bool | None, BeforeValidator(not_null)] = None


class PersonView(BaseModel):
    """A person; the calls are those of all campaigns."""

    model_config = ConfigDict(from_attributes=True)

    id: UuidText
    external_id: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    phone_secondary: str | None
    email: str | None
    company_id: UuidText | None
    company: str | None
    job_title: str | None
    timezone: str | None
    lead_status: str | None
    source: str | None
    preferred_contact_method: str | None
    notes: str | None
    tags: list[str]
    custom_fields: dict[str, Any]
    do_not_call: bool
    inactive: bool
    status: PersonStatus = Field(description="`dnc`: flagged, or a number is on the do-not-call list.")
    calls_count: int
    last_called_at: datetime | None
    created_at: datetime
    updated_at: datetime


class PersonPage(BaseModel):
    """People, newest first."""

    people: list[PersonView]
    next_cursor: str | None
    total: int | None = Field(None, description="Only where the page was asked for by `offset`.")


class PersonsCallView(AttemptView):
    """A call to a person, and whom it was for."""

    campaign_id: UuidText
    contact_id: UuidText


class ParticipationView(BaseModel):
    """A campaign that a person is or was in."""

    campaign_id: UuidText
    campaign_name: str
    campaign_state: CampaignState
    contact_id: UuidText
    status: ContactStatus
    ended_because: EndReason | None
    attempts_made: int


class PersonWithCallsView(PersonView):
    """A person with the newest calls, and the campaigns, the newest first."""

    calls: list[PersonsCallView]
    campaigns: list[ParticipationView]


class EnrolPeople(RequestBody):
    """People that are to be called in a campaign."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"people": ["crm-1001", "crm-1002"], "priority": 5}]})

    people: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_PEOPLE)] = Field(
        description="Ids or external_ids of people."
    )
    priority: Annotated[int, Field(ge=MIN_CONTACT_PRIORITY, le=MAX_CONTACT_PRIORITY)] | None = Field(
        None, description="Of the new contacts; without it 0."
    )


class EnrolledView(BaseModel):
    """What became of one person of the request."""

    model_config = ConfigDict(from_attributes=True)

    person_id: str = Field(description="As it was given, where nobody is known by it.")
    contact_id: UuidText | None = Field(description="null: no contact of the campaign.")
    enrolment: Enrolment
    because: EndReason | None = Field(description="Why a contact is skipped.")


class EnrolledPeople(BaseModel):
    """What became of the people, in the order of the request; the counts are of distinct ones."""

    added: int
    skipped: int
    duplicates: int
    refused: int
    people: list[EnrolledView]
