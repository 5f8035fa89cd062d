"""The wiring of the console, on one screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from services.console.api import Api, ApiAway, ApiRefused
from services.console.desk import (
    SEE_OTHER,
    Console,
    FormRefused,
    OtherDesk,
    SignInNeeded,
    any_session,
    console_of,
    sign_in_from,
    sign_in_path,
)
from services.console.guard import Guard
from services.console.pages import (
    callbacks,
    caller_numbers,
    calls,
    campaign,
    campaign_settings,
    campaigns,
    closed_days,
    configurations,
    contacts,
    do_not_call,
    health,
    imports,
    keys,
    limits,
    new_contact,
    organizations,
    sign_in,
    static,
    system,
    webhooks,
)
from services.console.rendering import environment
from services.console.sessions import Sessions
from services.console.settings import MEBIBYTE, ConsoleSettings
from shared.http_server import answering

ROUTERS: Final = (
    health.router,
    static.router,
    sign_in.router,
    campaigns.router,
    campaign_settings.router,
    campaign.router,
    new_contact.router,
    contacts.router,
    calls.router,
    callbacks.router,
    do_not_call.router,
    imports.router,
    caller_numbers.router,
    configurations.router,
    closed_days.router,
    limits.router,
    webhooks.router,
    keys.router,
    organizations.router,
    system.router,
)
AWAY: Final = "Dialstream does not answer. Wait a moment, then open the page again."
FOR_ORGANIZATIONS: Final = "This page is for an organization: sign out, then sign in with its key."
FOR_OPERATORS: Final = "This page is for the operator: sign out, then sign in with the operator's token."
NOT_FOUND: Final = 404


def build_app(settings: ConsoleSettings, api: Api) -> Guard:
    """The application, a client of this API."""
    app = FastAPI(title="Dialstream console", docs_url=None, redoc_url=None, openapi_url=None)
    sessions = Sessions(settings.console_secret, seconds=settings.console_session_seconds, https=settings.console_https)
    app.state.console = Console(api, sessions, environment(), settings.console_upload_mb * MEBIBYTE)
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(SignInNeeded, _to_sign_in)
    app.add_exception_handler(OtherDesk, _other_desk)
    app.add_exception_handler(ApiRefused, _refused)
    app.add_exception_handler(ApiAway, _away)
    app.add_exception_handler(FormRefused, _form_refused)
    app.add_exception_handler(RequestValidationError, _not_read)
    app.add_exception_handler(HTTPException, _http)
    return Guard(app)


@asynccontextmanager
async def serving(settings: ConsoleSettings) -> AsyncIterator[None]:
    """The console at work on its port, whether campaign-api answers or not; at the end requests in flight are finished.

    Raises `ConfigurationError` when address or port cannot be had.
    """
    async with Api(settings.console_api_url, seconds=settings.console_api_seconds) as api:
        app = build_app(settings, api)
        async with answering(settings, app, api.leave, shutdown_seconds=settings.console_shutdown_seconds):
            yield


def _problem(request: Request, status: int, sentence: str) -> Response:
    return console_of(request).page(request, any_session(request), "problem.html", code=status, sentence=sentence)


def _to_sign_in(request: Request, _: Exception) -> Response:
    if "hx-request" in request.headers:
        # A piece of a page: the whole page has to go, and to come back. A stream that is connected again looks at the
        # status alone.
        status = 401 if "text/event-stream" in request.headers.get("accept", "") else 200
        return Response(status_code=status, headers={"HX-Redirect": sign_in_from(request)})
    return RedirectResponse(sign_in_path(request), SEE_OTHER)


def _other_desk(request: Request, _: Exception) -> Response:
    operator = any_session(request).is_operator
    if operator and request.method == "GET" and request.url.path == "/":
        return RedirectResponse("/system", SEE_OTHER)
    return _problem(request, 403, FOR_ORGANIZATIONS if operator else FOR_OPERATORS)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiRefused)
    if error.status == 401:
        response = _to_sign_in(request, error)
        console_of(request).sessions.forget(response)
        return response
    return _problem(request, error.status, error.detail)


def _away(request: Request, _: Exception) -> Response:
    response = _problem(request, 503, AWAY)
    response.headers["Retry-After"] = "1"
    return response


def _form_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, FormRefused)
    return _problem(request, error.status, error.sentence)


def _not_read(request: Request, _: Exception) -> Response:
    return _problem(request, 422, "The address of this page has a part that cannot be read.")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = "There is no such page." if error.status_code == NOT_FOUND else f"{error.detail}."
    return _problem(request, error.status_code, sentence)
