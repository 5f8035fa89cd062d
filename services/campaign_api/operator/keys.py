"""The operator's credentials for customers: keys of organizations and tokens of persons."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends

from services.campaign_api.gateway import Gateway, ThisGateway
from services.campaign_api.http.bodies import body_of, json_body
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.paths import OurRef
from services.campaign_api.native.auth import require_operator
from services.campaign_api.native.errors import Refused
from services.campaign_api.native.problem_sentences import no_organization_in_body
from services.campaign_api.native.schemas.problems import operator_problems
from services.campaign_api.operator.schemas import (
    CreateOrganizationKey,
    CreatePersonalToken,
    Deleted,
    NewOrganizationKey,
    NewPersonalToken,
    OrganizationKeyPage,
    OrganizationKeyView,
    PersonalTokenPage,
    PersonalTokenView,
    from_epoch_ms,
)
from shared.clock import utc_now
from shared.store.catalog.keys import ApiKey, KeyKind, create_key, delete_key, list_keys
from shared.store.catalog.organizations import missing_organizations

router = APIRouter(prefix="/admin", tags=["Operator"], dependencies=[Depends(require_operator)])
BODIES: Final = (CreateOrganizationKey, CreatePersonalToken)


@router.post(
    "/organization-pats", responses=operator_problems(404, 413, 415), openapi_extra=json_body(CreateOrganizationKey)
)
async def create_organization_key(
    gateway: ThisGateway, body: Annotated[CreateOrganizationKey, Depends(body_of(CreateOrganizationKey))]
) -> NewOrganizationKey:
    """Create a key of an organization; `key` is shown only here."""
    key, text = await _created(gateway, KeyKind.ORGANIZATION, body, None, (body.organization_id,))
    return NewOrganizationKey.of(key, key=text)


@router.get("/organization-pats", responses=operator_problems(400))
async def list_organization_keys(
    gateway: ThisGateway, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> OrganizationKeyPage:
    """List the keys of all organizations, newest first."""
    page = await list_keys(gateway.store, KeyKind.ORGANIZATION, cursor=cursor, limit=limit)
    rows = [OrganizationKeyView.of(key) for key in page.rows]
    return OrganizationKeyPage(organization_pats=rows, next_cursor=page.next_cursor)


@router.delete("/organization-pats/{key_id}", responses=operator_problems(404))
async def delete_organization_key(gateway: ThisGateway, key_id: OurRef) -> Deleted:
    """Delete a key; it is refused from now on."""
    await delete_key(gateway.store, KeyKind.ORGANIZATION, key_id)
    return Deleted(id=key_id)


@router.post(
    "/personal-tokens", responses=operator_problems(404, 413, 415), openapi_extra=json_body(CreatePersonalToken)
)
async def create_personal_token(
    gateway: ThisGateway, body: Annotated[CreatePersonalToken, Depends(body_of(CreatePersonalToken))]
) -> NewPersonalToken:
    """Create a token of a person; `key` is shown only here."""
    organization_ids = tuple(dict.fromkeys(body.organization_ids))
    key, text = await _created(gateway, KeyKind.PERSONAL, body, body.person, organization_ids)
    return NewPersonalToken.of(key, key=text)


@router.get("/personal-tokens", responses=operator_problems(400))
async def list_personal_tokens(
    gateway: ThisGateway, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> PersonalTokenPage:
    """List the tokens of all persons, newest first."""
    page = await list_keys(gateway.store, KeyKind.PERSONAL, cursor=cursor, limit=limit)
    rows = [PersonalTokenView.of(key) for key in page.rows]
    return PersonalTokenPage(personal_tokens=rows, next_cursor=page.next_cursor)


@router.delete("/personal-tokens/{key_id}", responses=operator_problems(404))
async def delete_personal_token(gateway: ThisGateway, key_id: OurRef) -> Deleted:
    """Delete a token; it is refused from now on."""
    await delete_key(gateway.store, KeyKind.PERSONAL, key_id)
    return Deleted(id=key_id)


async def _created(
    gateway: Gateway,
    kind: KeyKind,
    body: CreateOrganizationKey | CreatePersonalToken,
    person: str | None,
    organization_ids: tuple[str, ...],
) -> tuple[ApiKey, str]:
    missing = await missing_organizations(gateway.store, organization_ids)
    if missing:
        raise Refused(404, no_organization_in_body(missing[0]))
    return await create_key(
        gateway.store,
        kind=kind,
        name=body.name,
        person=person,
        organization_ids=organization_ids,
        scopes=list(dict.fromkeys(body.scopes)),
        expires_at=None if body.expires_at is None else from_epoch_ms(body.expires_at),
        now=utc_now(),
    )
