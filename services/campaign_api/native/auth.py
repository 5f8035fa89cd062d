"""The credentials of this API, and their scopes: 401, then 403. Which organization: http/credentials.py.

An organization key or a personal token has what its scopes allow; the admin token is none here.
"""

from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPBearer

from services.campaign_api.http.credentials import Caller, bearer_credential, caller_of
from services.campaign_api.http.edge import ThisEdge
from shared.engine.keys import Scope

# Only tells the OpenAPI about the header; the reading is elsewhere, where doubled headers are noticed too.
BEARER: Final = HTTPBearer(auto_error=False, description="`ak_…`, `pat_…`, or the admin token for /admin.")
_OrganizationHeader = Annotated[
    str | None, Header(alias="X-Anyreach-Org", description="With a personal token: the organization's id.")
]
_OrganizationHeaderToo = Annotated[str | None, Header(alias="X-Org-Id", description="The same as X-Anyreach-Org.")]

READ_CAMPAIGNS: Final = frozenset({Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_MANAGE})
MANAGE_CAMPAIGNS: Final = frozenset({Scope.CAMPAIGNS_MANAGE})
READ_CONCURRENCY: Final = frozenset(Scope) - {Scope.CONVERSATIONS_READ_SENSITIVE}
MANAGE_CONCURRENCY: Final = frozenset({Scope.CAMPAIGNS_MANAGE, Scope.CONCURRENCY_MANAGE})


async def authenticate(
    request: Request,
    edge: ThisEdge,
    _: Annotated[Any, Security(BEARER)],
    __: _OrganizationHeader = None,
    ___: _OrganizationHeaderToo = None,
) -> Caller:
    """The caller. Raises `Unauthorized`, and `Refused` (an organization of others, too many requests)."""
    return await caller_of(request, edge, bearer_credential(request))


def _needs(scopes: frozenset[Scope]) -> Any:
    async def check(caller: Annotated[Caller, Depends(authenticate)]) -> Caller:
        caller.require(scopes)
        return caller

    return Depends(check)


AnyCaller = Annotated[Caller, Depends(authenticate)]
CampaignReader = Annotated[Caller, _needs(READ_CAMPAIGNS)]
CampaignManager = Annotated[Caller, _needs(MANAGE_CAMPAIGNS)]
ConcurrencyReader = Annotated[Caller, _needs(READ_CONCURRENCY)]
ConcurrencyManager = Annotated[Caller, _needs(MANAGE_CONCURRENCY)]
