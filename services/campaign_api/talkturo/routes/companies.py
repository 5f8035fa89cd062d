"""Companies that contacts and campaigns are of."""

from typing import Annotated

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.talkturo.answers import WITH_BODY, Answer, refusals, success
from services.campaign_api.talkturo.auth import Manager, Reader, confirm_query, confirm_team
from services.campaign_api.talkturo.bodies import Given, body
from services.campaign_api.talkturo.finding import find_company
from services.campaign_api.talkturo.queries import PAGED, TEAM, Ref, ThisQuery, documented, paging
from services.campaign_api.talkturo.reading import person_objects, team_of
from services.campaign_api.talkturo.schemas.registry import CreateCompany, EditCompany
from services.campaign_api.talkturo.translate_registry import company_object, company_values
from shared.clock import utc_now
from shared.engine import companies, people
from shared.engine.people import PeopleFilter

router = APIRouter(prefix="/api/crm/companies", tags=["Companies"], route_class=BodyRoute)


@router.post("", responses=refusals(*WITH_BODY))
async def create(
    engine: ThisEngine, caller: Manager, given: Annotated[Given[CreateCompany], body(CreateCompany)]
) -> Answer:
    """Create a company."""
    wish = given.value
    await confirm_team(engine, caller, wish.team_id, wish.account_slug)
    values, external_id = company_values(wish), wish.external_id
    made = await companies.create_company(engine, caller.organization_id, values, external_id, utc_now())
    return success(given.warnings, company=company_object(made, await team_of(engine, caller)))


@router.get("", responses=refusals(), openapi_extra=documented(*TEAM, "search", "industry", *PAGED))
async def list_all(engine: ThisEngine, caller: Reader, query: ThisQuery) -> Answer:
    """List companies, newest first."""
    page, search, industry = paging(query), query.text("search"), query.text("industry")
    await confirm_query(engine, caller, query)
    found = await companies.numbered_companies(
        engine, caller.organization_id, search=search, industry=industry, offset=page.offset, limit=page.limit
    )
    ours = await team_of(engine, caller)
    return page.around("companies", [company_object(company, ours) for company in found.rows], found.total)


@router.get("/{company}", responses=refusals())
async def get_one(engine: ThisEngine, caller: Reader, company: Ref) -> Answer:
    """Get one company."""
    found = await find_company(engine, caller.organization_id, company)
    return success(company=company_object(found, await team_of(engine, caller)))


@router.patch("/{company}", responses=refusals(*WITH_BODY))
@router.put("/{company}", responses=refusals(*WITH_BODY))
async def edit(
    engine: ThisEngine,
    caller: Manager,
    company: Ref,
    given: Annotated[Given[EditCompany], body(EditCompany, changes=True)],
) -> Answer:
    """Change a company."""
    wish = given.value
    found = await find_company(engine, caller.organization_id, company)
    await confirm_team(engine, caller, wish.team_id, wish.account_slug)
    edited = await companies.edit_company(engine, caller.organization_id, found.id, company_values(wish), utc_now())
    return success(given.of_change, company=company_object(edited, await team_of(engine, caller)))


@router.delete("/{company}", responses=refusals(409))
async def delete(engine: ThisEngine, caller: Manager, company: Ref) -> Answer:
    """Delete a company that no contact and no campaign names."""
    found = await find_company(engine, caller.organization_id, company)
    await companies.delete_company(engine, caller.organization_id, found.id)
    return success(message="Company deleted")


@router.get("/{company}/contacts", responses=refusals(), openapi_extra=documented(*PAGED))
async def contacts_of(engine: ThisEngine, caller: Reader, company: Ref, query: ThisQuery) -> Answer:
    """List the contacts of a company, newest first."""
    page = paging(query)
    query.checked()
    found = await find_company(engine, caller.organization_id, company)
    which = PeopleFilter(company_id=found.id)
    listed = await people.numbered_people(engine, caller.organization_id, which, offset=page.offset, limit=page.limit)
    rows = await person_objects(engine, caller.organization_id, [each.person for each in listed.rows])
    return page.around("contacts", rows, listed.total)
