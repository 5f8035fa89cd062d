"""Refusals, as the OpenAPI document shows them."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.campaign_api.http.faults import fault_of
from services.campaign_api.smartalex.errors import said_of
from shared.errors import Kind, NotFound

_SAID, _SENTENCE = said_of(fault_of(NotFound(Kind.CAMPAIGN, "spring")))
_EXAMPLE: Final[Any] = {"error": {"code": _SAID.code, "message": _SENTENCE, "status": _SAID.status}}


class FieldDetail(BaseModel):
    """One bad value of a request."""

    field: str = Field(description="The way to it; empty where the body as a whole is bad.", examples=["name"])
    message: str


class Error(BaseModel):
    """Why a request was refused."""

    code: Literal[
        "invalid_request",
        "unauthorized",
        "forbidden",
        "campaign_not_found",
        "agent_not_found",
        "not_found",
        "campaign_already_active",
        "campaign_not_active",
        "no_contacts",
        "rate_limited",
        "server_error",
    ]
    message: str
    status: int = Field(description="The HTTP status.")
    details: list[FieldDetail] | None = Field(None, description="With invalid_request: every bad value.")


class Refusal(BaseModel):
    """A request that was refused."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    error: Error


_SENTENCES: Final = {
    400: "Values of the request break the rules; all of them are listed.",
    401: "The key is missing, unknown, expired or deleted.",
    403: "The key lacks the scope, or names an organization that is not the person's.",
    404: "There is no such thing in this organization.",
    409: "The state of the campaign does not allow it.",
    413: "The body is larger than 32 MiB.",
    415: "The body is not said to be JSON.",
    429: "Too many requests with this key; wait as long as Retry-After says.",
    503: "A server behind this one is away; try again as Retry-After says.",
}
_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI of the refusals of a route: those that all have, and these."""
    return {status: _response(status) for status in sorted({400, 401, 403, 429, 503, *statuses})}


def body_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`problems` for a route that reads a body."""
    return problems(413, 415, *statuses)


def _response(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {"model": Refusal, "description": _SENTENCES[status]}
    return {**response, "headers": _RETRY_AFTER} if status in {429, 503} else response
