"""The operator's credentials for customers: keys of organizations and tokens of persons."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.faults import Refused, RequestFault
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.paths import OurRef
from services.campaign_api.http.requests import OurId
from services.campaign_api.native.schemas.deleted import Deleted
from services.campaign_api.native.schemas.problems import operator_problems
from services.campaign_api.operator.auth import require_operator
from services.campaign_api.operator.schemas import (
    CreateOrganizationKey,
    CreatePersonalToken,
    EditKey,
    NewOrganizationKey,
    NewPersonalToken,
    OrganizationKeyPage,
    OrganizationKeyView,
    PersonalTokenPage,
    PersonalTokenView,
    from_epoch_ms,
)
from shared.clock import utc_now
from shared.domain.repeating import quoted
from shared.engine.engine import Engine
from shared.engine.keys import ApiKey, KeyKind, create_key, delete_key, list_keys, set_request_limits
from shared.errors import NotFound

OfOrganization = Annotated[OurId | None, Query(description="Only those for this organization: its id.")]
router = APIRouter(prefix="/admin", tags=["Operator"], dependencies=[Depends(require_operator)], route_class=BodyRoute)


@router.post("/organization-pats", responses=operator_problems(404, 413, 415))
async def create_organization_key(
    engine: ThisEngine, body: Annotated[CreateOrganizationKey, json_body(CreateOrganizationKey)]
) -> NewOrganizationKey:
    """Create a key of an organization; `key` is shown only here."""
    key, text = await _created(engine, KeyKind.ORGANIZATION, body, None, (body.organization_id,))
    return NewOrganizationKey.of(key, key=text)


@router.get("/organization-pats", responses=operator_problems(400))
async def list_organization_keys(
    engine: ThisEngine, organization_id: OfOrganization = None, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> OrganizationKeyPage:
    """List the keys of all organizations, newest first."""
    page = await list_keys(engine, KeyKind.ORGANIZATION, organization_id=organization_id, cursor=cursor, limit=limit)
    rows = [OrganizationKeyView.of(key) for key in page.rows]
    return OrganizationKeyPage(organization_pats=rows, next_cursor=page.next_cursor)


@router.patch("/organization-pats/{key_id}", responses=operator_problems(404, 413, 415))
async def edit_organization_key(
    engine: ThisEngine, key_id: OurRef, body: Annotated[EditKey, json_body(EditKey)]
) -> OrganizationKeyView:
    """Change the request limits of a key."""
    return OrganizationKeyView.of(await set_request_limits(engine, KeyKind.ORGANIZATION, key_id, body.request_limits))


@router.delete("/organization-pats/{key_id}", responses=operator_problems(404))
async def delete_organization_key(engine: ThisEngine, key_id: OurRef) -> Deleted:
    """Delete a key; it is refused from now on."""
    await delete_key(engine, KeyKind.ORGANIZATION, key_id)
    return Deleted(id=key_id)


@router.post("/personal-tokens", responses=operator_problems(404, 413, 415))
async def create_personal_token(
    engine: ThisEngine, body: Annotated[CreatePersonalToken, json_body(CreatePersonalToken)]
) -> NewPersonalToken:
    """Create a token of a person; `key` is shown only here."""
    organization_ids = tuple(dict.fromkeys(body.organization_ids))
    key, text = await _created(engine, KeyKind.PERSONAL, body, body.person, organization_ids)
    return NewPersonalToken.of(key, key=text)


@router.get("/personal-tokens", responses=operator_problems(400))
async def list_personal_tokens(
    engine: ThisEngine, organization_id: OfOrganization = None, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> PersonalTokenPage:
    """List the tokens of all persons, newest first."""
    page = await list_keys(engine, KeyKind.PERSONAL, organization_id=organization_id, cursor=cursor, limit=limit)
    rows = [PersonalTokenView.of(key) for key in page.rows]
    return PersonalTokenPage(personal_tokens=rows, next_cursor=page.next_cursor)


@router.patch("/personal-tokens/{key_id}", responses=operator_problems(404, 413, 415))
async def edit_personal_token(
    engine: ThisEngine, key_id: OurRef, body: Annotated[EditKey, json_body(EditKey)]
) -> PersonalTokenView:
    """Change the request limits of a token."""
    return PersonalTokenView.of(await set_request_limits(engine, KeyKind.PERSONAL, key_id, body.request_limits))


@router.delete("/personal-tokens/{key_id}", responses=operator_problems(404))
async def delete_personal_token(engine: ThisEngine, key_id: OurRef) -> Deleted:
    """Delete a token; it is refused from now on."""
    await delete_key(engine, KeyKind.PERSONAL, key_id)
    return Deleted(id=key_id)


async def _created(
    engine: Engine,
    kind: KeyKind,
    body: CreateOrganizationKey | CreatePersonalToken,
    person: str | None,
    organization_ids: tuple[str, ...],
) -> tuple[ApiKey, str]:
    try:
        return await create_key(
            engine,
            kind=kind,
            name=body.name,
            person=person,
            organization_ids=organization_ids,
            scopes=list(dict.fromkeys(body.scopes)),
            request_limits=body.request_limits,
            expires_at=None if body.expires_at is None else from_epoch_ms(body.expires_at),
            now=utc_now(),
        )
    except NotFound as error:
        raise Refused(RequestFault.NAMES_UNKNOWN_ORGANIZATION, named=quoted(error.reference)) from error
