"""Faults of requests reach their dialect's form, whatever part of the stack they came from.

A form is a function from a fault to a response. A dialect brings one, and with it its table of words.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.campaign_api.http.bodies import bad_value
from services.campaign_api.http.faults import Fault, Refused, RequestFault, ValuesInvalid, fault_of
from shared.domain.repeating import repeated
from shared.errors import BadSetting, Conflict, InvalidCursor, NotFound, TemporaryError, TooLarge, WrongState
from shared.logs import get_logger

Form = Callable[[Fault], Response]
Handler = Callable[[Request, Exception], Awaitable[Response]]
# A longer list is written beside the event loop.
MAX_INLINE_VALUES: Final = 100
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def install_errors(app: FastAPI, form: Form) -> None:
    """Have every fault of the application's requests answered in this form."""

    def answered(
        fault_in: Callable[[Request, Exception], Fault],
    ) -> Callable[[Request, Exception], Awaitable[Response]]:
        async def handler(request: Request, error: Exception) -> Response:
            fault = fault_in(request, error)
            return form(fault) if len(fault.values) <= MAX_INLINE_VALUES else await asyncio.to_thread(form, fault)

        return handler

    for refusal in (Refused, ValuesInvalid):
        app.add_exception_handler(refusal, answered(_of_refusal))
    for known in (NotFound, WrongState, Conflict, BadSetting, InvalidCursor, TooLarge, TemporaryError):
        app.add_exception_handler(known, answered(_of_engine))
    app.add_exception_handler(RequestValidationError, answered(_of_parameters))
    app.add_exception_handler(404, answered(lambda _, __: Fault(RequestFault.NO_ADDRESS)))
    app.add_exception_handler(405, answered(_of_method))
    # Nobody reads this; it only keeps a caller that went away in the middle from being logged as our fault.
    app.add_exception_handler(ClientDisconnect, answered(lambda _, __: Fault(RequestFault.BODY_CUT_OFF)))
    app.add_middleware(AnswerOurFaults, form=form)


class AnswerOurFaults:
    """ASGI middleware: an unexpected error is logged once and answered in the dialect's form.

    Starlette's own handler raises it again after the answer, so that a mounted application's error would be logged by
    each application around it and by the server.
    """

    def __init__(self, app: ASGIApp, form: Form) -> None:
        self._app, self._form = app, form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            if begun:
                raise  # the server breaks the connection, and logs it
            path = repeated(Request(scope).url.path)
            get_logger().error("a request failed", method=scope["method"], path=path, exc_info=error)
            await self._form(Fault(RequestFault.OUR_FAULT))(scope, receive, send)


def _of_refusal(_: Request, error: Exception) -> Fault:
    assert isinstance(error, Refused | ValuesInvalid)
    return error.fault


def _of_engine(_: Request, error: Exception) -> Fault:
    assert isinstance(error, NotFound | WrongState | Conflict | BadSetting | InvalidCursor | TooLarge | TemporaryError)
    return fault_of(error)


def _of_parameters(_: Request, error: Exception) -> Fault:
    assert isinstance(error, RequestValidationError)
    return Fault(RequestFault.VALUES_INVALID, values=[bad_value(one) for one in error.errors()])


def _of_method(request: Request, _: Exception) -> Fault:
    allowed = ", ".join(sorted(_methods_at(request)))
    facts = {"method": repeated(request.method), "allowed": allowed}
    return Fault(RequestFault.WRONG_METHOD, facts, headers={"Allow": allowed})


def _methods_at(request: Request) -> set[str]:
    """The methods of the address; the router itself names only those of the first route that fits."""
    routes = request.app.router.routes
    return {
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    }
