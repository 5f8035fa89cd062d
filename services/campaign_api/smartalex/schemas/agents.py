"""Agents."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from services.campaign_api.http.requests import Identifier, Name, not_null
from services.campaign_api.smartalex.schemas.common import Body, Text255
from shared.domain.fields import E164
from shared.rendering.smartalex.times import Time

MAX_NUMBERS: Final = 100
# Fields that an agent has here; all others are kept and given back.
OWN: Final = frozenset(
    {"id", "name", "assistant_name", "language", "voice", "status", "is_active", "phone_numbers"}
    | {"created_at", "updated_at"}
)


def _addressable(name: str) -> str:
    """An id is used in paths, which drop dots."""
    if name in {".", ".."}:
        raise ValueError('must not be "." or "..": these mean something else in a path')
    return name


Numbers = Annotated[
    list[E164], Field(max_length=MAX_NUMBERS), AfterValidator(lambda numbers: [*dict.fromkeys(numbers)])
]


class AgentFields(Body):
    """What is known of an agent; fields that are not named here are kept and given back."""

    @property
    def given(self) -> dict[str, Any]:
        """The fields that are kept as they are given."""
        return {name: value for name, value in (self.model_extra or {}).items() if name not in OWN}


class CreateAgent(AgentFields):
    """A voice agent."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": "outreach", "name": "Outreach", "language": "en-US", "voice": "alloy"}]}
    )

    id: Annotated[Identifier, AfterValidator(_addressable)] | None = Field(
        None, description="The id that the voice platform knows; without one a new UUID."
    )
    name: Name | None = None
    assistant_name: Name | None = Field(None, description="In place of name.")
    language: Text255 | None = Field(None, description='"en-US" by default.')
    voice: Text255 | None = None
    is_active: bool | None = Field(None, description="true by default.")
    phone_numbers: Numbers | None = Field(None, description="Campaigns call from the first, unless they name one.")


class EditAgent(AgentFields):
    """What is to change; fields left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_active": False}]})

    name: Annotated[Name | None, BeforeValidator(not_null)] = None
    assistant_name: Annotated[Name | None, BeforeValidator(not_null)] = None
    language: Annotated[Text255 | None, BeforeValidator(not_null)] = None
    voice: Text255 | None = None
    is_active: Annotated[bool | None, BeforeValidator(not_null)] = None
    phone_numbers: Annotated[Numbers | None, BeforeValidator(not_null)] = None


class AgentView(BaseModel):
    """A voice agent, with the fields that were given."""

    model_config = ConfigDict(extra="allow")

    id: str
    name: str
    assistant_name: str = Field(description="The same.")
    language: str
    voice: str | None
    status: Literal["ready", "inactive"]
    is_active: bool
    phone_numbers: list[str]
    created_at: Time
    updated_at: Time
