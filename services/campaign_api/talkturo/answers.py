"""Answers: `{"success": true, …}`, and the statuses that routes can have."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

Answer = dict[str, Any]
EXTERNAL_ID_STAYS: Final = "externalId is set when a thing is made; it was ignored"


class ErrorView(BaseModel):
    """A refusal."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"success": False, "error": "Campaign not found"}]})

    success: bool
    error: str
    details: dict[str, str] = {}


_SAID: Final = {
    400: "Values are missing or bad; `details` names each.",
    401: "No valid credential.",
    403: "The key lacks the scope, or belongs to another team.",
    404: "There is no such thing.",
    405: "The method is not possible here.",
    409: "The state does not allow it.",
    413: "The body is larger than 32 MiB.",
    415: "The body is no JSON in UTF-8.",
    429: "Too many requests.",
    503: "Try again.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, beside those that every route has."""
    return {
        status: {"model": ErrorView, "description": _SAID[status]}
        for status in sorted({400, 401, 403, 404, 429, 503, *statuses})
    }


WITH_BODY: Final = (409, 413, 415)


def success(warnings: Sequence[str] = (), **more: Any) -> Answer:
    """The answer of a request that was done, with what was ignored of it."""
    return {"success": True, **more, **({"warnings": list(warnings)} if warnings else {})}
