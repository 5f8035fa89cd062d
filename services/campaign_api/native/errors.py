"""Every refusal in one form: `{"detail": one sentence}`, and with a 422 `errors` that name each bad value."""

import asyncio
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from services.campaign_api.native.problem_sentences import status_and_sentence
from services.campaign_api.native.schemas.problems import FieldProblem
from shared.domain.mistakes import mistake
from shared.domain.repeating import repeated
from shared.errors import Conflict, NotFound, TemporaryError, WrongState
from shared.logs import get_logger
from shared.store.paging import InvalidCursor
from shared.telephony.twilio_callback import ForgedCallback, UnusableCallback

RETRY_AFTER_SECONDS: Final = 1
# Every number of 5,000 contacts can be listed; a million unknown fields are only counted, because listing them
# would keep the process busy for half a minute.
MAX_PROBLEMS: Final = 50_000


class Refused(Exception):
    """The request is answered with this status and sentence."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


class Unauthorized(Refused):
    """No valid credential: 401."""

    def __init__(self, detail: str) -> None:
        super().__init__(401, detail, {"WWW-Authenticate": "Bearer"})


class RequestInvalid(Exception):
    """Values of the request break the rules: 422 with every one of them."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(f"{len(problems)} values are invalid")
        self.problems = problems


def problem_of(
    error: Mapping[str, Any], prefix: Sequence[str | int] = (), model: type[BaseModel] | None = None
) -> FieldProblem:
    """One of pydantic's errors in our form, without the value itself; the names of fields may be the caller's."""
    place = [repeated(part) if isinstance(part, str) else part for part in error["loc"]]
    return FieldProblem(loc=[*prefix, *place], msg=mistake(error, model), type=error["type"])


def problems_in_body(error: ValidationError, model: type[BaseModel]) -> list[FieldProblem]:
    """Everything that is wrong with a body of this model, or how much when it is too much to list."""
    count = error.error_count()
    if count > MAX_PROBLEMS:
        sentence = f"has {count} invalid values, which are too many to list; correct the kind of value that repeats"
        return [FieldProblem(loc=["body"], msg=sentence, type="too_many_problems")]
    return [problem_of(one, ["body"], model) for one in error.errors(include_url=False, include_input=False)]


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error in the one form."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestInvalid, _request_invalid)
    app.add_exception_handler(RequestValidationError, _parameters_invalid)
    app.add_exception_handler(HTTPException, _routing)
    for known in (NotFound, WrongState, Conflict):
        app.add_exception_handler(known, _in_a_sentence)
    for kind, status in ((UnusableCallback, 400), (ForgedCallback, 403)):
        app.add_exception_handler(kind, _with_status(status))
    app.add_exception_handler(InvalidCursor, _bad_cursor)
    app.add_exception_handler(TemporaryError, _try_again)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _our_fault)


def answer(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    """A refusal as JSON."""
    return JSONResponse({"detail": detail, **more}, status, headers=dict(headers or {}))


def invalid(problems: Sequence[FieldProblem]) -> JSONResponse:
    """422 with every bad value; the sentence names the first."""
    first = problems[0]
    where = ".".join(str(part) for part in first.loc)
    others = f" ({len(problems)} values are invalid; see errors)" if len(problems) > 1 else ""
    return answer(422, f"{where}: {first.msg}{others}", errors=[problem.model_dump() for problem in problems])


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return answer(error.status, error.detail, error.headers)


async def _request_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestInvalid)
    # Beside the event loop: the list may be long.
    return await asyncio.to_thread(invalid, error.problems)


async def _parameters_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return invalid([problem_of(one) for one in error.errors()])


async def _gone(_: Request, __: Exception) -> JSONResponse:
    # Nobody reads this; it only keeps a caller who went away in the middle from being logged as our fault.
    return answer(400, "The request ended before its body did.")


async def _routing(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return answer(404, "There is nothing at this address; /docs lists every route.")
    if error.status_code == 405:
        allowed = ", ".join(sorted(_methods_at(request)))
        return answer(405, f"{repeated(request.method)} is not possible here; use {allowed}.", {"Allow": allowed})
    return answer(error.status_code, str(error.detail), error.headers)


def _methods_at(request: Request) -> set[str]:
    """Every method of the address; the router itself names only those of the first route that fits."""
    candidates = ("GET", "POST", "PUT", "PATCH", "DELETE")
    router = request.app.router
    return {
        method
        for method in candidates
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in router.routes)
    }


async def _in_a_sentence(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, NotFound | WrongState | Conflict)
    return answer(*status_and_sentence(error))


def _with_status(status: int) -> Any:
    async def handler(_: Request, error: Exception) -> JSONResponse:
        return answer(status, str(error))

    return handler


async def _bad_cursor(_: Request, __: Exception) -> JSONResponse:
    return answer(400, "The cursor is not one that this list gave out; leave it out to start with the first page.")


async def _try_again(_: Request, error: Exception) -> JSONResponse:
    return answer(503, f"{error}; try again.", {"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _our_fault(request: Request, error: Exception) -> JSONResponse:
    get_logger().error("a request failed", method=request.method, path=repeated(request.url.path), exc_info=error)
    return answer(500, "Something went wrong on our side; the request may have had an effect.")


def too_many(seconds: float) -> Refused:
    """429: the credential's limit is used up."""
    wait = ceil(seconds)
    return Refused(429, f"Too many requests with this credential; wait {wait} s.", {"Retry-After": str(wait)})
