"""Contacts of a campaign, and one contact's timeline with what can be asked for it."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from services.console.api import ApiRefused, segment
from services.console.campaign_fields import LATER
from services.console.desk import SEE_OTHER, Desk, Manager, SignedIn, text_of
from services.console.forms import Form, utc_z
from services.console.words import typed_number, utc_text
from shared.clock import utc_now
from shared.domain.contact import ContactStatus

router = APIRouter(prefix="/campaigns/{campaign}/contacts")
PAGE_SIZE: Final = 50
# The API's own bound on rows to leave out.
MOST_OFFSET: Final = 1_000_000
OF_NO_CAMPAIGN: Final = "default"
NOT_FOUND: Final = 404
UNREADABLE: Final = 422
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
    """A page of contacts, oldest first; `find` leads to the contact of that id or external id, a number to its own."""
    find, status = find.strip(), status if status in set(ContactStatus) else ""
    number = typed_number(find)
    if find and number is None:
        return await _found(desk, campaign, find)
    query = {"status": status, "phone_number": number, "offset": offset, "limit": PAGE_SIZE}
    try:
        page, (found, zone) = await asyncio.gather(
            desk.get(f"{_campaign(campaign)}/contacts", query), _campaign_and_zone(desk, campaign)
        )
    except ApiRefused as refused:
        if refused.status != UNREADABLE or number is None:
            raise
        return await _found(desk, campaign, find)
    if number is not None and not page["total"] and not status:
        # Some lists have numbers for ids.
        return await _found(desk, campaign, find)
    return desk.page(
        "contacts.html",
        campaign=found,
        reference=campaign,
        page=page,
        zone=zone,
        find=find,
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


@router.get("/{contact}/never")
async def ask_for_never(desk: Manager, campaign: str, contact: str) -> Response:
    """Whether the contact is never to be called again."""
    found = await desk.get(f"{_campaign(campaign)}/contacts/{segment(contact)}")
    return desk.page("never_again.html", contact=found, reference=campaign)


@router.post("/{contact}/never")
async def never_again(desk: SignedIn, campaign: str, contact: str) -> Response:
    """Put all numbers of the contact onto the do-not-call list; asks first."""
    here = f"{_here(campaign)}/{segment(contact)}"
    if text_of(await desk.form(), "sure") != "yes":
        return desk.ask(f"{here}/never")
    found = await desk.get(f"{_campaign(campaign)}/contacts/{segment(contact)}")
    body: dict[str, Any] = {"phone_numbers": found["phone_numbers"], "reason": "asked for in the console"}
    said = "All numbers of this contact are on the do-not-call list."
    return await desk.done(here, said, "POST", "/campaign/do-not-call", body)


async def _found(desk: Desk, campaign: str, reference: str) -> Response:
    """The way to the contact of this id or external id; back to the list where there is none."""
    try:
        found = await desk.get(f"{_campaign(campaign)}/contacts/{segment(reference)}")
    except ApiRefused as refused:
        if refused.status != NOT_FOUND:
            raise
        await _campaign_and_zone(desk, campaign)
        said = f"No contact of this campaign has the id, the external id or the number {reference}."
        return desk.back(_here(campaign), said, good=False)
    # An id of ours where the reference is none for an address: of several parts, of dots, or a number.
    plain = "/" not in reference and reference.strip(".") and typed_number(reference) is None
    return RedirectResponse(f"{_here(campaign)}/{segment(reference if plain else found['id'])}", SEE_OTHER)


async def _campaign_and_zone(desk: Desk, campaign: str) -> tuple[Any, str | None]:
    """The campaign, and the zone of its contacts without one of their own; neither for contacts of no campaign."""
    if campaign == OF_NO_CAMPAIGN:
        return None, None
    path = _campaign(campaign)
    found, configuration = await asyncio.gather(desk.get(path), desk.get(f"{path}/configuration"))
    return found, configuration["default_timezone"]


async def _shown(desk: Desk, campaign: str, contact: str, later: Form) -> Response:
    path = f"{_campaign(campaign)}/contacts/{segment(contact)}"
    found, (campaign_found, zone) = await asyncio.gather(desk.get(path), _campaign_and_zone(desk, campaign))
    values = {"contact": found, "campaign": campaign_found, "reference": campaign, "later": later}
    return desk.page("contact.html", code=later.code, zone=found["timezone"] or zone, **values)


def _here(campaign: str) -> str:
    return f"/campaigns/{segment(campaign)}/contacts"


def _campaign(campaign: str) -> str:
    return f"/campaign/campaigns/{segment(campaign)}"


def _callback(campaign: str, contact: str) -> str:
    return f"{_campaign(campaign)}/contacts/{segment(contact)}/callback"
