"""Companies of the contact book: create, list, read, change, delete."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, FromOffset, Limit
from services.campaign_api.native import translate_people
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.filters import SearchFilter
from services.campaign_api.native.paths import CompanyRef
from services.campaign_api.native.schemas.companies import CompanyPage, CompanyView, CreateCompany, EditCompany
from services.campaign_api.native.schemas.deleted import Deleted
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.clock import utc_now
from shared.domain.json_rules import check_text
from shared.engine import companies

router = APIRouter(prefix="/campaign/companies", tags=["Companies"], route_class=BodyRoute)
IndustryFilter = Annotated[
    str | None,
    Query(max_length=255, description="Only companies of this industry."),
    AfterValidator(lambda text: text if text is None else check_text(text)),
]


@router.post("", responses=body_problems(409))
async def create(
    engine: ThisEngine, caller: CampaignManager, body: Annotated[CreateCompany, json_body(CreateCompany)]
) -> CompanyView:
    """Create a company."""
    values = body.model_dump(exclude={"external_id"})
    made = await companies.create_company(engine, caller.organization_id, values, body.external_id, utc_now())
    return translate_people.company_view(made)


@router.get("", responses=problems(400))
async def list_all(
    engine: ThisEngine,
    caller: CampaignReader,
    search: SearchFilter = None,
    industry: IndustryFilter = None,
    cursor: Cursor = None,
    offset: FromOffset = None,
    limit: Limit = DEFAULT_LIMIT,
) -> CompanyPage:
    """List companies, newest first; `search` is part of a name, in any case."""
    if offset is not None:
        numbered = await companies.numbered_companies(
            engine, caller.organization_id, search=search, industry=industry, offset=offset, limit=limit
        )
        return translate_people.company_page(numbered)
    page = await companies.list_companies(
        engine, caller.organization_id, search=search, industry=industry, cursor=cursor, limit=limit
    )
    return translate_people.company_page(page)


@router.get("/{company}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: CampaignReader, company: CompanyRef) -> CompanyView:
    """Get one company."""
    return translate_people.company_view(await companies.get_company(engine, caller.organization_id, company))


@router.patch("/{company}", responses=body_problems(404))
async def edit(
    engine: ThisEngine,
    caller: CampaignManager,
    company: CompanyRef,
    body: Annotated[EditCompany, json_body(EditCompany)],
) -> CompanyView:
    """Change a company."""
    changes = body.model_dump(exclude_unset=True)
    edited = await companies.edit_company(engine, caller.organization_id, company, changes, utc_now())
    return translate_people.company_view(edited)


@router.delete("/{company}", responses=problems(404, 409))
async def delete(engine: ThisEngine, caller: CampaignManager, company: CompanyRef) -> Deleted:
    """Delete a company that nobody is at."""
    return Deleted(id=await companies.delete_company(engine, caller.organization_id, company))
