"""The circuit breaker of a campaign."""

from typing import Annotated

from pydantic import ConfigDict, Field, StrictFloat, StrictInt

from services.campaign_api.http.requests import RequestBody
from shared.domain.breaker import MAX_MIN_CALLS, MAX_WINDOW_SECONDS, MIN_WINDOW_SECONDS


class Breaker(RequestBody):
    """When a campaign is paused because its calls fail."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={"examples": [{"threshold": 0.5, "window_seconds": 600, "min_calls": 20}]},
    )

    threshold: Annotated[StrictFloat, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        description="The share of calls that fail at which it trips."
    )
    window_seconds: Annotated[StrictInt, Field(ge=MIN_WINDOW_SECONDS, le=MAX_WINDOW_SECONDS)] = Field(
        description="Calls that have ended within so long count."
    )
    min_calls: Annotated[StrictInt, Field(ge=1, le=MAX_MIN_CALLS)] = Field(
        description="With fewer of them it never trips."
    )
