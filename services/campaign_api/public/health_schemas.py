"""Health."""

from typing import Literal

from pydantic import BaseModel, Field

from services.campaign_api.native.schemas.problems import Problem


class Live(BaseModel):
    """The process runs."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """Everything that is needed is there."""

    status: Literal["ready"] = "ready"


class NotReady(Problem):
    """Something is away."""

    status: Literal["not ready"] = "not ready"
    away: list[str] = Field(examples=[["kafka"]])
