"""Adding a contact to a campaign by hand."""

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from services.console.api import segment
from services.console.campaign_fields import CONTACT
from services.console.desk import READ_ONLY, Desk, SignedIn
from services.console.forms import Form
from services.console.pages.offers import suggestions

# Apart from the contacts' own addresses: a contact may be called `new`.
router = APIRouter(prefix="/campaigns/{campaign}/add-contact")


@router.get("")
async def ask(desk: SignedIn, campaign: str) -> Response:
    """The form of a contact."""
    return await _shown(desk, campaign, Form.of("contact", CONTACT, {}))


@router.post("")
async def add(desk: SignedIn, campaign: str) -> Response:
    """Add a contact, or change that of the same own id; its page follows."""
    form = await desk.filled(Form("contact", CONTACT, {}))
    if form.refusal:
        return await _shown(desk, campaign, form)
    path = f"/campaign/campaigns/{segment(campaign)}/contacts"
    taken, refused = await desk.taken(form, "POST", path, {"contacts": [form.body()]})
    if refused is not None:
        return await _shown(desk, campaign, refused)
    if taken["failed"]:
        return await _shown(desk, campaign, form.refused(409, taken["failed"][0]["reason"], (), {}))
    said = "The contact is added." if taken["inserted"] else "The contact was here already; it is changed."
    remarks = [f"{warning['message']}." for warning in taken["warnings"]]
    here = f"/campaigns/{segment(campaign)}/contacts/{segment(taken['contact_ids'][0])}"
    return desk.back(here, " ".join((said, *remarks)), good=not remarks)


async def _shown(desk: Desk, campaign: str, form: Form) -> Response:
    if not desk.session.may_manage:
        return desk.back(f"/campaigns/{segment(campaign)}/contacts", READ_ONLY, good=False)
    found: Any
    found, lists = await asyncio.gather(desk.get(f"/campaign/campaigns/{segment(campaign)}"), suggestions(desk))
    return desk.page("contact_new.html", code=form.code, campaign=found, form=form, lists=lists)
