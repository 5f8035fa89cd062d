"""The credentials of this API, and their scopes: 401, then 403. Which organization: http/credentials.py."""

from typing import Annotated, Any, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from services.campaign_api.http.credentials import Caller, bearer_credential, caller_of
from services.campaign_api.http.edge import ThisEdge
from services.campaign_api.http.request_limits import limit_of, note_limit
from shared.domain.request_limits import LimitState
from shared.engine.keys import Scope

# Only tells the OpenAPI about the header; the reading is elsewhere, where doubled headers are noticed too.
BEARER: Final = HTTPBearer(auto_error=False, description="Your key.")
READ: Final = frozenset({Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_MANAGE})
MANAGE: Final = frozenset({Scope.CAMPAIGNS_MANAGE})
# Clients wait for these headers with every answer: what is told where there is no limit.
_NO_LIMIT: Final = LimitState(limit=1_000_000, remaining=1_000_000, resets_in=0.0)


async def authenticate(request: Request, edge: ThisEdge, _: Annotated[Any, Security(BEARER)]) -> Caller:
    """The caller. Raises `Unauthorized`, and `Refused` (an organization of others, too many requests)."""
    caller = await caller_of(request, edge, bearer_credential(request))
    if limit_of(request) is None:
        note_limit(request, _NO_LIMIT)
    return caller


def _needs(scopes: frozenset[Scope]) -> Any:
    async def check(caller: Annotated[Caller, Depends(authenticate)]) -> Caller:
        caller.require(scopes)
        return caller

    return Depends(check)


Reader = Annotated[Caller, _needs(READ)]
Manager = Annotated[Caller, _needs(MANAGE)]
