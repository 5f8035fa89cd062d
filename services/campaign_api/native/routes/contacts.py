"""Contacts of a campaign, and under `default` those of no campaign."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.campaign_api.http.bodies import json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Limit, Offset
from services.campaign_api.native import translate
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.contact_drafts import Draft, draft_body
from services.campaign_api.native.filters import PhoneFilter, WithDeleted
from services.campaign_api.native.once import Once, OnceRoute
from services.campaign_api.native.paths import ContactRef, ContactsCampaignRef
from services.campaign_api.native.schemas.contacts import (
    MAX_CONTACTS,
    ContactPage,
    ContactsResult,
    ContactView,
    ResetContacts,
    ResetResult,
    UpsertContacts,
)
from services.campaign_api.native.schemas.deleted import Deleted
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.clock import utc_now
from shared.domain.contact import ContactStatus
from shared.engine import contacts
from shared.errors import NotFound

router = APIRouter(prefix="/campaign/campaigns/{campaign}/contacts", tags=["Contacts"], route_class=OnceRoute)
ContactsDraft = Annotated[Draft[UpsertContacts], draft_body(UpsertContacts, lambda body: body.contacts, MAX_CONTACTS)]
StatusFilter = Annotated[ContactStatus | None, Query(description="Only contacts with this status.")]


@router.post("", responses=body_problems(400, 404, 409))
async def upsert(
    engine: ThisEngine, caller: CampaignManager, campaign: ContactsCampaignRef, draft: ContactsDraft, once: Once
) -> ContactsResult:
    """Upsert up to 1,000 contacts: matched by `id`, else by `external_id`, else inserted."""
    if draft.is_settled:
        raise draft.refuse()
    try:
        target = await contacts.contact_target(engine, caller.organization_id, campaign)
        rules = await contacts.number_rules(engine, caller.organization_id, target.configuration_id)
    except NotFound:
        if draft.is_sound:
            raise
        raise draft.refuse() from None
    _, prepared = await draft.checked(rules)
    return translate.contacts_result(await contacts.add_contacts(engine, target, prepared, utc_now(), once))


@router.post("/reset", responses=body_problems(400, 404))
async def reset(
    engine: ThisEngine,
    caller: CampaignManager,
    campaign: ContactsCampaignRef,
    body: Annotated[ResetContacts, json_body(ResetContacts)],
) -> ResetResult:
    """Call contacts again that have ended, or were put off.

    Their limits and delays count from now on, their attempts stay.
    """
    page = await contacts.reset_contacts(
        engine,
        caller.organization_id,
        campaign,
        status=ContactStatus(body.status),
        because=body.reason,
        cursor=body.cursor,
        now=utc_now(),
    )
    return translate.reset_result(page)


@router.get("", responses=problems(404))
async def list_all(
    engine: ThisEngine,
    caller: CampaignReader,
    campaign: ContactsCampaignRef,
    status: StatusFilter = None,
    phone_number: PhoneFilter = None,
    limit: Limit = DEFAULT_LIMIT,
    offset: Offset = 0,
    deleted: WithDeleted = False,
) -> ContactPage:
    """List contacts with their attempts, oldest first."""
    page = await contacts.list_contacts(
        engine,
        caller.organization_id,
        campaign,
        status=status,
        phone_number=phone_number,
        limit=limit,
        offset=offset,
        now=utc_now(),
        deleted=deleted,
    )
    return translate.contact_page(page, limit=limit, offset=offset, sensitive=caller.reads_sensitive)


@router.get("/{contact}", responses=problems(404))
async def get_one(
    engine: ThisEngine,
    caller: CampaignReader,
    campaign: ContactsCampaignRef,
    contact: ContactRef,
    deleted: WithDeleted = False,
) -> ContactView:
    """Get one contact with its attempts."""
    found = await contacts.get_contact(engine, caller.organization_id, campaign, contact, utc_now(), deleted=deleted)
    return translate.contact_view(found, sensitive=caller.reads_sensitive)


@router.delete("/{contact}", responses=problems(404, 409))
async def delete(
    engine: ThisEngine, caller: CampaignManager, campaign: ContactsCampaignRef, contact: ContactRef
) -> Deleted:
    """Delete a contact that is not being called."""
    return Deleted(id=await contacts.delete_contact(engine, caller.organization_id, campaign, contact, utc_now()))
