"""The organization's limit on calls at once."""

from pydantic import BaseModel, ConfigDict

from services.campaign_api.http.requests import RequestBody
from shared.domain.fields import ConcurrencyLimit


class SetConcurrency(RequestBody):
    """The limit to set."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"concurrency_limit": 25}]})

    concurrency_limit: ConcurrencyLimit


class Concurrency(BaseModel):
    """The limit, and how many calls are up or about to be."""

    concurrency_limit: int
    active_calls: int
