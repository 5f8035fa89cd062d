"""Configurations: their hours as weeks, closed days, retries; when a number may be called next; simple changes."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.console.api import ApiAway, ApiRefused, segment
from services.console.desk import Desk, SignedIn, text_of
from services.console.week import DAYS, end_of_window, week
from shared.domain.outcome import Outcome
from shared.domain.retry import NEVER_RETRIED

router = APIRouter(prefix="/configurations")
HERE: Final = "/configurations"
API: Final = "/campaign/configurations"
PAGE_SIZE: Final = 25
# Weeks drawn for single zones; a configuration may have hundreds.
MOST_WEEKS: Final = 10
RETRIED: Final = tuple(outcome for outcome in Outcome if outcome not in NEVER_RETRIED)
Text = Annotated[str, Query(max_length=255)]
Cursor = Annotated[str, Query(max_length=1000)]


@router.get("")
async def list_all(desk: SignedIn, cursor: Cursor = "") -> Response:
    """A page of configurations, newest first; those of single campaigns are reached from their campaigns."""
    page = await desk.get(API, {"cursor": cursor, "limit": PAGE_SIZE})
    return desk.page("configurations.html", page=page)


@router.get("/{configuration_id}")
async def show(desk: SignedIn, configuration_id: str, number: Text = "", zone: Text = "") -> Response:
    """One configuration; with a number also when that may be called next."""
    number, zone = number.strip(), zone.strip()
    found, hours, zones, (answer, refusal) = await asyncio.gather(
        desk.get(_path(configuration_id)),
        desk.get("/campaign/calling-hours-settings"),
        desk.get("/campaign/timezones"),
        _next_call(desk, configuration_id, number, zone),
    )
    return desk.page(
        "configuration.html",
        configuration=found,
        weeks=_weeks(found),
        weeks_left_out=max(0, len(found["overrides"]) - MOST_WEEKS),
        hours=hours,
        zones=zones["timezones"],
        asked={"number": number, "zone": zone},
        answer=answer,
        refusal=refusal,
        days=DAYS,
        outcomes=RETRIED,
    )


@router.post("/{configuration_id}/windows/add")
async def add_window(desk: SignedIn, configuration_id: str) -> Response:
    """Open at further times."""
    form = await desk.form()
    days = [day for day in DAYS if text_of(form, day) == "yes"]
    start, end = text_of(form, "start"), end_of_window(text_of(form, "end"))
    if not days or not start or not end:
        return desk.back(_here(configuration_id), "Tick the days, and write when calls begin and end.", good=False)
    found = await desk.get(_path(configuration_id))
    windows = [*found["default_windows"], {"days": days, "start": start, "end": end}]
    return await _change(desk, configuration_id, {"default_windows": windows}, "Calls are made at these hours too.")


@router.post("/{configuration_id}/windows/remove")
async def remove_window(desk: SignedIn, configuration_id: str) -> Response:
    """Take away one of the windows, named by what it says: others may have changed meanwhile."""
    form = await desk.form()
    found = await desk.get(_path(configuration_id))
    gone = {"days": text_of(form, "days").split(), "start": text_of(form, "start"), "end": text_of(form, "end")}
    windows = [window for window in found["default_windows"] if window != gone]
    if len(windows) == len(found["default_windows"]):
        return desk.back(_here(configuration_id), "That window is not there any more.", good=False)
    said = "No calls at these hours any more, unless another window has them."
    return await _change(desk, configuration_id, {"default_windows": windows}, said)


@router.post("/{configuration_id}/attempts")
async def set_attempts(desk: SignedIn, configuration_id: str) -> Response:
    """Set how often a contact is called, in all and in a day."""
    form = await desk.form()
    most, of_day = _count(text_of(form, "max_attempts")), text_of(form, "max_attempts_per_day")
    if most is None or (of_day and _count(of_day) is None):
        return desk.back(_here(configuration_id), "Write attempts as whole numbers; none a day: no cap.", good=False)
    changes = {"max_attempts": most, "max_attempts_per_day": _count(of_day)}
    return await _change(desk, configuration_id, changes, "Changed; it holds from the next attempt on.")


@router.post("/{configuration_id}/retry")
async def set_retry(desk: SignedIn, configuration_id: str) -> Response:
    """Set the rule of one outcome, in place of the one before."""
    form = await desk.form()
    outcome, minutes = text_of(form, "outcome"), text_of(form, "minutes")
    if outcome not in set(RETRIED):
        return desk.back(_here(configuration_id), "Choose how the attempt ended first.", good=False)
    rules = {**(await desk.get(_path(configuration_id)))["retry_rules"]}
    match text_of(form, "rule"):
        case "never":
            rules[outcome] = {"retry": False}
        case "built-in":
            rules.pop(outcome, None)
        case _ if (wait := _count(minutes)) is not None:
            rules[outcome] = {"retry": True, "delay_seconds": wait * 60}
        case _:
            said = "Write after how many minutes it is called again, as a whole number."
            return desk.back(_here(configuration_id), said, good=False)
    return await _change(desk, configuration_id, {"retry_rules": rules}, "Changed; it holds from the next attempt on.")


async def _change(desk: Desk, configuration_id: str, changes: dict[str, Any], said: str) -> Response:
    """Change it, and say so together with what the API remarks on it."""
    here = _here(configuration_id)
    try:
        changed = await desk.call("PATCH", _path(configuration_id), changes)
    except ApiRefused as refused:
        return desk.back(here, refused.detail, good=False)
    except ApiAway:
        return desk.back(here, "Dialstream does not answer; nothing is known to have been done.", good=False)
    warnings = [warning["message"] for warning in changed.get("warnings", ())]
    return desk.back(here, " ".join((said, *warnings)), good=not warnings)


async def _next_call(desk: Desk, configuration_id: str, number: str, zone: str) -> tuple[Any, str]:
    """The answer to the question about a number, or why there is none; neither where nothing was asked."""
    if not number:
        return None, ""
    try:
        return await desk.get(f"{_path(configuration_id)}/next-call", {"number": number, "timezone": zone}), ""
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


def _count(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 7 else None


def _here(configuration_id: str) -> str:
    return f"{HERE}/{segment(configuration_id)}"


def _path(configuration_id: str) -> str:
    return f"{API}/{segment(configuration_id)}"
