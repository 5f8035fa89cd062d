"""All campaigns: how each stands, and pausing or starting many at once."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.console.api import ApiRefused, segment
from services.console.desk import Desk, SignedIn, text_of
from services.console.words import counted

router = APIRouter()
PAGE_SIZE: Final = 25
STATUSES: Final = ("active", "paused", "closed")
BULK_MOVES: Final = {"pause": "paused", "start": "started"}
Text = Annotated[str, Query(max_length=255)]
Cursor = Annotated[str, Query(max_length=1000)]


@router.get("/")
async def list_all(desk: SignedIn, name: Text = "", status: Text = "", cursor: Cursor = "") -> Response:
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
    )


@router.post("/campaigns/move")
async def move_many(desk: SignedIn) -> Response:
    """Ask whether that many campaigns are to be moved; the answer to the question moves them."""
    form = await desk.form()
    move = text_of(form, "move")
    ids = [value for value in form.getlist("campaign") if isinstance(value, str)][:PAGE_SIZE]
    if move not in BULK_MOVES or not ids:
        return desk.back("/", "Tick the campaigns first, then choose what is to be done.", good=False)
    if text_of(form, "sure") != "yes":
        found = [await desk.get(_path(one)) for one in ids]
        return desk.page("move_campaigns.html", campaigns=found, move=move)
    answers = await asyncio.gather(*(_moved(desk, one, move) for one in ids))
    refused = [answer for answer in answers if answer]
    done = counted(len(ids) - len(refused), "campaign")
    sentence = f"{done} {BULK_MOVES[move]}." + (f" Refused: {' '.join(refused)}" if refused else "")
    return desk.back("/", sentence, good=not refused)


async def _numbers(desk: Desk, campaign: str) -> Any:
    """Its numbers; None for a campaign that has just been deleted."""
    try:
        return await desk.get(f"{_path(campaign)}/stats")
    except ApiRefused as refused:
        if refused.status != 404:
            raise
        return None


async def _moved(desk: Desk, campaign: str, move: str) -> str | None:
    """Why it was refused; None when it is done."""
    try:
        await desk.call("POST", f"{_path(campaign)}/{move}")
    except ApiRefused as refused:
        return refused.detail
    return None


def _path(campaign: str) -> str:
    return f"/campaign/campaigns/{segment(campaign)}"
