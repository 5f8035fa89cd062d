"""The front page."""

from pydantic import BaseModel, Field


class About(BaseModel):
    """What this is, and where its documentation stands."""

    name: str = Field(examples=["Dialstream"])
    version: str = Field(description="Of the HTTP interface.", examples=["1.0.0"])
    docs: str = Field("/docs", description="For people.")
    openapi: str = Field("/openapi.json", description="For programs.")
    health: str = Field("/health/ready", description="Whether it is ready.")
