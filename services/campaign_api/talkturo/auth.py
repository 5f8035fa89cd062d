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
from services.campaign_api.talkturo.queries import Query
from shared.engine.engine import Engine
from shared.engine.organizations import Organization, get_organization
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
    if not is_team(await get_organization(engine, caller.organization_id), team, slug):
        raise Refused(RequestFault.FOREIGN_ORGANIZATION)


async def confirm_query(engine: Engine, caller: Caller, query: Query) -> None:
    """Raises `ValuesInvalid` where a value of a list's query is bad, then as `confirm_team` for the team it names."""
    team, slug = query.text("teamId"), query.text("accountSlug")
    query.checked()
    await confirm_team(engine, caller, team, slug)


def is_team(organization: Organization, team: str | None, slug: str | None) -> bool:
    """Whether both that are given name this organization."""
    meant = () if team is None else meant_by(Prefix.TEAM, team)
    is_ours = team is None or organization.id in {one.lower() for one in meant} or organization.external_id == team
    return is_ours and (slug is None or slug == organization.slug)
