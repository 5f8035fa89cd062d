"""Callbacks: who waits to be called back, and what is to become of it."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.responses import Response

from services.console.api import segment
from services.console.desk import SignedIn, text_of
from services.console.forms import Field, Form, Kind, utc_z
from services.console.words import callback_spans, utc_text
from shared.clock import utc_now

router = APIRouter(prefix="/callbacks")
PAGE_SIZE: Final = 50
TYPES: Final = ("requested", "retry")
DONE: Final = {
    "now": "To be called as soon as hours and limits allow.",
    "skip": "This call is left out.",
    "cancel": "Nobody calls this contact any more in this campaign.",
    "done": "Noted as settled.",
}
AT: Final = (Field("at", "Call back at (UTC)", Kind.TIME, required=True),)
Text = Annotated[str, Query(max_length=1000)]


@router.get("")
async def list_all(desk: SignedIn, span: Text = "all", type: Text = "", cursor: Text = "") -> Response:
    """A page of callbacks, soonest first."""
    spans = callback_spans(utc_now())
    span = span if span in spans else "all"
    type = type if type in TYPES else ""
    after, before = (None if at is None else utc_z(at) for at in spans[span])
    query = {"type": type, "due_after": after, "due_before": before, "cursor": cursor, "limit": PAGE_SIZE}
    page = await desk.get("/campaign/callbacks", query)
    return desk.page("callbacks.html", page=page, span=span, spans=list(spans), type=type, types=TYPES)


@router.post("/{callback}/reschedule")
async def reschedule(desk: SignedIn, callback: str) -> Response:
    """Call back at another time, in UTC."""
    here, form = _shown(await desk.form()), await desk.filled(Form("later", AT, {}))
    if not form.refusal:
        body = form.body()
        _, refused = await desk.taken(form, "POST", f"{_path(callback)}/reschedule", body)
        if refused is None:
            return desk.back(here, f"To be called back at {utc_text(body['at'])}.")
        form = refused
    return desk.page("another_time.html", code=form.code, callback=callback, form=form)


@router.post("/{callback}/{change}")
async def settle(desk: SignedIn, callback: str, change: str) -> Response:
    """Call now, leave one call out, give up, or note that it is settled."""
    here = _shown(await desk.form())
    if change not in DONE:
        return desk.back(here, "There is no such thing to do with a callback.", good=False)
    return await desk.done(here, DONE[change], "POST", f"{_path(callback)}/{change}")


def _shown(form: FormData) -> str:
    """The list that was shown."""
    query = {name: text_of(form, name) for name in ("span", "type") if text_of(form, name)}
    return f"/callbacks?{urlencode(query)}" if query else "/callbacks"


def _path(callback: str) -> str:
    return f"/campaign/callbacks/{segment(callback)}"
