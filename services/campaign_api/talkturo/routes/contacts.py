"""Contacts of the contact book: create, list, read, change, delete, import."""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic_core import PydanticCustomError

from services.campaign_api.http.bodies import BodyRoute
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.talkturo import importing
from services.campaign_api.talkturo.answers import WITH_BODY, Answer, refusals, success
from services.campaign_api.talkturo.auth import Manager, Reader, confirm_query, confirm_team
from services.campaign_api.talkturo.bodies import Given, body
from services.campaign_api.talkturo.enrolling import require_enrollable, to_enrol
from services.campaign_api.talkturo.finding import company_named, find_campaign, find_company, find_person
from services.campaign_api.talkturo.queries import PAGED, TEAM, Ref, ThisQuery, documented, paging
from services.campaign_api.talkturo.reading import newest_calls, person_objects, shown_calls
from services.campaign_api.talkturo.schemas.contacts import CreateContact, EditContact, ImportContacts
from services.campaign_api.talkturo.translate_people import history, new_person, person_changes
from shared.clock import utc_now
from shared.domain.calls import CallFilter
from shared.domain.ids import contact_id_of_person
from shared.domain.person import MAX_SEARCH
from shared.engine import campaigns, contacts, enrolment, people
from shared.engine.organizations import get_organization
from shared.engine.people import PeopleFilter
from shared.errors import NotFound, WrongState
from shared.rendering.talkturo.objects import Names
from shared.rendering.talkturo.reading import contact_objects
from shared.rendering.talkturo.words import STATES, Status

router = APIRouter(prefix="/api/crm/contacts", tags=["Contacts"], route_class=BodyRoute)
_ACTIVITIES: Final = 50
_ACTIVE: Final = STATES[Status.SCHEDULED] | STATES[Status.RUNNING] | STATES[Status.PAUSED]
_NO_CAMPAIGN: Final = "campaignPriority without campaignId was ignored"
_FILTERS: Final = (
    *TEAM,
    "companyId",
    "campaignId",
    "search",
    "leadStatus",
    "doNotCall",
    "hasPhone",
    "tag",
)
_CSV: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": ImportContacts.model_json_schema()},
            "text/csv": {
                "schema": {
                    "type": "string",
                    "examples": ["phone,firstName,lastName\r\n+14155550123,Ada,Lovelace\r\n"],
                }
            },
        },
    },
    **documented(*TEAM, "companyId", "campaignId", "mapping"),
}


@router.post("", responses=refusals(*WITH_BODY))
async def create(
    engine: ThisEngine, caller: Manager, given: Annotated[Given[CreateContact], body(CreateContact)]
) -> Answer:
    """Create a contact, and enrol it where `campaignId` names a campaign."""
    now, wish, organization_id = utc_now(), given.value, caller.organization_id
    await confirm_team(engine, caller, wish.team_id, wish.account_slug)
    company_id = await company_named(engine, organization_id, wish.company_id)
    campaign = None if wish.campaign_id is None else await find_campaign(engine, organization_id, wish.campaign_id)
    if campaign is not None:
        require_enrollable(campaign, now)
    person = await people.create_person(engine, organization_id, new_person(wish, company_id), now)
    [shown] = await person_objects(engine, organization_id, [person])
    idle = campaign is None and wish.campaign_priority is not None
    if campaign is not None:
        one = to_enrol(person, wish.campaign_priority)
        try:
            [enrolled] = await enrolment.enrol(engine, organization_id, campaign.id, [one], now)
        except (NotFound, WrongState):
            # The campaign has ended since it was looked at.
            await people.delete_person(engine, organization_id, person.id, now)
            raise
        found = await contacts.contacts_by_id(engine, organization_id, campaign.id, [enrolled.contact_id or ""], now)
        [there] = await contact_objects(engine, campaign, found, now)
        shown["campaignEnrollment"] = {
            "campaignId": there["campaign_id"],
            "status": there["status"],
            "priority": there["priority"],
        }
    return success([*given.warnings, *([_NO_CAMPAIGN] if idle else [])], contact=shown)


@router.get("", responses=refusals(), openapi_extra=documented(*_FILTERS, *PAGED))
async def list_all(engine: ThisEngine, caller: Reader, query: ThisQuery) -> Answer:
    """List contacts, newest first."""
    page, organization_id = paging(query), caller.organization_id
    search, company, campaign = query.text("search"), query.text("companyId"), query.text("campaignId")
    which = PeopleFilter(
        search=None if search is None else search[:MAX_SEARCH],
        tags=tuple(query.texts("tag")),
        has_phone=query.truth("hasPhone"),
        lead_status=query.text("leadStatus"),
        do_not_call=query.truth("doNotCall"),
    )
    await confirm_query(engine, caller, query)
    try:
        if company is not None:
            company = (await find_company(engine, organization_id, company)).id
        if campaign is not None:
            campaign = (await find_campaign(engine, organization_id, campaign)).id
    except NotFound:
        return page.around("contacts", [], 0)
    which = replace(which, company_id=company, campaign_id=campaign)
    found = await people.numbered_people(engine, organization_id, which, offset=page.offset, limit=page.limit)
    rows = await person_objects(engine, organization_id, [each.person for each in found.rows])
    return page.around("contacts", rows, found.total)


@router.post("/import", responses=refusals(*WITH_BODY), openapi_extra=_CSV)
async def import_many(engine: ThisEngine, caller: Manager, request: Request, query: ThisQuery) -> Answer:
    """Import contacts as JSON or CSV; good rows are stored whatever the others are."""
    return await importing.import_contacts(engine, caller, request, query, utc_now())


@router.get("/{contact}", responses=refusals())
async def get_one(engine: ThisEngine, caller: Reader, contact: Ref) -> Answer:
    """Get a contact with its campaigns and its newest 50 calls."""
    organization_id = caller.organization_id
    person = await find_person(engine, organization_id, contact)
    found = await people.person_with_history(engine, organization_id, person.id, utc_now())
    [shown] = await person_objects(engine, organization_id, [found.person])
    in_campaigns = await campaigns.campaigns_by_id(engine, organization_id, {one.campaign_id for one in found.history})
    names = Names(
        await get_organization(engine, organization_id),
        campaigns={campaign.id: campaign.external_id for campaign in in_campaigns.values()},
    )
    of_person = CallFilter(contact_ids=[contact_id_of_person(one, person.id) for one in person.campaigns])
    newest = await newest_calls(engine, caller, of_person, limit=_ACTIVITIES)
    shown["campaign_history"] = history(found, names)
    shown["activities"] = await shown_calls(engine, caller, newest)
    return success(contact={**shown, "opportunities": []})


@router.patch("/{contact}", responses=refusals(*WITH_BODY))
@router.put("/{contact}", responses=refusals(*WITH_BODY))
async def edit(
    engine: ThisEngine,
    caller: Manager,
    contact: Ref,
    given: Annotated[Given[EditContact], body(EditContact, changes=True)],
) -> Answer:
    """Change a contact; its waiting campaign contacts follow at once."""
    wish, organization_id = given.value, caller.organization_id
    before = await find_person(engine, organization_id, contact)
    await confirm_team(engine, caller, wish.team_id, wish.account_slug)
    company_id = await company_named(engine, organization_id, wish.company_id)
    try:
        changes = person_changes(wish, before, company_id)
    except PydanticCustomError as error:
        raise given.bad(error.message(), "custom_fields") from None
    edited = await people.edit_person(engine, organization_id, before.id, changes, utc_now())
    [shown] = await person_objects(engine, organization_id, [edited])
    return success(given.of_change, contact=shown)


@router.delete("/{contact}", responses=refusals(409))
async def delete(engine: ThisEngine, caller: Manager, contact: Ref) -> Answer:
    """Delete a contact that is in no campaign that goes on; its calls stay."""
    person = await find_person(engine, caller.organization_id, contact)
    await people.delete_person(engine, caller.organization_id, person.id, utc_now(), unless_in=_ACTIVE)
    return success(message="Contact deleted")
