"""Refusals, for this API's document."""

from typing import Any, Final

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str = Field(examples=["Campaign not found"])


class BadValueView(BaseModel):
    """One bad value of a request."""

    loc: list[str | int] = Field(examples=[["body", "max_concurrency"]])
    msg: str
    type: str


class InvalidRequest(BaseModel):
    """A request whose values break the rules; nothing was made."""

    detail: list[BadValueView]
    message: str


_SAID: Final = {
    400: "The state, the file, the filter or the telephony does not allow it.",
    401: "The credential is missing or unknown, or there is no number to call with.",
    403: "The credential lacks the scope, or the filter or file is not for it.",
    404: "There is no such thing in this organization.",
    409: "The name is taken, or the thing is in use.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not JSON.",
    422: "Values of the request break the rules; all of them are listed.",
    429: "Too many requests with this credential; wait as long as Retry-After says.",
    503: "A server behind this one is away; try again as Retry-After says.",
}
_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route: those that all have, and these."""
    return {status: _response(status) for status in sorted({401, 403, 422, 429, 503, *statuses})}


def body_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`problems` of a route that reads a body."""
    return problems(413, 415, *statuses)


def _response(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "model": InvalidRequest if status == 422 else Problem,
        "description": _SAID[status],
    }
    return {**response, "headers": _RETRY_AFTER} if status in {429, 503} else response
