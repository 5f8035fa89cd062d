"""Calls, those under way included, and their download."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.console.api import segment
from services.console.desk import USUAL_REFRESH, Desk, Every, SignedIn, chosen_refresh
from services.console.forms import utc_field, utc_z
from services.console.pages.contacts import OF_NO_CAMPAIGN
from shared.domain.outcome import Outcome

router = APIRouter()
PAGE_SIZE: Final = 50
STATUSES: Final = ("in_progress", "ended")
Text = Annotated[str, Query(max_length=1000)]


@router.get("/calls")
async def list_all(
    desk: SignedIn,
    campaign: Text = "",
    status: Text = "",
    outcome: Text = "",
    search: Text = "",
    since: Text = "",
    until: Text = "",
    cursor: Text = "",
    every: Every = None,
) -> Response:
    """A page of calls, newest first. What a filter cannot be is left out of it."""
    filters = {
        "campaign": campaign.strip(),
        "status": status if status in STATUSES else "",
        "outcome": outcome if outcome in set(Outcome) else "",
        "search": search.strip(),
        "since": since if utc_field(since) else "",
        "until": until if utc_field(until) else "",
    }
    times = {name: _time(filters[name]) for name in ("since", "until")}
    query: dict[str, str | int | None] = {**filters, **times, "cursor": cursor, "limit": PAGE_SIZE}
    page, found = await asyncio.gather(desk.get("/campaign/calls", query), _campaign(desk, filters["campaign"]))
    # A search reads many calls, so it is not made again unless that was chosen.
    shown = {"page": page, "campaign": found, "filters": filters, "statuses": STATUSES, "outcomes": list(Outcome)}
    return desk.page("calls.html", **shown, **chosen_refresh(every, 0 if filters["search"] else USUAL_REFRESH))


@router.get("/campaigns/{campaign}/calls.csv")
async def download(desk: SignedIn, campaign: str, since: Text = "", until: Text = "") -> Response:
    """The ended calls of a campaign as CSV, those that began in this time."""
    query = {"since": _time(since), "until": _time(until)}
    return await desk.download(f"/campaign/campaigns/{segment(campaign)}/calls.csv", "calls.csv", query)


async def _campaign(desk: Desk, campaign: str) -> Any:
    """The campaign whose calls are shown; None for calls of all, and of no campaign."""
    return await desk.get(f"/campaign/campaigns/{segment(campaign)}") if campaign not in ("", OF_NO_CAMPAIGN) else None


def _time(typed: str) -> str:
    """A typed time as the API wants it; empty for what is none."""
    at = utc_field(typed)
    return "" if at is None else utc_z(at)
