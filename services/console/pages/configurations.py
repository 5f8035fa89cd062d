"""Configurations: making, reading and changing them; their hours as weeks; when a number may be called next."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.console.api import ApiRefused, segment
from services.console.configuration_fields import (
    ATTEMPTS,
    CALENDARS,
    CLOSURE,
    NEW,
    NEW_VALUES,
    RETRY,
    SETTINGS,
    WINDOW,
    added_window,
    new_body,
    retry_changes,
    retry_form,
    settings_changes,
    settings_form,
)
from services.console.desk import READ_ONLY, Desk, SignedIn, text_of
from services.console.forms import Form
from services.console.pages.offers import suggestions
from services.console.week import json_text, week

router = APIRouter(prefix="/configurations")
HERE: Final = "/configurations"
API: Final = "/campaign/configurations"
PAGE_SIZE: Final = 25
# Weeks drawn for single zones; a configuration may have hundreds.
MOST_WEEKS: Final = 10
FROM_NOW_ON: Final = "Changed; it holds from the next attempt on."
UNCHANGED: Final = "Nothing was changed."
Text = Annotated[str, Query(max_length=255)]
Cursor = Annotated[str, Query(max_length=1000)]


@router.get("")
async def list_all(desk: SignedIn, cursor: Cursor = "") -> Response:
    """A page of configurations, newest first; those of single campaigns are reached from their campaigns."""
    page = await desk.get(API, {"cursor": cursor, "limit": PAGE_SIZE})
    return desk.page("configurations.html", page=page)


@router.get("/new")
async def ask(desk: SignedIn) -> Response:
    """The form of a new configuration."""
    return await _new(desk, Form.of("new", NEW, NEW_VALUES))


@router.post("/new")
async def make(desk: SignedIn) -> Response:
    """Make a configuration; its page follows."""
    form = await desk.filled(Form("new", NEW, {}))
    if form.refusal:
        return await _new(desk, form)
    made, refused = await desk.taken(form, "POST", API, new_body(form))
    if refused is not None:
        return await _new(desk, refused)
    said = "The configuration is made. Closed days and retries can be set below; a campaign that names it calls by it."
    return _said(desk, configuration_page(made["id"]), said, made)


@router.get("/{configuration_id}")
async def show(desk: SignedIn, configuration_id: str, number: Text = "", zone: Text = "") -> Response:
    """One configuration; with a number also when that may be called next."""
    return await shown(desk, configuration_id, number=number.strip(), zone=zone.strip())


@router.post("/{configuration_id}/settings")
async def set_settings(desk: SignedIn, configuration_id: str) -> Response:
    """Change name, zone, agent and caller number, and how long is rung and spoken."""
    form = await desk.filled(Form("settings", SETTINGS, {}))
    return await change(desk, configuration_id, form, settings_changes, "Changed; it holds from the next call on.")


@router.post("/{configuration_id}/windows/add")
async def add_window(desk: SignedIn, configuration_id: str) -> Response:
    """Open at further times."""
    form = await desk.filled(Form("window", WINDOW, {}))
    found = await desk.get(configuration_path(configuration_id))
    said = "Calls are made at these hours too."
    return await change(desk, configuration_id, form, lambda filled: added_window(filled, found), said)


@router.post("/{configuration_id}/windows/remove")
async def remove_window(desk: SignedIn, configuration_id: str) -> Response:
    """Take away one of the windows, named by what it says: others may have changed meanwhile."""
    sent = await desk.form()
    here = configuration_page(configuration_id)
    found = await desk.get(configuration_path(configuration_id))
    gone = {"days": text_of(sent, "days").split(), "start": text_of(sent, "start"), "end": text_of(sent, "end")}
    windows = [window for window in found["default_windows"] if window != gone]
    if len(windows) == len(found["default_windows"]):
        return desk.back(here, "That window is not there any more.", good=False)
    said = "No calls at these hours any more, unless another window has them."
    return await _without(desk, configuration_id, {"default_windows": windows}, said)


@router.post("/{configuration_id}/windows/zones/remove")
async def remove_zones(desk: SignedIn, configuration_id: str) -> Response:
    """Take away the windows that some zones have in place of the common ones, named by what they say."""
    gone = text_of(await desk.form(), "override")
    overrides = (await desk.get(configuration_path(configuration_id)))["overrides"]
    left = [override for override in overrides if json_text(override) != gone]
    if len(left) == len(overrides):
        return desk.back(configuration_page(configuration_id), "Those windows are not there any more.", good=False)
    said = "These zones have the common windows again."
    return await _without(desk, configuration_id, {"overrides": left}, said)


@router.post("/{configuration_id}/attempts")
async def set_attempts(desk: SignedIn, configuration_id: str) -> Response:
    """Set how often a contact is called, in all and in a day."""
    form = await desk.filled(Form("attempts", ATTEMPTS, {}))
    return await change(desk, configuration_id, form, Form.changes, FROM_NOW_ON)


@router.post("/{configuration_id}/retry")
async def set_retry(desk: SignedIn, configuration_id: str) -> Response:
    """Set the rule of one outcome, in place of the one before."""
    form = retry_form(await desk.filled(Form("retry", RETRY, {})))
    rules = (await desk.get(configuration_path(configuration_id)))["retry_rules"]
    return await change(desk, configuration_id, form, lambda filled: retry_changes(filled, rules), FROM_NOW_ON)


@router.post("/{configuration_id}/remove")
async def remove(desk: SignedIn, configuration_id: str) -> Response:
    """Remove a configuration that no campaign names; asks first."""
    sent = await desk.form()
    here = configuration_page(configuration_id)
    if text_of(sent, "sure") != "yes":
        name = (await desk.get(configuration_path(configuration_id)))["name"]
        said = "One that a campaign names, or named until it closed, is not removed."
        sure = {"question": f"Remove {name}?", "sentence": said, "action": f"{here}/remove", "fields": {}, "back": here}
        return desk.page("sure.html", **sure)
    _, refusal = await desk.asked(here, "DELETE", configuration_path(configuration_id))
    return refusal or desk.back(HERE, "The configuration is removed.")


async def shown(
    desk: Desk, configuration_id: str, refused: Form | None = None, *, number: str = "", zone: str = ""
) -> Response:
    """The page of one configuration; a form that was refused is shown as it was typed."""
    found, hours, offered, (answer, refusal) = await asyncio.gather(
        desk.get(configuration_path(configuration_id)),
        desk.get("/campaign/calling-hours-settings"),
        suggestions(desk),
        _next_call(desk, configuration_id, number, zone),
    )
    forms = {
        "settings": settings_form(found),
        "window": Form.of("window", WINDOW, {"start": "09:00", "end": "17:00"}),
        "attempts": Form.of("attempts", ATTEMPTS, found),
        "retry": Form.of("retry", RETRY, {"rule": "again", "minutes": 30}),
        "closure": Form.of("closure", CLOSURE, {}),
        "calendars": Form.of("calendars", CALENDARS, found),
    }
    if refused is not None:
        forms[refused.name] = refused
    return desk.page(
        "configuration.html",
        code=200 if refused is None else refused.code,
        configuration=found,
        weeks=_weeks(found),
        most_weeks=MOST_WEEKS,
        weeks_left_out=max(0, len(found["overrides"]) - MOST_WEEKS),
        hours=hours,
        lists=offered,
        asked={"number": number, "zone": zone},
        answer=answer,
        refusal=refusal,
        forms_of=forms,
    )


async def change(
    desk: Desk, configuration_id: str, form: Form, changes: Callable[[Form], dict[str, Any]], said: str
) -> Response:
    """Change what a form asks for, and say so together with what the API remarks on it; or show the form again."""
    if form.refusal:
        return await shown(desk, configuration_id, form)
    here, wanted = configuration_page(configuration_id), changes(form)
    if not wanted:
        return desk.back(here, UNCHANGED)
    changed, refused = await desk.taken(form, "PATCH", configuration_path(configuration_id), wanted)
    return _said(desk, here, said, changed) if refused is None else await shown(desk, configuration_id, refused)


def configuration_page(configuration_id: str) -> str:
    """The address of a configuration's page."""
    return f"{HERE}/{segment(configuration_id)}"


def configuration_path(configuration_id: str) -> str:
    """Where the API has a configuration."""
    return f"{API}/{segment(configuration_id)}"


async def _new(desk: Desk, form: Form) -> Response:
    if not desk.session.may_manage:
        return desk.back(HERE, READ_ONLY, good=False)
    return desk.page("configuration_new.html", code=form.code, form=form, lists=await suggestions(desk))


async def _without(desk: Desk, configuration_id: str, changes: dict[str, Any], said: str) -> Response:
    here = configuration_page(configuration_id)
    changed, refusal = await desk.asked(here, "PATCH", configuration_path(configuration_id), changes)
    return refusal or _said(desk, here, said, changed)


def _said(desk: Desk, here: str, said: str, changed: Any) -> Response:
    """Say that it is done, and what the API remarks on it."""
    warnings = [warning["message"] for warning in changed.get("warnings", ())]
    return desk.back(here, " ".join((said, *warnings)), good=not warnings)


async def _next_call(desk: Desk, configuration_id: str, number: str, zone: str) -> tuple[Any, str]:
    """The answer to the question about a number, or why there is none; neither where nothing was asked."""
    if not number:
        return None, ""
    path = f"{configuration_path(configuration_id)}/next-call"
    try:
        return await desk.get(path, {"number": number, "timezone": zone}), ""
    except ApiRefused as refused:
        if refused.status != 422:
            raise
        return None, refused.detail


def _weeks(configuration: Any) -> list[tuple[str, Any]]:
    """The weeks to draw: whose they are, and their days."""
    zone = configuration["default_timezone"]
    own = configuration["use_contact_timezone"]
    title = (
        f"By each contact's clock; without a zone by that of {zone}" if own else f"For everybody by the clock of {zone}"
    )
    drawn = [(title, week(configuration["default_windows"]))]
    if configuration["scheduled_windows"] is not None:
        drawn.append(("First calls of scheduled contacts", week(configuration["scheduled_windows"])))
    for override in configuration["overrides"][:MOST_WEEKS]:
        drawn.append((f"Contacts in {_some(override['timezones'])}", week(override["windows"])))
    return drawn


def _some(zones: list[str]) -> str:
    shown = ", ".join(zones[:3])
    return shown if len(zones) <= 3 else f"{shown} and {len(zones) - 3} more"
