"""Closed days and holiday calendars, of one configuration or of the whole organization; and the legal hours."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from services.console.configuration_fields import CALENDARS, CLOSURE, LEGAL_HOURS
from services.console.desk import Desk, SignedIn, text_of
from services.console.forms import Form
from services.console.pages.configurations import change, configuration_page, configuration_path
from services.console.week import json_text

router = APIRouter()
HOURS_PAGE: Final = "/calling-hours"
HOURS: Final = "/campaign/calling-hours-settings"
CLOSED: Final = "Nobody is called on these days."
OPEN: Final = "These days are open again, unless others close them too."
CALENDARS_SET: Final = "The holiday calendars are set."
GONE: Final = "That closed day is not there any more."


@router.post("/configurations/{configuration_id}/closures/add")
async def close(desk: SignedIn, configuration_id: str) -> Response:
    """Close days of one configuration."""
    form = await desk.filled(Form("closure", CLOSURE, {}))
    closures = (await desk.get(configuration_path(configuration_id)))["closures"]
    return await change(desk, configuration_id, form, lambda filled: _closed(filled, closures), CLOSED)


@router.post("/configurations/{configuration_id}/closures/remove")
async def open_again(desk: SignedIn, configuration_id: str) -> Response:
    """Open days of one configuration again."""
    path = configuration_path(configuration_id)
    return await _open(desk, path, configuration_page(configuration_id))


@router.post("/configurations/{configuration_id}/calendars")
async def set_calendars(desk: SignedIn, configuration_id: str) -> Response:
    """Set the holiday calendars of one configuration."""
    form = await desk.filled(Form("calendars", CALENDARS, {}))
    return await change(desk, configuration_id, form, Form.changes, CALENDARS_SET)


@router.get(HOURS_PAGE)
async def show_hours(desk: SignedIn) -> Response:
    """The organization's closed days and holiday calendars, and whether legal hours are kept."""
    return await _hours(desk)


@router.post(f"{HOURS_PAGE}/closures/add")
async def close_all(desk: SignedIn) -> Response:
    """Close days for all calls of the organization."""
    form = await desk.filled(Form("closure", CLOSURE, {}))
    closures = (await desk.get(HOURS))["closures"]
    return await _change_hours(desk, form, {} if form.refusal else _closed(form, closures), CLOSED)


@router.post(f"{HOURS_PAGE}/closures/remove")
async def open_all_again(desk: SignedIn) -> Response:
    """Open days of the organization again."""
    return await _open(desk, HOURS, HOURS_PAGE)


@router.post(f"{HOURS_PAGE}/calendars")
async def set_all_calendars(desk: SignedIn) -> Response:
    """Set the organization's holiday calendars."""
    form = await desk.filled(Form("calendars", CALENDARS, {}))
    return await _change_hours(desk, form, form.changes(), CALENDARS_SET)


@router.post(f"{HOURS_PAGE}/legal")
async def set_legal_hours(desk: SignedIn) -> Response:
    """Say whether legal hours are kept."""
    form = await desk.filled(Form("legal", LEGAL_HOURS, {}))
    return await _change_hours(desk, form, form.changes(), "Changed; it holds for every call from now on.")


async def _hours(desk: Desk, refused: Form | None = None) -> Response:
    found = await desk.get(HOURS)
    forms = {
        "closure": Form.of("closure", CLOSURE, {}),
        "calendars": Form.of("calendars", CALENDARS, found),
        "legal": Form.of("legal", LEGAL_HOURS, found),
    }
    if refused is not None:
        forms[refused.name] = refused
    code = 200 if refused is None else refused.code
    return desk.page("calling_hours.html", code=code, hours=found, forms_of=forms)


async def _change_hours(desk: Desk, form: Form, wanted: dict[str, Any], said: str) -> Response:
    if form.refusal:
        return await _hours(desk, form)
    if not wanted:
        return desk.back(HOURS_PAGE, "Nothing was changed.")
    _, refused = await desk.taken(form, "PATCH", HOURS, wanted)
    return desk.back(HOURS_PAGE, said) if refused is None else await _hours(desk, refused)


async def _open(desk: Desk, path: str, here: str) -> Response:
    """Take away one of the closures, named by what it says: others may have changed meanwhile."""
    gone = text_of(await desk.form(), "closure")
    closures = (await desk.get(path))["closures"]
    left = [closure for closure in closures if json_text(closure) != gone]
    if len(left) == len(closures):
        return desk.back(here, GONE, good=False)
    return await desk.done(here, OPEN, "PATCH", path, {"closures": left})


def _closed(form: Form, closures: Sequence[Any]) -> dict[str, Any]:
    return {"closures": [*closures, form.body()]}
