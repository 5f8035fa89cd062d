"""All campaigns: how each stands, and pausing or starting many at once."""

import asyncio
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.console.api import ApiAway, ApiRefused, segment
from services.console.desk import Desk, Every, Manager, SignedIn, chosen_refresh, text_of
from services.console.words import counted

router = APIRouter()
PAGE_SIZE: Final = 25
STATUSES: Final = ("active", "paused", "closed")
BULK_MOVES: Final = {"pause": "paused", "start": "started"}
Text = Annotated[str, Query(max_length=255)]
Cursor = Annotated[str, Query(max_length=1000)]


@router.get("/")
async def list_all(
    desk: SignedIn, name: Text = "", status: Text = "", cursor: Cursor = "", every: Every = None
) -> Response:
    """A page of campaigns, newest first, each with its numbers."""
    status = status if status in STATUSES else ""
    query = {"name": name, "status": status, "cursor": cursor, "limit": PAGE_SIZE}
    page = await desk.get("/campaign/campaigns", query)
    numbers = await asyncio.gather(*(_numbers(desk, one["id"]) for one in page["campaigns"]))
    rows = list(zip(page["campaigns"], numbers, strict=True))
    return desk.page(
        "campaigns.html",
        rows=rows,
        next_cursor=page["next_cursor"],
        filters={"name": name, "status": status},
        statuses=STATUSES,
        **chosen_refresh(every),
    )


@router.get("/move-campaigns")
async def ask_to_move(
    desk: Manager,
    campaign: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies defaults
    move: Text = "",
    name: Text = "",
    status: Text = "",
) -> Response:
    """Whether that many campaigns are to be moved; those that are not there any more are left out."""
    here, campaigns = _list(name, status), await _still_there(desk, campaign[:PAGE_SIZE])
    if move not in BULK_MOVES or not campaigns:
        return desk.back(here, "None of these campaigns is there any more.", good=False)
    filters = {"name": name, "status": status}
    return desk.page("move_campaigns.html", campaigns=campaigns, move=move, filters=filters, here=here)


@router.post("/campaigns/move")
async def move_many(desk: SignedIn) -> Response:
    """Ask whether that many campaigns are to be moved; the answer to the question moves them."""
    form = await desk.form()
    move, here = text_of(form, "move"), _list(text_of(form, "name"), text_of(form, "status"))
    ids = [value for value in form.getlist("campaign") if isinstance(value, str)][:PAGE_SIZE]
    if move not in BULK_MOVES or not ids:
        return desk.back(here, "Tick the campaigns first, then choose what is to be done.", good=False)
    if text_of(form, "sure") != "yes":
        known = [(name, text_of(form, name)) for name in ("move", "name", "status")]
        return desk.ask("/move-campaigns", [*known, *(("campaign", one) for one in ids)])
    campaigns = await _still_there(desk, ids)
    answers = await asyncio.gather(*(_moved(desk, one, move) for one in campaigns))
    refused = [answer for answer in answers if answer]
    done = counted(len(campaigns) - len(refused), "campaign")
    sentence = f"{done} {BULK_MOVES[move]}." + (f" Refused: {' '.join(refused)}" if refused else "")
    return desk.back(here, sentence, good=not refused)


async def _numbers(desk: Desk, campaign: str) -> Any:
    """Its numbers; None for a campaign that has just been deleted."""
    try:
        return await desk.get(f"{_path(campaign)}/stats")
    except ApiRefused as refused:
        if refused.status != 404:
            raise
        return None


async def _still_there(desk: Desk, ids: list[str]) -> list[Any]:
    """These campaigns, but those that have been deleted since they were ticked."""
    found = await asyncio.gather(*(desk.get(_path(one)) for one in ids), return_exceptions=True)
    for error in found:
        if isinstance(error, BaseException) and not (isinstance(error, ApiRefused) and error.status == 404):
            raise error
    return [one for one in found if not isinstance(one, BaseException)]


async def _moved(desk: Desk, campaign: Any, move: str) -> str | None:
    """Which one was refused and why; None when it is done."""
    try:
        await desk.call("POST", f"{_path(campaign['id'])}/{move}")
    except ApiRefused as refused:
        return f"{campaign['name']}: {refused.detail}"
    except ApiAway:
        return f"{campaign['name']}: Dialstream does not answer; nothing is known to have been done."
    return None


def _list(name: str, status: str) -> str:
    """The page that was shown."""
    query = urlencode({key: value for key, value in (("name", name), ("status", status)) if value})
    return f"/?{query}" if query else "/"


def _path(campaign: str) -> str:
    return f"/campaign/campaigns/{segment(campaign)}"
