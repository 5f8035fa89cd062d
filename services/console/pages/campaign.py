"""One campaign, live: its numbers, why its contacts wait and what to change, its moves, a dry run, its log."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from services.console.api import ApiAway, ApiRefused, segment
from services.console.desk import Desk, Manager, SignedIn, text_of
from services.console.words import MOVES, headline
from shared.clock import monotonic

router = APIRouter(prefix="/campaigns/{campaign}")
LOG_ROWS: Final = 50
MOST_CALLS: Final = 999_999_999
# Seconds between two looks, as they can be chosen; 0: not live.
REFRESHES: Final = (1, 5, 15, 0)
# The diagnosis reads more than the numbers do, so a live page asks for it less often.
DIAGNOSIS_SECONDS: Final = 5.0
# Signed out, no longer allowed, or deleted: the page says which when it is loaded again, as its script does then.
GONE: Final = (401, 403, 404)
OVER: Final = b"event: over\ndata: -\n\n"
AWAY: Final = b"event: away\ndata: -\n\n"
DONE: Final = {
    "start": "The campaign runs.",
    "pause": "The campaign is paused. Calls that are up go on to their end.",
    "close": "The campaign is cancelled. Its contacts are not called any more.",
}
Every = Annotated[int, Query(description="Seconds between two looks; 0: not live.")]


@router.get("")
async def show(desk: SignedIn, campaign: str, every: Every = REFRESHES[0]) -> Response:
    """The live page."""
    every = every if every in REFRESHES else REFRESHES[0]
    path = _path(campaign)
    found, stats, diagnosis, log = await asyncio.gather(
        desk.get(path),
        desk.get(f"{path}/stats"),
        desk.get(f"{path}/diagnosis"),
        desk.get(f"{path}/log", {"limit": LOG_ROWS}),
    )
    return desk.page(
        "campaign.html",
        **_live(found, stats, diagnosis),
        with_moves=False,
        log=log["entries"],
        every=every,
        refreshes=REFRESHES,
    )


@router.get("/live")
async def live(desk: SignedIn, campaign: str, every: Every = REFRESHES[0]) -> Response:
    """The changing part of that page, as server-sent events: at most one in `every` seconds."""
    # Asked for here, so that a campaign that is not there is answered as one.
    await desk.get(_path(campaign))
    headers = {"X-Accel-Buffering": "no"}
    events = _events(desk, campaign, float(every if every in REFRESHES and every else REFRESHES[0]))
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(desk: Desk, campaign: str, every: float) -> AsyncIterator[bytes]:
    path, shown_at, diagnosed_at = _path(campaign), -every, -DIAGNOSIS_SECONDS
    stats: Any = None
    found: Any = None
    diagnosis: Any = None
    try:
        async for told in desk.console.api.numbers(desk.credential, campaign, silence=DIAGNOSIS_SECONDS):
            # Where no number changes, a reason to wait may: a configuration that was mended, or the hour.
            stats, now = told or stats, monotonic()
            # A whole second after a second's work is never quite one.
            if stats is None or now - shown_at < every - 0.1:
                yield b": still here\n\n"
                continue
            if diagnosis is None or now - diagnosed_at >= DIAGNOSIS_SECONDS - 0.1:
                found, diagnosis = await asyncio.gather(desk.get(path), desk.get(f"{path}/diagnosis"))
                diagnosed_at = now
            shown_at = now
            values = {"session": desk.session, "with_moves": True, **_live(found, stats, diagnosis)}
            yield _event(desk.console.part("_live.html", values))
    except ApiRefused as refused:
        yield OVER if refused.status in GONE else AWAY
    except ApiAway:
        # The browser connects again by itself.
        yield AWAY


@router.get("/cancel")
async def ask_to_cancel(desk: Manager, campaign: str) -> Response:
    """Whether it is to be cancelled; its page where it cannot be, any more for example."""
    found = await desk.get(_path(campaign))
    if "close" not in MOVES.get(found["state"], ()):
        return desk.ask(f"/campaigns/{segment(campaign)}")
    return desk.page("cancel_campaign.html", campaign=found)


@router.post("/move/{move}")
async def move(desk: SignedIn, campaign: str, move: str) -> Response:
    """Start, pause or cancel it; cancelling asks first."""
    form = await desk.form()
    here = f"/campaigns/{segment(campaign)}"
    if move not in DONE:
        return desk.back(here, "There is no such thing to do with a campaign.", good=False)
    if move == "close" and text_of(form, "sure") != "yes":
        return desk.ask(f"{here}/cancel")
    return await desk.done(here, DONE[move], "POST", f"{_path(campaign)}/{move}")


@router.get("/dry-run")
async def dry_run(desk: SignedIn, campaign: str) -> Response:
    """The dry run: contacts that would be called now, and why others would not."""
    found, preview = await asyncio.gather(desk.get(_path(campaign)), desk.get(f"{_path(campaign)}/preview"))
    return desk.page("dry_run.html", campaign=found, preview=preview)


def _live(campaign: Any, stats: Any, diagnosis: Any) -> dict[str, Any]:
    shown = {"campaign": campaign, "stats": stats, "diagnosis": diagnosis}
    return {**shown, "headline": headline(campaign["state"], diagnosis), "moves": MOVES.get(campaign["state"], ())}


def _event(html: str) -> bytes:
    return b"".join(b"data: " + line.encode() + b"\n" for line in html.splitlines()) + b"\n"


def _path(campaign: str) -> str:
    return f"/campaign/campaigns/{segment(campaign)}"
