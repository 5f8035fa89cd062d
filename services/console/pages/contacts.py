"""Contacts of a campaign, and one contact's timeline with what can be asked for it."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from services.console.api import segment
from services.console.campaign_fields import LATER
from services.console.desk import SEE_OTHER, Desk, SignedIn, text_of
from services.console.forms import Form, utc_z
from services.console.words import utc_text
from shared.clock import utc_now
from shared.domain.contact import ContactStatus

router = APIRouter(prefix="/campaigns/{campaign}/contacts")
PAGE_SIZE: Final = 50
# The API's own bound on rows to leave out.
MOST_OFFSET: Final = 1_000_000
RESETTABLE: Final = ("error", "exhausted", "skipped")
Text = Annotated[str, Query(max_length=255)]


@router.get("")
async def list_all(
    desk: SignedIn,
    campaign: str,
    status: Text = "",
    find: Text = "",
    offset: Annotated[int, Query(ge=0, le=MOST_OFFSET)] = 0,
) -> Response:
    """A page of contacts, oldest first; `find` goes to the contact of that id or external id."""
    if find.strip():
        return RedirectResponse(f"{_here(campaign)}/{segment(find.strip())}", SEE_OTHER)
    status = status if status in set(ContactStatus) else ""
    query = {"status": status, "offset": offset, "limit": PAGE_SIZE}
    found, page = await asyncio.gather(
        desk.get(_campaign(campaign)), desk.get(f"{_campaign(campaign)}/contacts", query)
    )
    return desk.page(
        "contacts.html",
        campaign=found,
        page=page,
        status=status,
        statuses=list(ContactStatus),
        resettable=RESETTABLE,
        size=PAGE_SIZE,
    )


@router.post("/reset")
async def reset(desk: SignedIn, campaign: str) -> Response:
    """Call contacts again that have ended with one status."""
    status = text_of(await desk.form(), "status")
    if status not in RESETTABLE:
        return desk.back(_here(campaign), "Choose contacts that have ended first.", good=False)
    said = "Contacts that ended so wait again in a moment, up to 1,000 for each time that you ask."
    return await desk.done(_here(campaign), said, "POST", f"{_campaign(campaign)}/contacts/reset", {"status": status})


@router.get("/{contact}")
async def show(desk: SignedIn, campaign: str, contact: str) -> Response:
    """One contact: what has been tried, what comes next and why not now."""
    return await _shown(desk, campaign, contact, Form.of("later", LATER, {}))


@router.post("/{contact}/call-now")
async def call_now(desk: SignedIn, campaign: str, contact: str) -> Response:
    """Call as soon as hours and limits allow."""
    await desk.form()
    body = {"at": utc_z(utc_now())}
    said = "To be called as soon as hours and limits allow."
    return await desk.done(f"{_here(campaign)}/{segment(contact)}", said, "POST", _callback(campaign, contact), body)


@router.post("/{contact}/call-later")
async def call_later(desk: SignedIn, campaign: str, contact: str) -> Response:
    """Call at another time, in UTC."""
    form = await desk.filled(Form("later", LATER, {}))
    if form.refusal:
        return await _shown(desk, campaign, contact, form)
    body = form.body()
    _, refused = await desk.taken(form, "POST", _callback(campaign, contact), body)
    if refused is not None:
        return await _shown(desk, campaign, contact, refused)
    return desk.back(f"{_here(campaign)}/{segment(contact)}", f"To be called at {utc_text(body['at'])}.")


@router.post("/{contact}/never")
async def never_again(desk: SignedIn, campaign: str, contact: str) -> Response:
    """Put all numbers of the contact onto the do-not-call list; asks first."""
    form = await desk.form()
    found = await desk.get(f"{_campaign(campaign)}/contacts/{segment(contact)}")
    if text_of(form, "sure") != "yes":
        return desk.page("never_again.html", contact=found, reference=campaign)
    body: dict[str, Any] = {"phone_numbers": found["phone_numbers"], "reason": "asked for in the console"}
    said = "All numbers of this contact are on the do-not-call list."
    return await desk.done(f"{_here(campaign)}/{segment(contact)}", said, "POST", "/campaign/do-not-call", body)


async def _shown(desk: Desk, campaign: str, contact: str, later: Form) -> Response:
    path = f"{_campaign(campaign)}/contacts/{segment(contact)}"
    if campaign == "default":
        found, campaign_found = await desk.get(path), None
    else:
        found, campaign_found = await asyncio.gather(desk.get(path), desk.get(_campaign(campaign)))
    values = {"contact": found, "campaign": campaign_found, "reference": campaign, "later": later}
    return desk.page("contact.html", code=later.code, **values)


def _here(campaign: str) -> str:
    return f"/campaigns/{segment(campaign)}/contacts"


def _campaign(campaign: str) -> str:
    return f"/campaign/campaigns/{segment(campaign)}"


def _callback(campaign: str, contact: str) -> str:
    return f"{_campaign(campaign)}/contacts/{segment(contact)}/callback"
