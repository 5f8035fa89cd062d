"""Campaigns."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from services.campaign_api.http.requests import Identifier, Name, RequestBody, not_null
from services.campaign_api.smartalex.schemas.common import Body, Text5000
from shared.domain.fields import E164, ConcurrencyLimit, TimezoneName, WallTime, at_most
from shared.rendering.smartalex.campaign_views import CampaignView

MAX_RETRIES: Final = 49
MAX_DAY_WINDOWS: Final = 100
_EXAMPLE: Final[JsonDict] = {
    "name": "Spring outreach",
    "description": "Leads of the spring fair",
    "agent_id": "outreach",
    "settings": {
        "calling_hours_start": "09:00",
        "calling_hours_end": "17:00",
        "timezone": "America/New_York",
        "concurrent_calls": 5,
        "max_retries": 3,
    },
}
READ_ONLY: Final = frozenset(CampaignView.model_fields)


def _with_times(value: Any) -> Any:
    """A day on which calls are made needs both times."""
    if isinstance(value, Mapping) and value.get("enabled") is True:
        missing = [name for name in ("start", "end") if value.get(name) is None]
        if missing:
            raise PydanticCustomError("times_missing", "A day that is enabled needs start and end")
    return value


def _not_blank(name: str) -> str:
    if not name.strip():
        raise PydanticCustomError("blank", "Write a name that is not blank")
    return name


class Window(Body):
    """A time of day in which calls are made."""

    start: WallTime
    end: WallTime


class Day(Body):
    """A day of the week; an end before its start is on the next day."""

    enabled: bool
    start: WallTime | None = None
    end: WallTime | None = None
    windows: Annotated[list[Window], Field(max_length=MAX_DAY_WINDOWS), at_most(MAX_DAY_WINDOWS)] | None = Field(
        None, description="Of a campaign made elsewhere, as they are read; another start or end takes their place."
    )


WeekDay = Annotated[Day | None, BeforeValidator(_with_times)]


class BusinessHours(RequestBody):
    """The week; calls are made on no day that is left out."""

    monday: WeekDay = None
    tuesday: WeekDay = None
    wednesday: WeekDay = None
    thursday: WeekDay = None
    friday: WeekDay = None
    saturday: WeekDay = None
    sunday: WeekDay = None


class Settings(Body):
    """How a campaign calls. What is left out, or null, stays; in a new campaign it is the default."""

    calling_hours_start: WallTime | None = Field(None, description='"09:00" by default; on all days.')
    calling_hours_end: WallTime | None = Field(None, description='"17:00" by default; "24:00" ends a day.')
    timezone: TimezoneName | None = Field(None, description='"UTC" by default; for everybody.')
    concurrent_calls: ConcurrencyLimit | None = Field(None, description="1 by default.")
    max_retries: Annotated[int, Field(ge=0, le=MAX_RETRIES)] | None = Field(None, description="3 by default.")


class CreateCampaign(Body):
    """A campaign; nobody is called before it is started."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})
    read_only: ClassVar[frozenset[str]] = READ_ONLY

    name: Annotated[Name, BeforeValidator(lambda name: _not_blank(name) if isinstance(name, str) else name)]
    agent_id: Identifier = Field(description="A registered agent that is active: GET /agents.")
    description: Text5000 | None = None
    objective: Text5000 | None = None
    settings: Settings | None = None
    phone_number_id: E164 | None = Field(None, description="The number to call from; a number is its own id.")
    campaign_mode: Literal["outbound"] | None = None
    timezone: TimezoneName | None = Field(None, description="The same as settings.timezone.")
    business_hours: BusinessHours | None = Field(None, description="In place of the calling hours of settings.")


class EditCampaign(Body):
    """What is to change; fields left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"settings": {"max_retries": 5}}]})
    read_only: ClassVar[frozenset[str]] = READ_ONLY

    name: Annotated[
        Name | None,
        BeforeValidator(lambda name: _not_blank(name) if isinstance(name, str) else name),
        BeforeValidator(not_null),
    ] = None
    agent_id: Identifier | None = Field(None, description="null only where the campaign names none.")
    description: Text5000 | None = None
    objective: Text5000 | None = None
    settings: Annotated[Settings | None, BeforeValidator(not_null)] = None
    phone_number_id: E164 | None = None
    campaign_mode: Annotated[Literal["outbound"] | None, BeforeValidator(not_null)] = None
    timezone: Annotated[TimezoneName | None, BeforeValidator(not_null)] = None
    business_hours: Annotated[BusinessHours | None, BeforeValidator(not_null)] = None
