"""Making a campaign, and changing what one is to do."""

import asyncio
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from services.console.api import segment
from services.console.campaign_fields import CLASHES, NEW, NEW_VALUES, fields_of, new_body, new_form
from services.console.desk import READ_ONLY, Desk, SignedIn, text_of
from services.console.forms import Field, Form, with_options
from services.console.pages.offers import configurations, pools, suggestions

router = APIRouter()
# Apart from the campaigns' own addresses: a campaign may be called `new`.
NEW_PAGE: Final = "/new-campaign"
API: Final = "/campaign/campaigns"
CHANGED: Final = "Changed; it holds within a second."
DELETED: Final = "The campaign is deleted. Its calls are still listed."


@router.get(NEW_PAGE)
async def ask(desk: SignedIn, configuration: str = "") -> Response:
    """The form of a new campaign, of the configuration that is named where it is one of those that are offered."""
    fields = await _offered(desk, NEW)
    [chosen] = [one.options for one in fields if one.name == "configuration_id"]
    named = configuration if configuration in {value for value, _ in chosen} else ""
    only = chosen[0][0] if len(chosen) == 1 else named
    return await _new(desk, Form.of("new", fields, {**NEW_VALUES, "configuration_id": only}))


@router.post(NEW_PAGE)
async def make(desk: SignedIn) -> Response:
    """Make a campaign; its page follows."""
    form = new_form(await desk.filled(Form("new", await _offered(desk, NEW), {})))
    if form.refusal:
        return await _new(desk, form)
    made, refused = await desk.taken(form, "POST", API, new_body(form), CLASHES)
    if refused is not None:
        return await _new(desk, refused)
    return _said(desk, made, "The campaign is made. Contacts come next: import a file, or add some by hand.")


@router.get("/campaigns/{campaign}/settings")
async def show(desk: SignedIn, campaign: str) -> Response:
    """What a campaign is to do, as a form."""
    found = await desk.get(_path(campaign))
    return await _settings(desk, found, Form.of("settings", await _fields(desk, found), found))


@router.post("/campaigns/{campaign}/settings")
async def change(desk: SignedIn, campaign: str) -> Response:
    """Change what a campaign is to do."""
    found = await desk.get(_path(campaign))
    return await _change(desk, found, await desk.filled(Form("settings", await _fields(desk, found), {})))


@router.post("/campaigns/{campaign}/max-calls")
async def set_max_calls(desk: SignedIn, campaign: str) -> Response:
    """Set how many calls each run makes; empty: no limit. What cannot be is shown among all settings."""
    typed = text_of(await desk.form(), "max_calls")
    found = await desk.get(_path(campaign))
    shown = Form.of("settings", await _fields(desk, found), found)
    return await _change(desk, found, shown.filled({**shown.typed, "max_calls": typed}, shown.was_text))


@router.post("/campaigns/{campaign}/delete")
async def delete(desk: SignedIn, campaign: str) -> Response:
    """Delete a campaign; asks first."""
    sent = await desk.form()
    here = f"/campaigns/{segment(campaign)}"
    if text_of(sent, "sure") != "yes":
        name = (await desk.get(_path(campaign)))["name"]
        said = "Nobody is called in it any more, and it leaves the list of campaigns."
        sure = {"question": f"Delete {name}?", "sentence": said, "action": f"{here}/delete", "fields": {}, "back": here}
        return desk.page("sure.html", **sure)
    _, refusal = await desk.asked(here, "DELETE", _path(campaign))
    return refusal or desk.back("/", DELETED)


async def _change(desk: Desk, found: Any, form: Form) -> Response:
    if form.refusal:
        return await _settings(desk, found, form)
    wanted = form.changes()
    if not wanted:
        return _said(desk, found, "Nothing was changed.")
    changed, refused = await desk.taken(form, "PATCH", _path(found["id"]), wanted, CLASHES)
    return _said(desk, changed, CHANGED) if refused is None else await _settings(desk, found, refused)


async def _new(desk: Desk, form: Form) -> Response:
    if not desk.session.may_manage:
        return desk.back("/", READ_ONLY, good=False)
    return desk.page("campaign_new.html", code=form.code, form=form, lists=await suggestions(desk))


async def _settings(desk: Desk, found: Any, form: Form) -> Response:
    if not desk.session.may_manage:
        return desk.back(f"/campaigns/{found['id']}", READ_ONLY, good=False)
    lists = await suggestions(desk)
    return desk.page("campaign_settings.html", code=form.code, campaign=found, form=form, lists=lists)


async def _fields(desk: Desk, found: Any) -> tuple[Field, ...]:
    """What can be changed of a campaign, with what is offered for it."""
    return await _offered(desk, fields_of(found["state"]), found["configuration_id"], found["caller_number_pool"])


async def _offered(
    desk: Desk, fields: tuple[Field, ...], configuration: str | None = None, pool: str | None = None
) -> tuple[Field, ...]:
    known, pooled = await asyncio.gather(configurations(desk, configuration), pools(desk, pool))
    return with_options(fields, configuration_id=known, caller_number_pool=pooled)


def _said(desk: Desk, campaign: Any, said: str) -> Response:
    """Say that it is done, and what the API remarks on it."""
    warnings = [warning["message"] for warning in campaign.get("warnings", ())]
    return desk.back(f"/campaigns/{campaign['id']}", " ".join((said, *warnings)), good=not warnings)


def _path(campaign: str) -> str:
    return f"{API}/{segment(campaign)}"
