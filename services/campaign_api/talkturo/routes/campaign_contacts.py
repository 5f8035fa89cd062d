"""Contacts of a campaign: enrol, list, take out."""

from typing import Annotated

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.talkturo.answers import WITH_BODY, Answer, refusals, success
from services.campaign_api.talkturo.auth import Manager, Reader
from services.campaign_api.talkturo.bodies import Given, body
from services.campaign_api.talkturo.enrolling import check_ways, ignored_beside_ids
from services.campaign_api.talkturo.enrolling import enrol as enrol_people
from services.campaign_api.talkturo.finding import contact_id_in, find_campaign
from services.campaign_api.talkturo.queries import PAGED, Ref, ThisQuery, documented, paging
from services.campaign_api.talkturo.schemas.campaigns import Enrol
from services.campaign_api.talkturo.standing import standing_as
from shared.clock import utc_now
from shared.domain.contact import ContactStatus
from shared.engine import campaigns, contacts
from shared.rendering.talkturo.reading import contact_objects
from shared.rendering.talkturo.words import STATUS_OF, ContactState, Status, contact_states

router = APIRouter(prefix="/api/crm/campaigns/{campaign}/contacts", tags=["Campaign contacts"], route_class=BodyRoute)


@router.post("", responses=refusals(*WITH_BODY))
async def enrol(
    engine: ThisEngine, caller: Manager, campaign: Ref, given: Annotated[Given[Enrol], body(Enrol)]
) -> Answer:
    """Enrol contacts: by `contactIds`, as `contacts`, or an `audience`."""
    check_ways(given)
    found = await find_campaign(engine, caller.organization_id, campaign)
    ignored = [*given.warnings, *ignored_beside_ids(given)]
    return success(ignored, **await enrol_people(engine, caller, found, given, utc_now()))


@router.get("", responses=refusals(), openapi_extra=documented("status", *PAGED))
async def list_all(engine: ThisEngine, caller: Reader, campaign: Ref, query: ThisQuery) -> Answer:
    """List a campaign's contacts, oldest first."""
    page, statuses = paging(query), query.words("status", ContactState)
    query.checked()
    now, organization_id = utc_now(), caller.organization_id
    found = await find_campaign(engine, organization_id, campaign)
    running = STATUS_OF[found.shown(now).state] is Status.RUNNING
    counts = (await campaigns.counts_by_id(engine, [found.id]))[found.id]
    on_call = await contacts.list_contacts(
        engine, organization_id, found.id, status=ContactStatus.IN_PROGRESS, limit=1, offset=0, now=now
    )
    rows = await contacts.contacts_standing(
        engine,
        organization_id,
        found.id,
        standing_as(statuses, running=running),
        offset=page.offset,
        limit=page.limit,
        now=now,
    )
    standing = contact_states(counts, on_call.total, running=running)
    total = sum(count for state, count in standing.items() if not statuses or state in statuses)
    if len(rows) < page.limit and (rows or not page.offset):
        total = page.offset + len(rows)
    return page.around("contacts", await contact_objects(engine, found, rows, now), total)


@router.delete("/{contact}", responses=refusals(409))
async def remove(engine: ThisEngine, caller: Manager, campaign: Ref, contact: Ref) -> Answer:
    """Take a contact out of a campaign."""
    now = utc_now()
    found = await find_campaign(engine, caller.organization_id, campaign)
    contact_id = await contact_id_in(engine, caller.organization_id, found, contact, now)
    await contacts.delete_contact(engine, caller.organization_id, found.id, contact_id, now)
    return success(message="Contact removed from campaign")
