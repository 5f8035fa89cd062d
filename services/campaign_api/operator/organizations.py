"""The operator's organizations."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.paths import OurRef
from services.campaign_api.native.schemas.problems import operator_problems
from services.campaign_api.operator.auth import require_operator
from services.campaign_api.operator.schemas import (
    CreateOrganization,
    EditOrganization,
    OrganizationPage,
    OrganizationView,
)
from shared.clock import utc_now
from shared.engine.organizations import create_organization, edit_organization, get_organization, list_organizations

router = APIRouter(prefix="/admin", tags=["Operator"], dependencies=[Depends(require_operator)], route_class=BodyRoute)


@router.post("/organizations", operation_id="operator_create_organization", responses=operator_problems(413, 415))
async def create(
    engine: ThisEngine, body: Annotated[CreateOrganization, json_body(CreateOrganization)]
) -> OrganizationView:
    """Create an organization."""
    organization = await create_organization(
        engine,
        name=body.name,
        default_agent_number=body.default_agent_number,
        exclusive_caller_numbers=tuple(body.exclusive_caller_numbers),
        refused_number_types=tuple(body.refused_number_types),
        slug=body.slug,
        external_id=body.external_id,
        request_limits=body.request_limits,
        now=utc_now(),
    )
    return OrganizationView.of(organization)


@router.get("/organizations", operation_id="operator_list_organizations", responses=operator_problems(400))
async def list_all(engine: ThisEngine, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT) -> OrganizationPage:
    """List organizations, newest first."""
    page = await list_organizations(engine, cursor=cursor, limit=limit)
    rows = [OrganizationView.of(organization) for organization in page.rows]
    return OrganizationPage(organizations=rows, next_cursor=page.next_cursor)


@router.get(
    "/organizations/{organization_id}", operation_id="operator_get_organization", responses=operator_problems(404)
)
async def get_one(engine: ThisEngine, organization_id: OurRef) -> OrganizationView:
    """Get one organization."""
    return OrganizationView.of(await get_organization(engine, organization_id))


@router.patch(
    "/organizations/{organization_id}",
    operation_id="operator_edit_organization",
    responses=operator_problems(404, 413, 415),
)
async def edit(
    engine: ThisEngine,
    organization_id: OurRef,
    body: Annotated[EditOrganization, json_body(EditOrganization)],
) -> OrganizationView:
    """Change an organization's names, caller numbers, refused types of numbers or request limits."""
    organization = await edit_organization(engine, organization_id, body.model_dump(exclude_unset=True))
    return OrganizationView.of(organization)
