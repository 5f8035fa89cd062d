"""Limits of all calls of the organization: how many at once and in a second, and how often one phone is called."""

import asyncio
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from services.console.configuration_fields import CONCURRENCY, LIMITS
from services.console.desk import Desk, SignedIn
from services.console.forms import Form

router = APIRouter(prefix="/limits")
HERE: Final = "/limits"
API: Final = "/campaign/limits"
AT_ONCE: Final = "/campaign/concurrency-settings"


@router.get("")
async def show(desk: SignedIn) -> Response:
    """The limits, and how many calls are up."""
    return await _shown(desk, None)


@router.post("/concurrency")
async def set_concurrency(desk: SignedIn) -> Response:
    """Set how many calls there may be at once."""
    form = await desk.filled(Form("concurrency", CONCURRENCY, {}))
    return await _change(desk, form, "PUT", AT_ONCE, "Changed; calls that are up go on.")


@router.post("/calls")
async def set_limits(desk: SignedIn) -> Response:
    """Set how fast calls are placed, and how often a phone is called."""
    form = await desk.filled(Form("calls", LIMITS, {}))
    return await _change(desk, form, "PATCH", API, "Changed; it holds for the calls that come next.")


async def _change(desk: Desk, form: Form, method: str, path: str, said: str) -> Response:
    if form.refusal:
        return await _shown(desk, form)
    wanted = form.changes()
    if not wanted:
        return desk.back(HERE, "Nothing was changed.")
    _, refused = await desk.taken(form, method, path, wanted)
    return desk.back(HERE, said) if refused is None else await _shown(desk, refused)


async def _shown(desk: Desk, refused: Form | None) -> Response:
    found: Any
    limits: Any
    found, limits = await asyncio.gather(desk.get(AT_ONCE), desk.get(API))
    forms = {"concurrency": Form.of("concurrency", CONCURRENCY, found), "calls": Form.of("calls", LIMITS, limits)}
    if refused is not None:
        forms[refused.name] = refused
    code = 200 if refused is None else refused.code
    return desk.page("limits.html", code=code, concurrency=found, limits=limits, forms_of=forms)
