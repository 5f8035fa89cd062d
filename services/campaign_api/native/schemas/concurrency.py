"""The organization's limit on calls at once."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from services.campaign_api.http.requests import RequestBody

MAX_CONCURRENCY: Final = 10_000


class SetConcurrency(RequestBody):
    """The limit to set."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"concurrency_limit": 25}]})

    concurrency_limit: Annotated[int, Field(ge=1, le=MAX_CONCURRENCY)]


class Concurrency(BaseModel):
    """The limit, and how many calls are up or about to be."""

    concurrency_limit: int
    active_calls: int
