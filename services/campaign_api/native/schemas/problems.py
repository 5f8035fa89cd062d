"""Refusals."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from services.campaign_api.http.faults import fault_of
from services.campaign_api.native.errors import status_and_sentence
from shared.errors import Kind, NotFound

_, _EXAMPLE = status_and_sentence(fault_of(NotFound(Kind.CAMPAIGN, "spring")))
_TOO_MANY: Final = "Input should be less than or equal to 200"
_INVALID_EXAMPLE: Final[JsonDict] = {
    "detail": f"query.limit: {_TOO_MANY}",
    "errors": [{"loc": ["query", "limit"], "msg": _TOO_MANY, "type": "less_than_equal"}],
}


class FieldProblem(BaseModel):
    """One bad value of a request."""

    loc: list[str | int] = Field(
        description="The way to the value; a name longer than 200 characters is shortened.",
        examples=[["body", "contacts", 3, "phone_numbers", 0]],
    )
    msg: str = Field(description="What is wrong with it, and what to write.")
    type: str = Field(description="The kind of mistake, for programs.")


class Problem(BaseModel):
    """Why a request was refused."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"detail": _EXAMPLE}]})

    detail: str = Field(description="One sentence: what, where, what to do.")


class InvalidRequest(Problem):
    """A request whose values break the rules; nothing was stored."""

    model_config = ConfigDict(json_schema_extra={"examples": [_INVALID_EXAMPLE]})

    errors: list[FieldProblem] = Field(description="Every bad value at once.")


_SENTENCES: Final = {
    400: "The state does not allow it, or the cursor is not one of this list.",
    401: "The credential is missing, unknown, expired, deleted, or not for this address.",
    403: "The credential is valid, but lacks the scope, or names an organization that is not the person's.",
    404: "There is no such thing in this organization.",
    409: "The name is taken, the thing is in use, or the contact is being called.",
    413: "The body is larger than 32 MiB.",
    415: "The body is not JSON.",
    422: "Values of the request break the rules; all of them are listed.",
    429: "Too many requests with this credential; wait as long as Retry-After says.",
    503: "A server behind this one is away; try again as Retry-After says.",
}
_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI of the refusals of a route that needs a credential: those that all have, and these."""
    return only_problems(401, 403, 422, 429, 503, *statuses)


def body_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`problems` for a route that reads a body."""
    return problems(413, 415, *statuses)


def operator_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI of the refusals of a route for the operator."""
    return only_problems(401, 422, 503, *statuses)


def only_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI of exactly these refusals."""
    return {status: _response(status) for status in sorted(statuses)}


def _response(status: int) -> dict[str, Any]:
    model = InvalidRequest if status == 422 else Problem
    response: dict[str, Any] = {"model": model, "description": _SENTENCES[status]}
    return {**response, "headers": _RETRY_AFTER} if status in {429, 503} else response
