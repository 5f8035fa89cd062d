"""Organizations and their credentials, for the operator."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from services.campaign_api.http.requests import Identifier, Name, OurId, RequestBody, not_null
from shared.clock import utc_now
from shared.domain.fields import E164
from shared.domain.phone import NumberType
from shared.domain.request_limits import MAX_LENGTH, checked_windows
from shared.domain.shown_ids import UuidText
from shared.engine.keys import ApiKey, Scope
from shared.engine.organizations import Organization

MAX_EXCLUSIVE_NUMBERS: Final = 1000
MAX_ORGANIZATIONS: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The last millisecond of the year 9999: the last that a datetime can hold.
_LAST_MS: Final = 253_402_300_799_999
# Of a key that is made without a list.
_USUAL: Final = (Scope.CAMPAIGNS_MANAGE, Scope.CONCURRENCY_MANAGE, Scope.CONVERSATIONS_READ_SENSITIVE)


def _in_the_future(milliseconds: int | None) -> int | None:
    if milliseconds is not None and from_epoch_ms(milliseconds) <= utc_now():
        raise ValueError("must lie in the future, in milliseconds since 1970")
    return milliseconds


def from_epoch_ms(milliseconds: int) -> datetime:
    """The instant, in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


ExpiresAt = Annotated[
    int | None, Field(ge=0, le=_LAST_MS, examples=[4_102_444_800_000]), AfterValidator(_in_the_future)
]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=20, examples=[["campaigns:manage"]])]
# A type may be named twice, and counts once.
RefusedTypes = Annotated[
    list[NumberType], Field(max_length=20), AfterValidator(lambda types: list(dict.fromkeys(types)))
]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$", examples=["acme"])]
RequestLimits = Annotated[
    str,
    Field(max_length=MAX_LENGTH, examples=["1000/hour; 60/minute writes; 300/minute reads"]),
    AfterValidator(checked_windows),
]
CallerNumbers = Annotated[list[E164], Field(max_length=MAX_EXCLUSIVE_NUMBERS)]


class CreateOrganization(RequestBody):
    """A new organization."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Acme", "default_agent_number": "+14155550100"}]}
    )

    name: Name
    default_agent_number: E164 | None = Field(
        None, description="The caller number where contact, campaign and configuration name none."
    )
    exclusive_caller_numbers: CallerNumbers = Field([], description="Caller numbers that carry one call at a time.")
    refused_number_types: RefusedTypes = Field(
        [], description="Contacts with numbers of these costly types are refused; otherwise there is a warning."
    )
    slug: Slug | None = Field(None, description="Its name in addresses of other systems; null: made of the name.")
    external_id: Identifier | None = Field(None, description="Its id in other systems.")
    request_limits: RequestLimits | None = Field(
        None, description='Of each of its credentials; null: those that the operator has set for all; "": none.'
    )


class EditOrganization(RequestBody):
    """What is to change; fields left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"default_agent_number": "+14155550100"}]})

    name: Annotated[Name | None, BeforeValidator(not_null)] = Field(None)
    default_agent_number: E164 | None = Field(None, description="null: none.")
    exclusive_caller_numbers: Annotated[CallerNumbers | None, BeforeValidator(not_null)] = Field(None)
    refused_number_types: Annotated[RefusedTypes | None, BeforeValidator(not_null)] = Field(
        None, description="For contacts that are sent from now on; those stored already are called all the same."
    )
    slug: Slug | None = Field(None, description="null: made of the name.")
    external_id: Identifier | None = Field(None, description="null: none.")
    request_limits: RequestLimits | None = Field(None, description="They hold within a second.")


class OrganizationView(BaseModel):
    """An organization."""

    model_config = ConfigDict(from_attributes=True)

    id: UuidText
    name: str
    default_agent_number: str | None
    exclusive_caller_numbers: list[str]
    refused_number_types: list[NumberType]
    slug: str = Field(description="Compared with what requests name; other organizations may have the same.")
    external_id: str | None
    request_limits: str | None
    created_at: datetime

    @classmethod
    def of(cls, organization: Organization) -> Self:
        """As the operator sees it."""
        return cls.model_validate(organization)


class OrganizationPage(BaseModel):
    """Organizations, newest first."""

    organizations: list[OrganizationView]
    next_cursor: str | None


class CreateOrganizationKey(RequestBody):
    """A new key of one organization."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"organization_id": "7b1c9f2e-52a5-4f0d-8c4b-0c6f3b8f6d11", "name": "production"}]
        }
    )

    organization_id: OurId
    name: Name
    scopes: Scopes = Field(list(_USUAL))
    expires_at: ExpiresAt = Field(None, description="Milliseconds since 1970, or null: never.")
    request_limits: RequestLimits | None = Field(None, description="null: its organization's.")


class CreatePersonalToken(RequestBody):
    """A new token of one person, for one or more organizations."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "person": "ada@example.com",
                    "organization_ids": ["7b1c9f2e-52a5-4f0d-8c4b-0c6f3b8f6d11"],
                    "name": "laptop",
                }
            ]
        }
    )

    person: Name
    organization_ids: Annotated[list[OurId], Field(min_length=1, max_length=MAX_ORGANIZATIONS)]
    name: Name
    scopes: Scopes = Field(list(_USUAL))
    expires_at: ExpiresAt = Field(None, description="Milliseconds since 1970, or null: never.")
    request_limits: RequestLimits | None = Field(None, description="null: those of the organization it is used for.")


class EditKey(RequestBody):
    """What is to change of a key."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"request_limits": "1000/hour"}]})

    request_limits: RequestLimits | None = Field(description='null: its organization\'s; "": none.')


class OrganizationKeyView(BaseModel):
    """A key of an organization, without its secret."""

    id: UuidText
    organization_id: UuidText
    name: str
    scopes: list[Scope]
    expires_at: int | None
    request_limits: str | None
    created_at: datetime

    @classmethod
    def of(cls, key: ApiKey, /, **more: Any) -> Self:
        """As the operator sees it."""
        return cls(organization_id=key.organization_ids[0], **_of_any_key(key), **more)


class NewOrganizationKey(OrganizationKeyView):
    """A key with its full text, which is shown only this once."""

    key: str = Field(description="Shown once.", examples=["ak_3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21.x0…"])


class PersonalTokenView(BaseModel):
    """A token of a person, without its secret."""

    id: UuidText
    person: str
    organization_ids: list[UuidText]
    name: str
    scopes: list[Scope]
    expires_at: int | None
    request_limits: str | None
    created_at: datetime

    @classmethod
    def of(cls, key: ApiKey, /, **more: Any) -> Self:
        """As the operator sees it."""
        return cls(person=key.person or "", organization_ids=list(key.organization_ids), **_of_any_key(key), **more)


class NewPersonalToken(PersonalTokenView):
    """A token with its full text, which is shown only this once."""

    key: str = Field(description="Shown once.", examples=["pat_3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21.x0…"])


class OrganizationKeyPage(BaseModel):
    """Keys, newest first."""

    organization_pats: list[OrganizationKeyView]
    next_cursor: str | None


class PersonalTokenPage(BaseModel):
    """Tokens, newest first."""

    personal_tokens: list[PersonalTokenView]
    next_cursor: str | None


def _of_any_key(key: ApiKey) -> dict[str, Any]:
    expires_at = key.expires_at
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "expires_at": None if expires_at is None else (expires_at - _EPOCH) // timedelta(milliseconds=1),
        "request_limits": key.request_limits,
        "created_at": key.created_at,
    }
