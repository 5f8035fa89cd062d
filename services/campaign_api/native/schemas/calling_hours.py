"""What an organization says of hours for all its calls."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.campaign_api.http.requests import RequestBody, not_null
from shared.domain.closures import Closure, Closures, HolidayCalendars
from shared.domain.organization_hours import LegalHoursUse


class EditCallingHours(RequestBody):
    """What is to change; fields left out stay."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "closures": [{"first_day": "2026-12-24", "last_day": "2027-01-01", "name": "Company holidays"}],
                    "holiday_calendars": ["US"],
                    "legal_hours": "on",
                }
            ]
        }
    )

    closures: Annotated[Closures | None, BeforeValidator(not_null)] = Field(
        None, description="Days on which nobody is called, contacts of no campaign included."
    )
    holiday_calendars: Annotated[HolidayCalendars | None, BeforeValidator(not_null)] = Field(
        None, description="Nobody is called on the public holidays of these: a country (US) or a part of one (DE-BY)."
    )
    legal_hours: Annotated[LegalHoursUse | None, Field(strict=False), BeforeValidator(not_null)] = Field(
        None, description="on: nobody is called outside the legal hours of the number's country. Not legal advice."
    )


class CallingHours(BaseModel):
    """Closed days of all calls, and whether legal hours are kept."""

    closures: list[Closure]
    holiday_calendars: list[str]
    legal_hours: LegalHoursUse
