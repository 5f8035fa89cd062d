"""Contacts of a campaign, and under `default` those of no campaign."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from services.campaign_api.gateway import ThisGateway
from services.campaign_api.http.bodies import body_of, json_body
from services.campaign_api.http.paging import DEFAULT_LIMIT, Limit, Offset
from services.campaign_api.http.paths import ContactRef, ContactsCampaignRef
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.contact_drafts import Draft, draft_of
from services.campaign_api.native.contact_targets import contact_target, number_rules, store_contacts
from services.campaign_api.native.schemas.contacts import (
    MAX_CONTACTS,
    ContactPage,
    ContactsResult,
    ContactView,
    ResetContacts,
    ResetResult,
    UpsertContacts,
)
from services.campaign_api.native.schemas.problems import body_problems, problems
from services.campaign_api.operator.schemas import Deleted
from shared.clock import utc_now
from shared.domain.campaign import CampaignStatus, CampaignUse
from shared.domain.contact import ContactStatus
from shared.errors import Kind, NotFound, WrongState
from shared.events import LimitsChanged
from shared.store.contacts.queries import get_contact, list_contacts, request_deletion
from shared.store.contacts.wishes import reset_contacts
from shared.store.reports.situation import standings

router = APIRouter(prefix="/campaign/campaigns/{campaign}/contacts", tags=["Contacts"])
BODIES: Final = (UpsertContacts, ResetContacts)
ContactsDraft = Annotated[
    Draft[UpsertContacts], Depends(draft_of(UpsertContacts, lambda body: body.contacts, MAX_CONTACTS))
]
StatusFilter = Annotated[ContactStatus | None, Query(description="Only contacts with this status.")]


@router.post("", responses=body_problems(400, 404), openapi_extra=json_body(UpsertContacts))
async def upsert(
    gateway: ThisGateway, caller: CampaignManager, campaign: ContactsCampaignRef, draft: ContactsDraft
) -> ContactsResult:
    """Upsert up to 1,000 contacts: matched by `id`, else by `external_id`, else inserted."""
    if draft.is_settled:
        raise draft.refuse()
    try:
        target = await contact_target(gateway, caller.organization_id, campaign)
        rules = await number_rules(gateway, caller.organization_id, target.configuration_id)
    except NotFound:
        if draft.is_sound:
            raise
        raise draft.refuse() from None
    _, prepared = await draft.checked(rules)
    return await store_contacts(gateway, target, prepared)


@router.post("/reset", responses=body_problems(400, 404), openapi_extra=json_body(ResetContacts))
async def reset(
    gateway: ThisGateway,
    caller: CampaignManager,
    campaign: ContactsCampaignRef,
    body: Annotated[ResetContacts, Depends(body_of(ResetContacts))],
) -> ResetResult:
    """Call contacts again that have ended; their limits and delays count from now on, their attempts stay."""
    target = await contact_target(gateway, caller.organization_id, campaign)
    if target.is_closed:
        raise WrongState(Kind.CAMPAIGN, target.campaign_id, CampaignStatus.CLOSED, CampaignUse.RESET_CONTACTS)
    page = await reset_contacts(
        gateway.store,
        caller.organization_id,
        target.campaign_id,
        status=ContactStatus(body.status),
        because=body.reason,
        cursor=body.cursor,
        now=utc_now(),
    )
    gateway.hints.give(LimitsChanged(organization_id=target.organization_id, shard=target.shard))
    return ResetResult(reset=page.asked, next_cursor=page.next_cursor)


@router.get("", responses=problems(404))
async def list_all(
    gateway: ThisGateway,
    caller: CampaignReader,
    campaign: ContactsCampaignRef,
    status: StatusFilter = None,
    limit: Limit = DEFAULT_LIMIT,
    offset: Offset = 0,
) -> ContactPage:
    """List contacts with their attempts, oldest first."""
    target = await contact_target(gateway, caller.organization_id, campaign)
    page = await list_contacts(
        gateway.store, caller.organization_id, target.campaign_id, status=status, limit=limit, offset=offset
    )
    stand = await standings(gateway.store, caller.organization_id, page.contacts, utc_now())
    rows = [ContactView.of(c, page.attempts.get(c["_id"], []), stand[c["_id"]]) for c in page.contacts]
    return ContactPage(contacts=rows, total=page.total, limit=limit, offset=offset)


@router.get("/{contact}", responses=problems(404))
async def get_one(
    gateway: ThisGateway, caller: CampaignReader, campaign: ContactsCampaignRef, contact: ContactRef
) -> ContactView:
    """Get one contact with its attempts."""
    target = await contact_target(gateway, caller.organization_id, campaign)
    found, attempts = await get_contact(gateway.store, caller.organization_id, target.campaign_id, contact)
    stand = await standings(gateway.store, caller.organization_id, [found], utc_now())
    return ContactView.of(found, attempts, stand[found["_id"]])


@router.delete("/{contact}", responses=problems(404, 409))
async def delete(
    gateway: ThisGateway, caller: CampaignManager, campaign: ContactsCampaignRef, contact: ContactRef
) -> Deleted:
    """Delete a contact that is not being called."""
    target = await contact_target(gateway, caller.organization_id, campaign)
    contact_id = await request_deletion(
        gateway.store, caller.organization_id, target.campaign_id, contact, now=utc_now()
    )
    gateway.hints.give(target.hint)
    return Deleted(id=contact_id)
