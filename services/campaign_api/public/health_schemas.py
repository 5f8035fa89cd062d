"""Health."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.campaign_api.native.schemas.problems import Problem


class Live(BaseModel):
    """The process runs."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """Everything that is needed is there."""

    status: Literal["ready"] = "ready"


class NotReady(Problem):
    """Something is away."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"detail": "Away: kafka.", "status": "not ready", "away": ["kafka"]}]}
    )

    status: Literal["not ready"] = "not ready"
    away: list[str]
