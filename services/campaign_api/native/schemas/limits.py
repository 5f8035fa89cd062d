"""The organization's limits beside that on calls at once."""

from pydantic import BaseModel, ConfigDict, Field

from services.campaign_api.http.requests import RequestBody
from shared.domain.fields import CallsPerSecond, GapMinutes, MaxAttempts, WeeklyAttempts


class EditLimits(RequestBody):
    """What is to change; fields left out stay, null takes a limit away."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"max_attempts_per_number_per_day": 3, "min_minutes_between_calls": 60}]}
    )

    max_attempts_per_number_per_day: MaxAttempts | None = Field(
        None, description="Attempts at a phone in a day of its contact's timezone, over all campaigns."
    )
    max_attempts_per_number_per_week: WeeklyAttempts | None = Field(
        None, description="Attempts at a phone in any 168 hours, over all campaigns."
    )
    min_minutes_between_calls: GapMinutes | None = Field(
        None, description="From the end of a call to a phone to the start of the next one, over all campaigns."
    )
    calls_per_second: CallsPerSecond | None = Field(
        None, description="Calls placed in a second, all campaigns together; 0.1 is one in ten seconds."
    )


class Limits(BaseModel):
    """The organization's limits; null where there is none."""

    model_config = ConfigDict(from_attributes=True)

    max_attempts_per_number_per_day: int | None
    max_attempts_per_number_per_week: int | None
    min_minutes_between_calls: int | None
    calls_per_second: float | None
