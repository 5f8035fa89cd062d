"""Answers to callbacks that cannot be used; operators read them, so they are sentences."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from starlette.responses import Response

from services.campaign_api.native.errors import answer
from shared.telephony.twilio_callback import ForgedCallback, UnusableCallback


def install_carrier_errors(app: FastAPI) -> None:
    """Have unusable callbacks answered with 400, forged ones with 403."""
    for kind, status in ((UnusableCallback, 400), (ForgedCallback, 403)):
        app.add_exception_handler(kind, _with_status(status))


def _with_status(status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handler(_: Request, error: Exception) -> Response:
        return answer(status, str(error))

    return handler
