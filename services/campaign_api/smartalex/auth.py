"""The credentials of this API, and their scopes: 401, then 403. Which organization: http/credentials.py."""

from typing import Annotated, Any, Final

from fastapi import Request, Security
from fastapi.security import HTTPBearer

from services.campaign_api.http.credentials import (
    MANAGE_CAMPAIGNS,
    READ_CAMPAIGNS,
    Caller,
    bearer_credential,
    caller_of,
    needs,
)
from services.campaign_api.http.edge import ThisEdge
from services.campaign_api.http.request_limits import limit_of, note_limit
from shared.domain.request_limits import LimitState

# Only tells the OpenAPI about the header; the reading is elsewhere, where doubled headers are noticed too.
BEARER: Final = HTTPBearer(auto_error=False, description="Your key.")
# Clients wait for these headers with every answer: what is told where there is no limit.
_NO_LIMIT: Final = LimitState(limit=1_000_000, remaining=1_000_000, resets_in=0.0)


async def authenticate(request: Request, edge: ThisEdge, _: Annotated[Any, Security(BEARER)]) -> Caller:
    """The caller. Raises `Unauthorized`, and `Refused` (an organization of others, too many requests)."""
    caller = await caller_of(request, edge, bearer_credential(request))
    if limit_of(request) is None:
        note_limit(request, _NO_LIMIT)
    return caller


Reader = Annotated[Caller, needs(authenticate, READ_CAMPAIGNS)]
Manager = Annotated[Caller, needs(authenticate, MANAGE_CAMPAIGNS)]
