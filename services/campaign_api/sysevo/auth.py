"""The credentials of this API, and their scopes: 401, then 403. Which organization: http/credentials.py.

`X-API-Key` that is not empty wins over `Authorization: Bearer`; reading needs either scope of campaigns, all else the
one to manage them.
"""

from typing import Annotated, Any, Final

from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from services.campaign_api.http.credentials import (
    MANAGE_CAMPAIGNS,
    READ_CAMPAIGNS,
    Caller,
    bearer_credential,
    caller_of,
    needs,
)
from services.campaign_api.http.edge import ThisEdge
from services.campaign_api.http.faults import RequestFault, Unauthorized

# Only tell the OpenAPI about the headers; the reading is below, where doubled headers are noticed too.
API_KEY: Final = APIKeyHeader(name="X-API-Key", auto_error=False, description="`ak_…`, or `pat_…` with its header.")
BEARER: Final = HTTPBearer(auto_error=False, description="The same credential; X-API-Key wins.")


def credential_of(request: Request) -> str:
    """The credential that a request carries. Raises `Unauthorized` for none, and for two."""
    keys = [key for value in request.headers.getlist("x-api-key") if (key := value.strip())]
    if len(keys) > 1:
        raise Unauthorized(RequestFault.NO_CREDENTIAL)
    return keys[0] if keys else bearer_credential(request)


async def authenticate(
    request: Request, edge: ThisEdge, _: Annotated[Any, Security(API_KEY)], __: Annotated[Any, Security(BEARER)]
) -> Caller:
    """The caller. Raises `Unauthorized`, and `Refused` (an organization of others, too many requests)."""
    return await caller_of(request, edge, credential_of(request))


Reader = Annotated[Caller, needs(authenticate, READ_CAMPAIGNS)]
Manager = Annotated[Caller, needs(authenticate, MANAGE_CAMPAIGNS)]
