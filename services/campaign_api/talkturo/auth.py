"""The credentials of this API, their scopes, and the team that a request may name beside them: 401, then 403."""

from typing import Annotated, Any, Final

from fastapi import Depends, Security
from fastapi.security import HTTPBearer
from starlette.requests import Request

from services.campaign_api.http.credentials import (
    MANAGE_CAMPAIGNS,
    READ_CAMPAIGNS,
    Caller,
    bearer_credential,
    caller_of,
    needs,
)
from services.campaign_api.http.edge import ThisEdge
from services.campaign_api.http.faults import Refused, RequestFault
from shared.engine.engine import Engine
from shared.engine.organizations import get_organization
from shared.rendering.talkturo.ids import Prefix, meant_by

# Only tells the OpenAPI about the header; the reading is elsewhere, where doubled headers are noticed too.
_BEARER: Final = HTTPBearer(auto_error=False, description="`ak_…` or `pat_…`.")


async def authenticate(request: Request, edge: ThisEdge, _: Annotated[Any, Security(_BEARER)]) -> Caller:
    """The caller. Raises `Unauthorized`, and `Refused` (an organization of others, too many requests)."""
    return await caller_of(request, edge, bearer_credential(request))


AnyCaller = Annotated[Caller, Depends(authenticate)]
Reader = Annotated[Caller, needs(authenticate, READ_CAMPAIGNS)]
Manager = Annotated[Caller, needs(authenticate, MANAGE_CAMPAIGNS)]


async def confirm_team(engine: Engine, caller: Caller, team: str | None, slug: str | None) -> None:
    """Raises `Refused` where a request names another team than the key's, whether or not there is one.

    `team` is its id in any form, `slug` its account slug; None: not given.
    """
    if team is None and slug is None:
        return
    organization = await get_organization(engine, caller.organization_id)
    meant = () if team is None else meant_by(Prefix.TEAM, team)
    is_ours = team is None or organization.id in {one.lower() for one in meant} or organization.external_id == team
    if not is_ours or (slug is not None and slug != organization.slug):
        raise Refused(RequestFault.FOREIGN_ORGANIZATION)
