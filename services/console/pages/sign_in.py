"""Signing in with a key of the API, and out."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.console.api import ApiRefused, Credential
from services.console.desk import (
    SEE_OTHER,
    AnySession,
    checked_form,
    console_of,
    local_path,
    text_of,
)
from services.console.sessions import OPERATOR, READ, Session
from shared.clock import utc_now
from shared.domain.setting_rules import is_usable_secret

router = APIRouter()
# Longer than any key that the API makes; a cookie has to hold it.
MOST_KEY_CHARACTERS = 512
NOT_A_KEY = (
    "This is no key of Dialstream, or no longer one. Keys begin with ak_, personal tokens with pat_; the operator's "
    "token is what DIALSTREAM_ADMIN_TOKEN says."
)
NO_ORGANIZATION = "A personal token needs the id of an organization beside it."
MAY_READ_NOTHING = "This key may not read campaigns. Take one with the scope campaigns:read or campaigns:manage."


@router.get("/sign-in")
async def ask(request: Request, session: AnySession, to: str = "/") -> Response:
    """The form that asks for a key."""
    response = console_of(request).page(request, session, "sign_in.html", to=local_path(to), refusal=None)
    # The form's token belongs to a session, so there has to be one before anybody has signed in. That of a person who
    # has is left as it is: written again it would last longer.
    if session.credential is None:
        console_of(request).sessions.write(response, session, utc_now())
    return response


@router.post("/sign-in")
async def sign_in(request: Request, session: AnySession) -> Response:
    """Sign in, where the API knows the key; in a session of its own, so that no token of before is good for it."""
    console, form = console_of(request), await checked_form(request, session)
    key, organization_id, to = text_of(form, "key"), text_of(form, "organization_id"), local_path(text_of(form, "to"))
    signed_in, refusal = None, NOT_A_KEY
    if key and len(key) + len(organization_id) <= MOST_KEY_CHARACTERS and _can_be_sent(key, organization_id):
        signed_in, refusal = await _proven(request, Credential(key, organization_id or None))
    if signed_in is None:
        return console.page(request, session, "sign_in.html", code=401, to=to, refusal=refusal)
    response = RedirectResponse(to, SEE_OTHER)
    console.sessions.write(response, signed_in, utc_now())
    return response


@router.post("/sign-out")
async def sign_out(request: Request, session: AnySession) -> Response:
    """Forget the key."""
    if session.credential is not None:
        await checked_form(request, session)
    response = RedirectResponse("/sign-in", SEE_OTHER)
    console_of(request).sessions.forget(response)
    return response


def _can_be_sent(key: str, organization_id: str) -> bool:
    return is_usable_secret(key) and is_usable_secret(organization_id)


async def _proven(request: Request, credential: Credential) -> tuple[Session | None, str]:
    """A session of this credential, or why there is none."""
    if credential.key.startswith("pat_") and credential.organization_id is None:
        return None, NO_ORGANIZATION
    console = console_of(request)
    try:
        known = await console.api.get(credential, "/campaign/credential")
    except ApiRefused as refused:
        if refused.status != 401:
            return None, refused.detail
        return await _operator(request, credential), NOT_A_KEY
    scopes = frozenset(known["scopes"])
    if not scopes & READ:
        return None, MAY_READ_NOTHING
    return console.sessions.begin(credential, scopes), ""


async def _operator(request: Request, credential: Credential) -> Session | None:
    """A session of the operator; None where this is not the operator's token."""
    console = console_of(request)
    try:
        await console.api.get(credential, "/admin/organizations", {"limit": 1})
    except ApiRefused as refused:
        if refused.status != 401:
            raise
        return None
    return console.sessions.begin(Credential(credential.key), frozenset({OPERATOR}))
