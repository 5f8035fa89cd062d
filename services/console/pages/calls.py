"""Calls, those under way included, and their download."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.console.api import segment
from services.console.desk import SignedIn
from services.console.forms import utc_field, utc_z
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
    query: dict[str, Any] = {**filters, "cursor": cursor, "limit": PAGE_SIZE}
    for name in ("since", "until"):
        at = utc_field(filters[name])
        query[name] = "" if at is None else utc_z(at)
    page = await desk.get("/campaign/calls", query)
    return desk.page("calls.html", page=page, filters=filters, statuses=STATUSES, outcomes=list(Outcome))


@router.get("/campaigns/{campaign}/calls.csv")
async def download(desk: SignedIn, campaign: str) -> Response:
    """The ended calls of a campaign as CSV."""
    return await desk.download(f"/campaign/campaigns/{segment(campaign)}/calls.csv", "calls.csv")
